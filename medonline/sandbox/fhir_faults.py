"""Faults of the registry of cards: one switch for everyone, kept in the sandbox's database, with a page of its own."""

from __future__ import annotations

import asyncio
import json
from enum import StrEnum
from html import escape
from string import Template
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from medonline.sandbox.store import Store

_SCHEMA = "CREATE TABLE IF NOT EXISTS fhir_setting (name TEXT PRIMARY KEY, value TEXT NOT NULL)"
_LONGEST_BODY = 1_000
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
    ),
    # With `no-referrer` a browser posts the form without its Origin, and the portal takes it for a foreign one.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
_PAGE = Template("""<!doctype html>
<html lang="ru">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>Неполадки реестра карт</title>
<link rel="icon" href="static/phone.svg" type="image/svg+xml">
<link rel="stylesheet" href="static/phone.css">
</head>
<body>
<aside class="banner" aria-label="Учебный стенд">Учебный стенд: настоящих медицинских карт здесь нет</aside>
<main>
<h1>Неполадки реестра карт</h1>
<form method="post" action="fhir-faults">
<fieldset>
<legend>Что происходит с реестром</legend>
$choices
</fieldset>
<p><button type="submit">Включить</button></p>
</form>
</main>
</body>
</html>
""")


class Fault(StrEnum):
    """What goes wrong."""

    NONE = "none"
    DOWN = "down"
    SLOW = "slow"
    HTML = "html"
    GARBAGE = "garbage"
    PART = "part"
    NULLS = "nulls"
    UNUSED = "unused"
    SPELLINGS = "spellings"
    REFERENCES = "references"
    INNER_HOST = "inner_host"
    GZIP = "gzip"


_LABELS = {
    Fault.NONE: "Всё работает",
    Fault.DOWN: "Не работает (503)",
    Fault.SLOW: "Отвечает слишком долго",
    Fault.HTML: "Отвечает страницей вместо данных",
    Fault.GARBAGE: "Отвечает негодными данными",
    Fault.PART: "В картах с чётным номером записи негодная дата рождения",
    Fault.NULLS: "Необязательные поля пусты: null и пустые строки",
    Fault.UNUSED: "Негодные значения в полях, которые порталу не нужны",
    Fault.SPELLINGS: "Имена, даты и телефоны записаны иначе",
    Fault.REFERENCES: "Поликлиники названы по urn:uuid",
    Fault.INNER_HOST: "По одной карте на странице, адреса внутренние",
    Fault.GZIP: "Ответы сжаты (gzip)",
}


class FhirFaults:
    """The switch. `current` and `switch` block as briefly as the store does."""

    def __init__(self, store: Store) -> None:
        self._store = store
        with store.transaction() as sql:
            sql.execute(_SCHEMA)

    def routes(self) -> list[Route]:
        """Relative to the sandbox."""
        return [
            Route("/fhir-faults", self._show, methods=["GET"]),
            Route("/fhir-faults", self._submit, methods=["POST"]),
            Route("/fhir-faults.json", self._tell, methods=["GET"]),
            Route("/fhir-faults.json", self._put, methods=["PUT"]),
        ]

    def current(self) -> Fault:
        """Which one is on."""
        with self._store.transaction() as sql:
            row = sql.execute("SELECT value FROM fhir_setting WHERE name = 'fault'").fetchone()
        return Fault(row["value"]) if row is not None else Fault.NONE

    def switch(self, fault: Fault) -> None:
        """Switch to another one."""
        with self._store.transaction() as sql:
            sql.execute("INSERT OR REPLACE INTO fhir_setting VALUES ('fault', ?)", (fault.value,))

    async def _show(self, request: Request) -> Response:
        current = await asyncio.to_thread(self.current)
        choices = "\n".join(
            f'<label><input type="radio" name="fault" value="{fault}"{" checked" if fault is current else ""}> '
            f"{escape(label)}</label>"
            for fault, label in _LABELS.items()
        )
        return HTMLResponse(_PAGE.substitute(choices=choices), headers=HEADERS)

    async def _submit(self, request: Request) -> Response:
        form = parse_qs((await request.body())[:_LONGEST_BODY].decode(errors="replace"))
        if not await self._switched(form.get("fault", [""])[0]):
            return HTMLResponse("Такой неполадки нет.", status_code=400, headers=HEADERS)
        return RedirectResponse("fhir-faults", status_code=303, headers=HEADERS)

    async def _tell(self, request: Request) -> Response:
        return JSONResponse({"fault": await asyncio.to_thread(self.current)}, headers=HEADERS)

    async def _put(self, request: Request) -> Response:
        try:
            sent = json.loads((await request.body())[:_LONGEST_BODY])
        except (ValueError, RecursionError):
            sent = None
        if not isinstance(sent, dict) or not await self._switched(sent.get("fault")):
            return JSONResponse({"error": f"fault: one of {', '.join(Fault)}"}, status_code=400, headers=HEADERS)
        return await self._tell(request)

    async def _switched(self, name: object) -> bool:
        if not isinstance(name, str) or name not in list(Fault):
            return False
        await asyncio.to_thread(self.switch, Fault(name))
        return True
