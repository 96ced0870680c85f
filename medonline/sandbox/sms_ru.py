"""Stand-in of SMS.ru's flash calls (https://sms.ru/api/code_call): it chooses the code, no idempotency."""

from __future__ import annotations

import asyncio
import ipaddress
import secrets

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from medonline.sandbox import magic
from medonline.sandbox.demo_phone import incoming_call
from medonline.sandbox.requests import digits, parameters, same
from medonline.sandbox.settings import SandboxSettings
from medonline.sandbox.store import Store


class SmsRuStandIn:
    """code/call."""

    def __init__(self, settings: SandboxSettings, store: Store) -> None:
        self._settings = settings
        self._store = store

    def routes(self) -> list[Route]:
        """The method, relative to SMS.ru's base URL."""
        return [Route("/code/call", self._call, methods=["GET", "POST"])]

    async def _call(self, request: Request) -> Response:
        given = await parameters(request)
        if not same(given.get("api_id", ""), self._settings.sms_ru_api_id):
            return PlainTextResponse("301")  # the vendor forgets about JSON when it does not know the caller
        phone = magic.russian_mobile(digits(str(given.get("phone", "")).removeprefix("+")))
        if phone is None:
            return _refused(*magic.SMS_RU_ERRORS["0009"])
        if not _is_address(given.get("ip", "-1")):
            return _refused(None, "Неправильно указан ip")
        broken = magic.broken_answer(phone)
        if broken is not None:
            return broken
        if phone[-4:] in magic.SMS_RU_ERRORS:
            return _refused(*magic.SMS_RU_ERRORS[phone[-4:]])
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


def _is_address(ip: object) -> bool:
    if ip == "-1":
        return True
    try:
        ipaddress.ip_address(str(ip))
    except ValueError:
        return False
    return True


def _refused(number: int | None, text: str) -> Response:
    answer: dict[str, object] = {"status": "ERROR", "status_text": text}
    return JSONResponse(answer if number is None else answer | {"status_code": number})
