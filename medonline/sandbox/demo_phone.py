"""The demo phone: what one number received, as a page for people and as JSON for tests.

The page works without scripts and has no inline script or style, so it works under a strict Content-Security-Policy. Its links are relative
to the page, so it works under any mount path.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from datetime import datetime
from html import escape
from urllib.parse import quote
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from medonline.domain.phone import PhoneNumber
from medonline.sandbox.pages import FRAME, GOSUSLUGI, INDEX, PHONE, QR
from medonline.sandbox.store import Event, Store

_E164 = re.compile(r"\+?([1-9][0-9]{7,14})", re.ASCII)
_CODE = re.compile(r"[0-9]{4,8}")
_CALLER_PREFIX = "+7495120"
_MOSCOW = ZoneInfo("Europe/Moscow")
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def incoming_call(code: str) -> Event:
    """A flash call: the last four digits of the caller's number are the code."""
    return Event("", "call", f"{_CALLER_PREFIX}{code}", "Входящий звонок")


class DemoPhone:
    """The pages of the sandbox and the JSON of one phone. The page offers `demo_numbers` next to the field.

    `pending_qr` names the sign-ins at Gosuslugi that wait for a phone. None if there is no such stand-in.
    """

    def __init__(
        self, store: Store, demo_numbers: tuple[str, ...], pending_qr: Callable[[], list[str]] | None = None
    ) -> None:
        self._store = store
        self._demo_numbers = demo_numbers
        self._pending_qr = pending_qr

    def routes(self) -> list[Route]:
        """Routes relative to the sandbox."""
        return [
            Route("/", self._index),
            Route("/phone", self._page),
            Route("/phone/{e164}/events", self._events),
        ]

    async def _index(self, request: Request) -> Response:
        return HTMLResponse(
            INDEX.substitute(patients=self._patients(), gosuslugi=GOSUSLUGI if self._pending_qr else ""),
            headers=HEADERS,
        )

    async def _events(self, request: Request) -> Response:
        # Some clients turn the plus sign into a space. It is still read as a plus sign.
        found = _E164.fullmatch(request.path_params["e164"].strip())
        if not found:
            error = {"error": "The number must be in E.164 form: a plus sign and 8-15 digits."}
            return JSONResponse(error, status_code=400, headers=HEADERS)
        events = await asyncio.to_thread(self._store.events, f"+{found[1]}")
        return JSONResponse([_as_json(event) for event in events], headers=HEADERS)

    async def _page(self, request: Request) -> Response:
        typed = request.query_params.get("number", "")
        problem, frame = "", ""
        if typed.strip():
            phone = PhoneNumber.read(typed)
            if phone is None:
                problem = "Введите номер российского мобильного телефона, например +7 900 000-10-01."
            else:
                typed = spaced(phone.e164)
                pending = None if self._pending_qr is None else await asyncio.to_thread(self._pending_qr)
                frame = _frame(phone.e164, await asyncio.to_thread(self._store.events, phone.e164), pending)
        page = PHONE.substitute(
            number=escape(typed[:64]),
            invalid="true" if problem else "false",
            problem=problem,
            patients=self._patients(),
            frame=frame,
        )
        return HTMLResponse(page, status_code=400 if problem else 200, headers=HEADERS)

    def _patients(self) -> str:
        links = [f'<a href="phone?number={quote(n)}">{escape(spaced(n))}</a>' for n in self._demo_numbers]
        return f'<p class="patients">Демо-пациенты: {", ".join(links)}</p>' if links else ""


def spaced(e164: str) -> str:
    """A Russian number as people write it: `+7 900 000-10-01`."""
    return f"{e164[:2]} {e164[2:5]} {e164[5:8]}-{e164[8:10]}-{e164[10:]}"


def _as_json(event: Event) -> dict[str, str]:
    return {"at": event.at, "kind": event.kind, "from": event.sender, "text": event.text}


def _frame(e164: str, events: list[Event], pending_qr: list[str] | None) -> str:
    calls = [event for event in events if event.kind == "call"]
    messages = [event for event in events if event.kind == "telegram"]
    sms = [event for event in events if event.kind == "sms"]
    return FRAME.substitute(
        events=f"phone/{quote(e164, safe='')}/events",
        shown=len(events),
        number_quoted=quote(e164, safe=""),
        number=escape(spaced(e164)),
        calls="".join(map(_call_item, reversed(calls))),
        messages="".join(map(_message_item, messages)),
        sms="".join(map(_sms_item, sms)),
        qr="" if pending_qr is None else _qr_section(e164, pending_qr),
    )


def _call_item(event: Event) -> str:
    # static/phone.js builds the same markup for later events.
    caller = f"{event.sender[:2]} {event.sender[2:5]} {event.sender[5:8]}"
    return (
        f'<li><span class="caller">{escape(caller)} <strong>{escape(event.sender[8:])}</strong></span>'
        f'<span class="what">{escape(event.text)}</span>{marked_time(event)}</li>'
    )


def _message_item(event: Event) -> str:
    code = _CODE.search(event.text)
    text = f"Ваш код: <strong>{code[0]}</strong>" if code else escape(event.text)
    return f'<li><span class="text">{text}</span>{marked_time(event)}</li>'


def _sms_item(event: Event) -> str:
    text = _CODE.sub(r"<strong>\g<0></strong>", escape(event.text), count=1)
    return f'<li><span class="what">{escape(event.sender)}</span> <span class="text">{text}</span>{marked_time(event)}</li>'


def _qr_section(e164: str, pending: list[str]) -> str:
    number = quote(e164, safe="")
    items = "".join(
        f'<li><a class="button" href="gosuslugi/qr/{quote(qr)}?number={number}">Подтвердить вход по QR-коду</a></li>'
        for qr in pending
    )
    return QR.substitute(number=number, items=items)


def marked_time(event: Event) -> str:
    """When it arrived, in Moscow time."""
    shown = datetime.fromisoformat(event.at).astimezone(_MOSCOW).strftime("%H:%M:%S")
    return f'<time datetime="{escape(event.at)}">{shown}</time>'
