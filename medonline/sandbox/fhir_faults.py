"""Faults of the registry of cards: one switch, the same for everyone, kept in the sandbox's database, with its own page."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from enum import StrEnum

from medonline.sandbox.fault_page import FaultPage, group
from medonline.sandbox.store import Store

_SCHEMA = "CREATE TABLE IF NOT EXISTS fhir_setting (name TEXT PRIMARY KEY, value TEXT NOT NULL)"


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


class FhirFaults(FaultPage):
    """The switch. `current` and `switch` block for as long as a small SQLite transaction takes."""

    path = "fhir-faults"
    title = "Неполадки реестра карт"
    banner = "настоящих медицинских карт здесь нет"

    def __init__(self, store: Store) -> None:
        self._store = store
        store.add_tables(_SCHEMA)

    def current(self) -> Fault:
        """The fault that is switched on."""
        with self._store.transaction() as sql:
            row = sql.execute("SELECT value FROM fhir_setting WHERE name = 'fault'").fetchone()
        return Fault(row["value"]) if row is not None else Fault.NONE

    def switch(self, fault: Fault) -> None:
        """Switch to another fault."""
        with self._store.transaction() as sql:
            sql.execute("INSERT OR REPLACE INTO fhir_setting VALUES ('fault', ?)", (fault.value,))

    async def _groups(self) -> list[str]:
        current = await asyncio.to_thread(self.current)
        return [group("Что происходит с реестром", "fault", list(_LABELS.items()), current)]

    async def _on(self) -> Mapping[str, str]:
        return {"fault": await asyncio.to_thread(self.current)}

    async def _switched(self, sent: Mapping[str, object]) -> bool:
        name = sent.get("fault")
        if not isinstance(name, str) or name not in list(Fault):
            return False
        await asyncio.to_thread(self.switch, Fault(name))
        return True

    def _wanted(self) -> str:
        return f"fault: one of {', '.join(Fault)}"
