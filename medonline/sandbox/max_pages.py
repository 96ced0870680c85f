"""The chat with the bot, as a page for one demo phone: «Начать», «Поделиться контактом», and faults of contacts."""

from __future__ import annotations

import asyncio
from html import escape
from urllib.parse import parse_qsl, quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from medonline.domain.phone import PhoneNumber
from medonline.sandbox.demo_phone import spaced
from medonline.sandbox.max import SENDER, MaxStandIn
from medonline.sandbox.pages import HEADERS, LIVE_HEADERS, MAX_CHAT, MAX_OPEN

_LONGEST_BODY = 2_000
_FOREIGN = "+79000001099"


class MaxPages:
    """The page that the deep link opens in the demo, and the chat."""

    def __init__(self, messenger: MaxStandIn, demo_numbers: tuple[str, ...]) -> None:
        self._messenger = messenger
        self._demo_numbers = demo_numbers

    def routes(self) -> list[Route]:
        """Routes relative to `/max`."""
        return [
            Route("/open/{bot}", self._open, methods=["GET"]),
            Route("/chat", self._chat, methods=["GET"]),
            Route("/chat", self._act, methods=["POST"]),
        ]

    async def _open(self, request: Request) -> Response:
        page = MAX_OPEN.substitute(payload=escape(request.query_params.get("start", "")[:128]), number="")
        return HTMLResponse(page, headers=HEADERS)

    async def _chat(self, request: Request) -> Response:
        phone = PhoneNumber.read(request.query_params.get("number", ""))
        if phone is None:
            return HTMLResponse(MAX_OPEN.substitute(payload="", number=""), 400, headers=HEADERS)
        messages = await asyncio.to_thread(self._messenger.chat, phone.e164)
        items = "".join(f'<li><span class="text">{escape(text)}</span></li>' for text, _ in messages)
        page = MAX_CHAT.substitute(
            number=escape(phone.e164), shown=escape(spaced(phone.e164)), sender=SENDER, messages=items
        )
        return HTMLResponse(page, headers=LIVE_HEADERS)

    async def _act(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body())[:_LONGEST_BODY].decode(errors="replace")))
        phone = PhoneNumber.read(form.get("number", ""))
        if phone is None:
            page = MAX_OPEN.substitute(
                payload=escape(form.get("payload", "")[:128]), number=escape(form.get("number", "")[:64])
            )
            return HTMLResponse(page, 400, headers=HEADERS)
        await self._done(form.get("act", ""), phone.e164, form.get("payload", "")[:128])
        return RedirectResponse(f"chat?number={quote(phone.e164)}", 303, headers=HEADERS)

    async def _done(self, act: str, phone: str, payload: str) -> None:
        if act == "begin":
            await self._messenger.begin(phone, payload)
        elif act == "share":
            await self._messenger.share(phone)
        elif act == "by_hand":
            await self._messenger.share(phone, by_hand=True)
        elif act == "foreign":
            await self._messenger.share(phone, card_of=_FOREIGN)
        elif act == "forward":
            await self._messenger.share(phone, forwarded=True)
        elif act == "stop":
            await self._messenger.stop(phone)
