"""Texts that no database takes, for the tests of both."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from sqlmodel import Session

from medonline.bootstrap import Portal
from medonline.storage.queries import account_settings, patients
from medonline.storage.tables.patients import Patient

UNUSABLE = ["\x00", "Ан\x00на", "\ud800", "Анна\udfff\x00"]


async def check_unusable_text(portal: Portal, sent: str) -> None:
    """What a browser sent names no row, and what is kept of it can be read, found and changed."""
    kept = re.sub("[\x00\ud800-\udfff]", "\ufffd", sent)

    def add(session: Session) -> str:
        at = datetime(2026, 3, 1, tzinfo=UTC)
        session.add(made := Patient(phone="+79000003777", last_name=sent, first_name="Анна", created_at=at))
        session.flush()
        account_settings.set_columns(session, made.id, {"patronymic": sent})
        return made.id

    assert await portal.database.read(patients.by_phone, sent) is None
    assert await portal.database.write(patients.held, [sent, "x"]) == {}
    made = await portal.database.write(add)
    found = await portal.database.read(lambda session: session.get_one(Patient, made))
    assert (found.last_name, found.patronymic) == (kept, kept)
