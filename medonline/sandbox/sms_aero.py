"""Stand-in of SMS Aero, API version 2: sms/send, sms/status, balance. No idempotency; refusals come with HTTP 400 or 401."""

from __future__ import annotations

import asyncio
import hmac
from base64 import b64encode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from medonline.sandbox import magic
from medonline.sandbox.code_faults import CodeFaults, Vendor, refused_key
from medonline.sandbox.requests import digits, parameters
from medonline.sandbox.settings import SandboxSettings
from medonline.sandbox.sms import SmsBox, SmsState

_LONGEST_TEXT = 640
_STATES = {
    SmsState.ON_ITS_WAY: (3, "queue"),
    SmsState.DELIVERED: (1, "delivery"),
    SmsState.EXPIRED: (2, "undelivered"),
    SmsState.NO_ROUTE: (6, "reject"),
    SmsState.STOP_LIST: (6, "reject"),
}


class SmsAeroStandIn:
    """The methods sms/send, sms/status and balance."""

    def __init__(self, settings: SandboxSettings, faults: CodeFaults, box: SmsBox) -> None:
        self._settings, self._faults, self._box = settings, faults, box
        credentials = f"{settings.sms_aero_email}:{settings.sms_aero_api_key}"
        self._basic = f"Basic {b64encode(credentials.encode()).decode()}"

    def routes(self) -> list[Route]:
        """The routes of the methods, relative to SMS Aero's base URL."""
        return [
            Route("/v2/sms/send", self._send, methods=["GET", "POST"]),
            Route("/v2/sms/status", self._status, methods=["GET", "POST"]),
            Route("/v2/balance", self._balance, methods=["GET", "POST"]),
        ]

    async def _send(self, request: Request) -> Response:
        if not self._knows(request):
            return refused_key(Vendor.SMS_AERO)
        given = await parameters(request)
        phone = magic.russian_mobile(digits(given.get("number")))
        if phone is None:
            return _refused("Validation error: number")
        text = str(given.get("text", ""))
        if not 0 < len(text) <= _LONGEST_TEXT or not given.get("sign"):
            return _refused("Validation error: text, sign")
        broken = magic.broken_answer(phone)
        if broken is not None:
            return broken
        if phone[-4:] in magic.SMS_AERO_ERRORS:
            return JSONResponse(magic.SMS_AERO_ERRORS[phone[-4:]])
        number = await asyncio.to_thread(self._box.take, phone, str(given["sign"]), text)
        await magic.slow_down(phone, self._settings.slow_answer)
        data = {"id": number, "number": phone[1:], "status": 0, "extendStatus": "queue", "cost": 5.49}
        return JSONResponse({"success": True, "data": data, "message": None})

    async def _status(self, request: Request) -> Response:
        if not self._knows(request):
            return refused_key(Vendor.SMS_AERO)
        number = digits((await parameters(request)).get("id"))
        state = await asyncio.to_thread(self._box.state, int(number or 0))
        if state is None:
            return _refused("Message not found", 404)
        status, extended = _STATES[state]
        data = {"id": int(number), "status": status, "extendStatus": extended}
        return JSONResponse({"success": True, "data": data, "message": None})

    async def _balance(self, request: Request) -> Response:
        if not self._knows(request):
            return refused_key(Vendor.SMS_AERO)
        balance = await asyncio.to_thread(self._faults.balance, Vendor.SMS_AERO)
        return JSONResponse({"success": True, "data": {"balance": balance}, "message": None})

    def _knows(self, request: Request) -> bool:
        given = request.headers.get("Authorization", "").encode(errors="replace")
        return hmac.compare_digest(given, self._basic.encode())


def _refused(message: str, status: int = 400) -> Response:
    return JSONResponse({"success": False, "data": None, "message": message}, status)
