"""Faults of the vendors of codes: one switch per vendor, the same for everyone, kept in the sandbox's database, with its own page."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from enum import StrEnum

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from medonline.sandbox import magic
from medonline.sandbox.fault_page import FaultPage, group
from medonline.sandbox.store import Store

_SCHEMA = "CREATE TABLE IF NOT EXISTS code_fault (vendor TEXT PRIMARY KEY, fault TEXT NOT NULL)"
BALANCE, LOW, EMPTY = 4122.56, 3.0, 0.0  # roubles


class Vendor(StrEnum):
    """The vendor that a stand-in plays."""

    UCALLER = "ucaller"
    SMS_RU = "sms_ru"
    SMS_AERO = "sms_aero"
    TELEGRAM = "telegram"
    MAX = "max"


class Fault(StrEnum):
    """What goes wrong."""

    NONE = "none"
    DOWN = "down"
    SLOW = "slow"
    MISSING = "missing"
    KEY = "key"
    MONEY = "money"
    LOW = "low"
    BUSY = "busy"
    FORGED = "forged"
    TWICE = "twice"
    LOST = "lost"
    UNTOLD = "untold"


_NAMES = {
    Vendor.UCALLER: "uCaller",
    Vendor.SMS_RU: "SMS.ru",
    Vendor.SMS_AERO: "SMS Aero",
    Vendor.TELEGRAM: "Telegram Gateway",
    Vendor.MAX: "MAX",
}
_LABELS = {
    Fault.NONE: "Всё работает",
    Fault.DOWN: "Не работает (503)",
    Fault.SLOW: "Отвечает слишком долго",
    Fault.MISSING: "По этому адресу другой сервис (404)",
    Fault.KEY: "Ключ больше не принимают",
    Fault.MONEY: "Деньги кончились",
    Fault.LOW: "Деньги кончаются",
    Fault.BUSY: "Слишком много запросов (429)",
    Fault.FORGED: "Вебхук с чужим секретом",
    Fault.TWICE: "Вебхук приходит дважды",
    Fault.LOST: "Вебхук не приходит",
    Fault.UNTOLD: "Звонил ли пациент, узнать нельзя (500)",
}
_OF_WEBHOOKS = frozenset({Fault.FORGED, Fault.TWICE})
_OF_CALLS = frozenset({Fault.LOST})
_OF_MESSENGER = frozenset({Fault.BUSY})
_OF_STATUS = frozenset({Fault.UNTOLD})
_OF_MONEY = frozenset({Fault.MONEY, Fault.LOW})
_NOT_OF = {
    Vendor.MAX: _OF_MONEY | _OF_CALLS | _OF_STATUS,
    Vendor.SMS_RU: _OF_MESSENGER,
    Vendor.UCALLER: _OF_MESSENGER | _OF_STATUS,
}
_NOT_OF_OTHERS = _OF_WEBHOOKS | _OF_CALLS | _OF_MESSENGER | _OF_STATUS


def faults_of(vendor: Vendor) -> list[Fault]:
    """The faults that a vendor can have: the messenger needs no balance, and only some vendors post to the portal."""
    return [one for one in Fault if one not in _NOT_OF.get(vendor, _NOT_OF_OTHERS)]


_SENDING = (
    "/initCall",
    "/code/call",
    "/sms/send",
    "/sendVerificationMessage",
    "/callcheck/add",
    "/inboundCallWaiting",
)
Endpoint = Callable[[Request], Awaitable[Response]]


class CodeFaults(FaultPage):
    """The switches. `current` and `switch` block for as long as a small SQLite transaction takes."""

    path = "code-faults"
    title = "Неполадки звонков и сообщений"
    banner = "настоящих звонков и сообщений здесь нет"

    def __init__(self, store: Store, slow_answer: float) -> None:
        self._store = store
        self._slow_answer = slow_answer
        store.add_tables(_SCHEMA)

    def over(self, vendor: Vendor, routes: Sequence[Route]) -> list[Route]:
        """The same routes, behind the switch of their vendor."""
        return [
            Route(route.path, self._faulty(vendor, route.endpoint), methods=sorted(route.methods or ()))
            for route in routes
        ]

    def current(self, vendor: Vendor) -> Fault:
        """The fault that is switched on."""
        with self._store.transaction() as sql:
            row = sql.execute("SELECT fault FROM code_fault WHERE vendor = ?", (vendor.value,)).fetchone()
        return Fault(row["fault"]) if row is not None else Fault.NONE

    def switch(self, vendor: Vendor, fault: Fault) -> None:
        """Switch to another fault."""
        with self._store.transaction() as sql:
            sql.execute("INSERT OR REPLACE INTO code_fault VALUES (?, ?)", (vendor.value, fault.value))

    def balance(self, vendor: Vendor) -> float:
        """The balance in roubles."""
        return {Fault.MONEY: EMPTY, Fault.LOW: LOW}.get(self.current(vendor), BALANCE)

    def _faulty(self, vendor: Vendor, endpoint: Endpoint) -> Endpoint:
        async def answer(request: Request) -> Response:
            fault = await asyncio.to_thread(self.current, vendor)
            if fault is Fault.DOWN:
                return HTMLResponse("<html><body><h1>503 Service Unavailable</h1></body></html>", status_code=503)
            if fault is Fault.MISSING:
                return HTMLResponse("<html><body><h1>404 Not Found</h1></body></html>", status_code=404)
            if fault is Fault.KEY:
                return refused_key(vendor)
            if fault is Fault.BUSY:
                return JSONResponse({"code": "too.many.requests", "message": "Too many requests"}, 429)
            if fault is Fault.MONEY and request.url.path.endswith(_SENDING):
                return _without_money(vendor)
            if fault is Fault.SLOW:
                await asyncio.sleep(self._slow_answer)
            return await endpoint(request)

        return answer

    async def _groups(self) -> list[str]:
        return [
            group(
                _NAMES[vendor],
                vendor,
                [(fault, _LABELS[fault]) for fault in faults_of(vendor)],
                await asyncio.to_thread(self.current, vendor),
            )
            for vendor in Vendor
        ]

    async def _on(self) -> Mapping[str, str]:
        return {vendor: await asyncio.to_thread(self.current, vendor) for vendor in Vendor}

    async def _switched(self, sent: Mapping[str, object]) -> bool:
        if not sent or not all(
            vendor in list(Vendor) and fault in faults_of(Vendor(vendor)) for vendor, fault in sent.items()
        ):
            return False
        for vendor, fault in sent.items():
            await asyncio.to_thread(self.switch, Vendor(vendor), Fault(str(fault)))
        return True

    def _wanted(self) -> str:
        return f"a vendor ({', '.join(Vendor)}) and its fault: one of {', '.join(Fault)}"


def refused_key(vendor: Vendor) -> Response:
    """The vendor's answer to a key that it does not know (any more)."""
    if vendor is Vendor.SMS_RU:
        return PlainTextResponse("301")  # the vendor answers without JSON when it does not know the caller
    if vendor is Vendor.SMS_AERO:
        message = "Your request was made with invalid credentials."
        return JSONResponse({"success": False, "data": None, "message": message}, 401)
    if vendor is Vendor.MAX:
        return JSONResponse({"code": "verify.token", "message": "Invalid access_token"}, 401)
    if vendor is Vendor.UCALLER:
        return JSONResponse({"status": False, "error": "Ошибка авторизации", "code": 401})
    return JSONResponse({"ok": False, "error": "ACCESS_TOKEN_INVALID"})


def _without_money(vendor: Vendor) -> Response:
    if vendor is Vendor.TELEGRAM:
        return JSONResponse({"ok": False, "error": magic.TELEGRAM_ERRORS["0002"]})
    if vendor is Vendor.SMS_AERO:
        return JSONResponse(magic.SMS_AERO_ERRORS["0002"])
    if vendor is Vendor.UCALLER:
        number, text = magic.UCALLER_ERRORS["0002"]
        return JSONResponse({"status": False, "error": text, "code": number})
    code, text = magic.SMS_RU_ERRORS["0002"]
    return JSONResponse({"status": "ERROR", "status_text": text, "status_code": code})
