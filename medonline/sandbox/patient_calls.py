"""Stand-in of the numbers that patients call: SMS.ru's callcheck (https://sms.ru/api/callcheck) and uCaller's inboundCallWaiting
(https://developer.ucaller.ru). It also handles a call from a demo phone to one of them.

A vendor's stand-in gives the same number to every waiting check, and a call answers every check that waits for its caller. This is the
worst case for the portal.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import time
from urllib.parse import urlencode, urlsplit

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from medonline.sandbox import magic, sms_ru, ucaller
from medonline.sandbox.code_faults import CodeFaults, Fault, Vendor, refused_key
from medonline.sandbox.requests import bearer, digits, parameters, same
from medonline.sandbox.settings import SandboxSettings
from medonline.sandbox.store import Store
from medonline.sandbox.telegram_parameters import is_this_machine

log = logging.getLogger(__name__)

WAITS_FOR = 300.0  # seconds
NUMBERS = {Vendor.SMS_RU: "78005008275", Vendor.UCALLER: "74951200199"}
_BEFORE = "201737-"
_SCHEMA = """CREATE TABLE IF NOT EXISTS call_wait (
    id INTEGER PRIMARY KEY, vendor TEXT NOT NULL, phone TEXT NOT NULL, callback_url TEXT NOT NULL, at REAL NOT NULL,
    called_at REAL)"""
_ANSWER_WITHIN, _RETRIES, _LONGEST_URL = 5.0, 10, 256


class PatientCalls:
    """The methods of both vendors, and the patients' calls."""

    def __init__(self, settings: SandboxSettings, store: Store, faults: CodeFaults) -> None:
        self._settings, self._store, self._faults = settings, store, faults
        self._posting: set[asyncio.Task[None]] = set()
        store.add_tables(_SCHEMA)

    def of_sms_ru(self) -> list[Route]:
        """Routes relative to SMS.ru's base URL."""
        return [
            Route("/callcheck/add", self._add, methods=["GET", "POST"]),
            Route("/callcheck/status", self._status, methods=["GET", "POST"]),
        ]

    def of_ucaller(self) -> list[Route]:
        """Routes relative to uCaller's base URL."""
        return [Route("/v1.0/inboundCallWaiting", self._wait, methods=["GET"])]

    async def close(self) -> None:
        """Cancel the pending reports."""
        tasks = [task for task in self._posting if task.get_loop() is asyncio.get_running_loop()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _add(self, request: Request) -> Response:
        given = await parameters(request)
        if not same(given.get("api_id", ""), self._settings.sms_ru_api_id):
            return refused_key(Vendor.SMS_RU)
        phone = magic.russian_mobile(digits(str(given.get("phone", "")).removeprefix("+")))
        if phone is None:
            return sms_ru.refused(*magic.SMS_RU_ERRORS["0009"])
        failed = sms_ru.failure_of(phone)
        if failed is not None:
            return failed
        wait = await asyncio.to_thread(self._keep, Vendor.SMS_RU, phone, "")
        await magic.slow_down(phone, self._settings.slow_answer)
        return JSONResponse(
            {
                "status": "OK",
                "status_code": 100,
                "check_id": f"{_BEFORE}{wait}",
                "call_phone": NUMBERS[Vendor.SMS_RU],
                "call_phone_pretty": "+7 (800) 500-8275",
            }
        )

    async def _status(self, request: Request) -> Response:
        given = await parameters(request)
        if not same(given.get("api_id", ""), self._settings.sms_ru_api_id):
            return refused_key(Vendor.SMS_RU)
        if await asyncio.to_thread(self._faults.current, Vendor.SMS_RU) is Fault.UNTOLD:
            return PlainTextResponse("Internal Server Error", 500)
        number = digits(str(given.get("check_id", "")).removeprefix(_BEFORE))
        status = await asyncio.to_thread(self._state, int(number or 0))
        if status is None:
            return sms_ru.refused(None, "Проверка не найдена")
        return JSONResponse({"status": "OK", "status_code": 100, "check_status": status, "check_status_text": ""})

    async def _wait(self, request: Request) -> Response:
        given = await parameters(request)
        sent = bearer(request) or f"{given.get('key', '')}.{given.get('service_id', '')}"
        if not same(sent, f"{self._settings.ucaller_key}.{self._settings.ucaller_service_id}"):
            return refused_key(Vendor.UCALLER)
        phone, url = magic.russian_mobile(digits(given.get("phone"))), str(given.get("callback_url", ""))
        if phone is None:
            return ucaller.refused(*magic.UCALLER_ERRORS["0009"])
        if not self._may_report_to(url):
            return ucaller.refused(4, "Неверный callback_url")
        broken = magic.broken_answer(phone)
        if broken is not None:
            return broken
        if phone[-4:] in magic.UCALLER_ERRORS:
            return ucaller.refused(*magic.UCALLER_ERRORS[phone[-4:]])
        wait = await asyncio.to_thread(self._keep, Vendor.UCALLER, phone, url)
        await magic.slow_down(phone, self._settings.slow_answer)
        return JSONResponse(
            {
                "status": True,
                "ucaller_id": wait,
                "phone": int(phone[1:]),
                "confirmation_number": NUMBERS[Vendor.UCALLER],
            }
        )

    def _may_report_to(self, url: str) -> bool:
        allowed = self._settings.callback_urls
        if not 0 < len(url) <= _LONGEST_URL:
            return False
        if allowed is not None:
            return url.rpartition("/")[0] in allowed
        try:
            return is_this_machine(urlsplit(url).hostname or "")
        except ValueError:
            return False

    def _keep(self, vendor: Vendor, phone: str, callback_url: str) -> int:
        with self._store.transaction() as sql:
            made = sql.execute(
                "INSERT INTO call_wait (vendor, phone, callback_url, at) VALUES (?, ?, ?, ?)",
                (vendor, phone, callback_url, time.time()),
            )
            self._store.keep_newest(sql, "call_wait")
            return int(made.lastrowid or 0)

    def _state(self, wait: int) -> str | None:
        with self._store.transaction() as sql:
            row = sql.execute(
                "SELECT at, called_at FROM call_wait WHERE id = ? AND vendor = ?", (wait, Vendor.SMS_RU)
            ).fetchone()
        if row is None:
            return None
        if row["called_at"] is not None:
            return "401"
        return "400" if time.time() < row["at"] + WAITS_FOR else "402"

    async def dial(self, caller: str | None, dialled: str) -> bool:
        """Call from a number (E.164; None: it is hidden) to another one. Returns whether the called number is a vendor's."""
        vendor = next((one for one, number in NUMBERS.items() if digits(dialled.removeprefix("+")) == number), None)
        if vendor is None:
            return False
        if caller is not None and magic.reachable(caller):
            for wait, url in await asyncio.to_thread(self._called, vendor, caller):
                await self._tell(vendor, wait, caller, url)
        return True

    def _called(self, vendor: Vendor, caller: str) -> list[tuple[int, str]]:
        now = time.time()
        with self._store.transaction() as sql:
            found = sql.execute(
                "UPDATE call_wait SET called_at = ? WHERE vendor = ? AND phone = ? AND called_at IS NULL AND at > ? "
                "RETURNING id, callback_url",
                (now, vendor, caller, now - WAITS_FOR),
            ).fetchall()
        return [(int(row["id"]), str(row["callback_url"])) for row in found]

    async def _tell(self, vendor: Vendor, wait: int, caller: str, url: str) -> None:
        fault = await asyncio.to_thread(self._faults.current, vendor)
        if fault is Fault.LOST:
            return
        forged = fault is Fault.FORGED
        if vendor is Vendor.SMS_RU:
            url, kind, taken = self._settings.sms_ru_report_url, "application/x-www-form-urlencoded", "100"
            body = signed_report("wrong" if forged else self._settings.sms_ru_api_id, f"{_BEFORE}{wait}", "401")
        else:
            url, kind, taken = f"{url}0" if forged else url, "application/json", ""
            body = json.dumps(_report(wait, caller, url))
        for _ in range((2 if fault is Fault.TWICE else 1) if url else 0):
            task = asyncio.create_task(self._post(url, kind, body, taken))
            self._posting.add(task)
            task.add_done_callback(self._posting.discard)

    async def _post(self, url: str, kind: str, body: str, taken: str) -> None:
        async with httpx.AsyncClient(trust_env=False, timeout=_ANSWER_WITHIN) as client:
            for attempt in range(_RETRIES + 1):
                await asyncio.sleep(self._settings.delivery_pace * attempt)
                try:
                    answer = await client.post(url, content=body.encode(), headers={"Content-Type": kind})
                except (httpx.HTTPError, httpx.InvalidURL, OSError):
                    continue
                if answer.status_code == 200 and taken in ("", answer.text):
                    return
        log.warning("a report of a call was not taken after %d retries", _RETRIES)


def signed_report(api_id: str, check_id: str, status: str) -> str:
    """The form that SMS.ru posts, with its hash."""
    data = f"callcheck_status\n{check_id}\n{status}\n{int(time.time())}"
    return urlencode({"data[0]": data, "hash": hashlib.sha256((api_id + data).encode()).hexdigest()})


def _report(wait: int, caller: str, url: str) -> dict[str, object]:
    return {
        "callId": str(wait),
        "callbackLink": url,
        "clientNumber": caller[1:],
        "confirmationNumber": NUMBERS[Vendor.UCALLER],
        "isMnp": False,
        "operatorName": "МТС",
        "operatorNameMnp": "",
        "regionName": "Москва",
    }
