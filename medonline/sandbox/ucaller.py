"""Stand-in of uCaller's flash calls (https://developer.ucaller.ru). Errors come with HTTP 200."""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from medonline.sandbox import magic
from medonline.sandbox.code_faults import CodeFaults, Vendor, refused_key
from medonline.sandbox.demo_phone import incoming_call
from medonline.sandbox.requests import bearer, digits, parameters, same
from medonline.sandbox.settings import SandboxSettings
from medonline.sandbox.store import Call, Store

_CODE = re.compile(r"[0-9]{4}")
_MAX_TEXT = 64  # characters of `unique` and of `client`


class UCallerStandIn:
    """The methods initCall, getInfo and getBalance."""

    def __init__(self, settings: SandboxSettings, store: Store, faults: CodeFaults) -> None:
        self._settings = settings
        self._store = store
        self._faults = faults

    def routes(self) -> list[Route]:
        """The routes of the methods, relative to uCaller's base URL."""
        return [
            Route("/v1.0/initCall", self._init_call, methods=["GET", "POST"]),
            Route("/v1.0/getInfo", self._get_info, methods=["GET", "POST"]),
            Route("/v1.0/getBalance", self._get_balance, methods=["GET", "POST"]),
        ]

    async def _init_call(self, request: Request) -> Response:
        given = await parameters(request)
        if not self._authorised(request, given):
            return refused_key(Vendor.UCALLER)
        phone = magic.russian_mobile(digits(given.get("phone")))
        if phone is None:
            return refused(3, "Неверный номер телефона")
        broken = magic.broken_answer(phone)
        if broken is not None:
            return broken
        if phone[-4:] in magic.UCALLER_ERRORS:
            return refused(*magic.UCALLER_ERRORS[phone[-4:]])
        code = given.get("code", f"{secrets.randbelow(10_000):04}")
        if not _CODE.fullmatch(str(code)):
            return refused(4, "Неверный код")
        unique, client = str(given.get("unique", "")), str(given.get("client", ""))
        if max(len(unique), len(client)) > _MAX_TEXT:
            return refused(5, "Слишком длинный параметр")
        code = magic.code_placed(phone, str(code))
        rings = incoming_call(code) if magic.reachable(phone) else None
        call, exists = await asyncio.to_thread(self._store.place_call, phone, code, unique or None, client, rings)
        await magic.slow_down(phone, self._settings.slow_answer)
        return JSONResponse(_answer(call) | ({"exists": True} if exists else {}))

    async def _get_info(self, request: Request) -> Response:
        given = await parameters(request)
        if not self._authorised(request, given):
            return refused_key(Vendor.UCALLER)
        uid = digits(given.get("uid"))
        call = await asyncio.to_thread(self._store.call, int(uid)) if uid and len(uid) < 19 else None
        if call is None:
            return refused(7, "Звонок не найден")
        ringing = time.time() < call.placed_at + self._settings.delivery_pace
        status = -1 if ringing else int(magic.reachable(call.phone))
        return JSONResponse(_answer(call) | {"init_time": int(call.placed_at), "call_status": status, "cost": 0.3})

    async def _get_balance(self, request: Request) -> Response:
        if not self._authorised(request, await parameters(request)):
            return refused_key(Vendor.UCALLER)
        balance = await asyncio.to_thread(self._faults.balance, Vendor.UCALLER)
        return JSONResponse(
            {"status": True, "rub_balance": balance, "bonus_balance": 0, "tariff": "startup", "tariff_name": "Старт-ап"}
        )

    def _authorised(self, request: Request, given: dict[str, Any]) -> bool:
        sent = bearer(request) or f"{given.get('key', '')}.{given.get('service_id', '')}"
        return same(sent, f"{self._settings.ucaller_key}.{self._settings.ucaller_service_id}")


def _answer(call: Call) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "status": True,
        "ucaller_id": call.uid,
        "phone": int(call.phone[1:]),
        "code": magic.answered_code(call.phone, call.code),
    }
    if call.client:
        answer["client"] = call.client
    if call.unique_key is not None:
        answer["unique_request_id"] = call.unique_key
    return answer


def refused(number: int, text: str) -> Response:
    """A refusal by uCaller."""
    return JSONResponse({"status": False, "error": text, "code": number})
