"""What is in the journal, and a hand that changes it."""

from __future__ import annotations

from sqlmodel import col, select

from medonline.bootstrap import Portal
from medonline.domain.device import Device
from medonline.storage.tables.security_journal import JournalEntry

NEW_PASSWORD = "KorablLipa47"
PHONE_OF_ANNA = Device("Chrome, Android", "203.0.113.x")
SESSION_ROW = "medonline.sqlite3"


async def rows(portal: Portal) -> list[JournalEntry]:
    async with portal.database.reading() as session:
        return list((await session.exec(select(JournalEntry).order_by(col(JournalEntry.seq)))).all())


async def last(portal: Portal) -> int:
    return (await portal.journal_keeper.head()).seq


async def is_whole(portal: Portal) -> bool:
    return (await portal.journal_keeper.examine()).fault == ""
