"""Stand-in of Telegram Gateway (https://core.telegram.org/gateway/api).

Errors come with HTTP 200. The vendor documents no status, and only one error name, `ACCESS_TOKEN_INVALID`. The other names here were seen
in use or are plausible. Like the vendor, the stand-in accepts JSON, form and query parameters.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from medonline.sandbox import magic
from medonline.sandbox import telegram_parameters as read
from medonline.sandbox.callbacks import Callbacks
from medonline.sandbox.requests import bearer, parameters, same
from medonline.sandbox.settings import SandboxSettings
from medonline.sandbox.store import Event, Message, Store

SENDER = "Коды подтверждения"
_PRICE, _BALANCE = 0.01, 100.0
_MAX_ATTEMPTS = 5


class TelegramGatewayStandIn:
    """The four methods of the gateway."""

    def __init__(self, settings: SandboxSettings, store: Store, callbacks: Callbacks) -> None:
        self._settings = settings
        self._store = store
        self._callbacks = callbacks

    def routes(self) -> list[Route]:
        """The routes of the methods, relative to the gateway's base URL."""
        return [
            Route("/sendVerificationMessage", self._method(self._send), methods=["GET", "POST"]),
            Route("/checkSendAbility", self._method(self._check_ability), methods=["GET", "POST"]),
            Route("/checkVerificationStatus", self._method(self._check_status), methods=["GET", "POST"]),
            Route("/revokeVerificationMessage", self._method(self._revoke), methods=["GET", "POST"]),
        ]

    def _method(self, act: Callable[[dict[str, Any]], Awaitable[Any]]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            given = await parameters(request)
            if not same(bearer(request) or given.get("access_token", ""), self._settings.telegram_token):
                return JSONResponse({"ok": False, "error": "ACCESS_TOKEN_INVALID"})
            try:
                result = await act(given)
            except read.Refused as error:
                return JSONResponse({"ok": False, "error": str(error)})
            return result if isinstance(result, Response) else JSONResponse({"ok": True, "result": result})

        return endpoint

    async def _send(self, given: dict[str, Any]) -> Response | dict[str, Any]:
        phone = read.phone(given)
        broken = magic.broken_answer(phone)
        if broken is not None:
            return broken
        _refuse_magic(phone)
        paid = await self._paid_request(given, phone)
        message = Message(
            request_id=paid.request_id if paid else _new_request_id(),
            phone=phone,
            code=read.code(given),
            ttl=read.ttl(given),
            payload=read.bounded(given, "payload", 128, "PAYLOAD_INVALID"),
            callback_url=read.callback_url(given, self._settings.callback_urls),
            sent_at=time.time(),
        )
        arrives = Event("", "telegram", SENDER, f"Your code is {message.code}")
        event = arrives if magic.reachable(phone) else None
        await asyncio.to_thread(self._store.save_message, message, event)
        await self._schedule_reports(message)
        await magic.slow_down(phone, self._settings.slow_answer)
        return await self._status(message, cost=0.0 if paid else _PRICE)

    async def _check_ability(self, given: dict[str, Any]) -> Response | dict[str, Any]:
        phone = read.phone(given)
        broken = magic.broken_answer(phone)
        if broken is not None:
            return broken
        _refuse_magic(phone)
        message = Message(_new_request_id(), phone, None, None, "", "", None)
        await asyncio.to_thread(self._store.save_message, message)
        return await self._status(message)

    async def _check_status(self, given: dict[str, Any]) -> dict[str, Any]:
        message = await self._known(given)
        if "code" in given and message.code is not None:
            message = _judged(message, str(given["code"]), time.time())
            await asyncio.to_thread(self._store.save_message, message)
        return await self._status(message)

    async def _revoke(self, given: dict[str, Any]) -> bool:
        message = await self._known(given)
        # As at the vendor: a message that was delivered or read stays.
        if self._delivery(message, time.time())[0] == "sent":
            message = replace(message, revoked_at=time.time())
            await asyncio.to_thread(self._store.save_message, message)
            if message.callback_url:
                self._callbacks.post_later(message.callback_url, await self._status(message), 0)
        return True

    async def _known(self, given: dict[str, Any]) -> Message:
        message = await asyncio.to_thread(self._store.message, str(given.get("request_id", "")))
        if message is None:
            raise read.Refused("REQUEST_ID_INVALID")
        return message

    async def _paid_request(self, given: dict[str, Any], phone: str) -> Message | None:
        if "request_id" not in given:
            return None
        paid = await self._known(given)
        if paid.phone != phone or paid.code is not None:
            raise read.Refused("REQUEST_ID_INVALID")
        return paid

    async def _schedule_reports(self, message: Message) -> None:
        if not message.callback_url or message.sent_at is None or message.ttl is None:
            return
        pace = self._settings.delivery_pace
        moments = (0.0, pace, 2 * pace) if magic.reachable(message.phone) else (0.0, float(message.ttl))
        for moment in moments:
            report = await self._status(message, at=message.sent_at + moment)
            self._callbacks.post_later(message.callback_url, report, moment)

    def _delivery(self, message: Message, now: float) -> tuple[str, float]:
        sent_at, pace = message.sent_at or 0.0, self._settings.delivery_pace
        if message.revoked_at is not None:
            return "revoked", message.revoked_at
        if not magic.reachable(message.phone):
            ends_at = sent_at + (message.ttl or 0)
            return ("expired", ends_at) if now >= ends_at else ("sent", sent_at)
        passed = min(int((now - sent_at) / pace + 0.001), 2) if pace > 0 else 2
        return ("sent", "delivered", "read")[passed], sent_at + passed * pace

    async def _status(self, message: Message, *, cost: float = _PRICE, at: float | None = None) -> dict[str, Any]:
        charged = await asyncio.to_thread(self._store.count_messages)
        status: dict[str, Any] = {
            "request_id": message.request_id,
            "phone_number": message.phone,
            "request_cost": cost,
            "remaining_balance": round(_BALANCE - charged * _PRICE, 2),
        }
        if message.sent_at is not None:
            delivery, updated_at = self._delivery(message, time.time() if at is None else at)
            status["delivery_status"] = {"status": delivery, "updated_at": int(updated_at)}
            status["is_refunded"] = delivery in ("expired", "revoked")
        if message.verification is not None:
            status["verification_status"] = {
                "status": message.verification,
                "updated_at": int(message.entered_at or 0),
                "code_entered": message.code_entered,
            }
        if message.payload:
            status["payload"] = message.payload
        return status


def _judged(message: Message, entered: str, now: float) -> Message:
    if now > (message.sent_at or 0.0) + (message.ttl or 0):
        verdict = "expired"
    elif message.attempts >= _MAX_ATTEMPTS:
        verdict = "code_max_attempts_exceeded"
    else:
        verdict = "code_valid" if entered == message.code else "code_invalid"
    return replace(
        message, attempts=message.attempts + 1, verification=verdict, code_entered=entered[:8], entered_at=now
    )


def _new_request_id() -> str:
    return str(10**14 + secrets.randbelow(9 * 10**14))


def _refuse_magic(phone: str) -> None:
    error = magic.TELEGRAM_ERRORS.get(phone[-4:])
    if error is not None:
        raise read.Refused(error)
