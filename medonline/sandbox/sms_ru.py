"""Stand-in of SMS.ru: flash calls (https://sms.ru/api/code_call), for which SMS.ru chooses the code, and text messages
(https://sms.ru/api/send). No idempotency."""

from __future__ import annotations

import asyncio
import ipaddress
import secrets

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from medonline.sandbox import magic
from medonline.sandbox.code_faults import CodeFaults, Vendor, refused_key
from medonline.sandbox.demo_phone import incoming_call
from medonline.sandbox.requests import digits, parameters, same
from medonline.sandbox.settings import SandboxSettings
from medonline.sandbox.sms import SmsBox, SmsState
from medonline.sandbox.store import Store

_SENDER = "medonline"
_LONGEST_TEXT = 1_000
_BEFORE = "000000-"
_STATES = {
    SmsState.ON_ITS_WAY: 102,
    SmsState.DELIVERED: 103,
    SmsState.EXPIRED: 104,
    SmsState.NO_ROUTE: 150,
    SmsState.STOP_LIST: 209,
}


class SmsRuStandIn:
    """The methods code/call, sms/send, sms/status and my/balance."""

    def __init__(self, settings: SandboxSettings, store: Store, faults: CodeFaults, box: SmsBox) -> None:
        self._settings = settings
        self._store = store
        self._faults = faults
        self._box = box

    def routes(self) -> list[Route]:
        """The routes of the methods, relative to SMS.ru's base URL."""
        return [
            Route("/code/call", self._call, methods=["GET", "POST"]),
            Route("/sms/send", self._send, methods=["GET", "POST"]),
            Route("/my/balance", self._balance, methods=["GET", "POST"]),
            Route("/sms/status", self._status, methods=["GET", "POST"]),
        ]

    async def _call(self, request: Request) -> Response:
        given = await parameters(request)
        if not same(given.get("api_id", ""), self._settings.sms_ru_api_id):
            return refused_key(Vendor.SMS_RU)
        phone = magic.russian_mobile(digits(str(given.get("phone", "")).removeprefix("+")))
        if phone is None:
            return refused(*magic.SMS_RU_ERRORS["0009"])
        if not _is_address(given.get("ip", "-1")):
            return refused(None, "Неправильно указан ip")
        failed = failure_of(phone)
        if failed is not None:
            return failed
        code = f"{secrets.randbelow(900 if magic.loses_zero(phone) else 9000) + 100:04}"
        if magic.reachable(phone):
            rings = incoming_call(code)
            await asyncio.to_thread(self._store.add_event, phone, rings.kind, rings.sender, rings.text)
        await magic.slow_down(phone, self._settings.slow_answer)
        return JSONResponse(
            {
                "status": "OK",
                "code": magic.answered_code(phone, code),
                "call_id": f"000000-{secrets.randbelow(10**8):08}",
                "cost": 0.4,
                "balance": 4122.56,
            }
        )

    async def _send(self, request: Request) -> Response:
        given = await parameters(request)
        if not same(given.get("api_id", ""), self._settings.sms_ru_api_id):
            return PlainTextResponse("200")  # this is not JSON either
        to, text = digits(str(given.get("to", "")).removeprefix("+")), str(given.get("msg", ""))
        phone = magic.russian_mobile(to)
        if phone is None:
            return _messages(to, *magic.SMS_RU_ERRORS["0009"])
        if not 0 < len(text) <= _LONGEST_TEXT:
            return _messages(to, 203, "Нет текста сообщения")
        broken = magic.broken_answer(phone)
        if broken is not None:
            return broken
        if magic.forgets_json(phone):
            return PlainTextResponse("201")
        if phone[-4:] in magic.SMS_RU_ERRORS:
            return _messages(to, *magic.SMS_RU_ERRORS[phone[-4:]])
        number = await asyncio.to_thread(self._box.take, phone, str(given.get("from") or _SENDER), text)
        await magic.slow_down(phone, self._settings.slow_answer)
        return _messages(to, 100, "", f"{_BEFORE}{number:08}")

    async def _status(self, request: Request) -> Response:
        given = await parameters(request)
        if not same(given.get("api_id", ""), self._settings.sms_ru_api_id):
            return refused_key(Vendor.SMS_RU)
        reference = str(given.get("sms_id", ""))
        state = await asyncio.to_thread(self._box.state, int(digits(reference.removeprefix(_BEFORE)) or 0))
        status = (
            {"status": "OK", "status_code": _STATES[state], "status_text": ""}
            if state
            else {"status": "ERROR", "status_code": -1, "status_text": "Сообщение не найдено"}
        )
        return JSONResponse({"status": "OK", "status_code": 100, "sms": {reference: status}, "balance": 4122.56})

    async def _balance(self, request: Request) -> Response:
        given = await parameters(request)
        if not same(given.get("api_id", ""), self._settings.sms_ru_api_id):
            return refused_key(Vendor.SMS_RU)
        balance = await asyncio.to_thread(self._faults.balance, Vendor.SMS_RU)
        return JSONResponse({"status": "OK", "status_code": 100, "balance": f"{balance:.2f}"})


def _messages(to: str, number: int | None, text: str, reference: str = "") -> Response:
    message: dict[str, object] = {"status": "OK" if reference else "ERROR"}
    message |= {"sms_id": reference} if reference else {"status_text": text}
    message |= {} if number is None else {"status_code": number}
    # The request succeeds even if its only message is refused.
    return JSONResponse({"status": "OK", "status_code": 100, "sms": {to: message}, "balance": 4122.56})


def _is_address(ip: object) -> bool:
    if ip == "-1":
        return True
    try:
        ipaddress.ip_address(str(ip))
    except ValueError:
        return False
    return True


def failure_of(phone: str) -> Response | None:
    """The answer to a call to or from this number (E.164), if the number's last digits make it fail."""
    broken = magic.broken_answer(phone)
    if broken is not None:
        return broken
    if magic.forgets_json(phone):
        return PlainTextResponse("201")
    known = magic.SMS_RU_ERRORS.get(phone[-4:])
    return None if known is None else refused(*known)


def refused(number: int | None, text: str) -> Response:
    """A refusal by SMS.ru, with its error number if there is one."""
    answer: dict[str, object] = {"status": "ERROR", "status_text": text}
    return JSONResponse(answer if number is None else answer | {"status_code": number})
