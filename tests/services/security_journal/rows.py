"""What is in the journal, and hands that change and fill it."""

from __future__ import annotations

from sqlmodel import col, select

from medonline.bootstrap import Portal
from medonline.domain.device import Device
from medonline.domain.security_journal import JournalEvent
from medonline.services.limits.networks import cut
from medonline.services.security_journal.writer import JournalNote
from medonline.storage.tables.security_journal import JournalEntry
from tests.services.world import KNOWN

STRANGER = "198.51.100.7"
NEW_PASSWORD = "KorablLipa47"
PHONE_OF_ANNA = Device("Chrome, Android", "203.0.113.x")


async def rows(portal: Portal) -> list[JournalEntry]:
    with portal.database.reading() as session:
        return list(session.exec(select(JournalEntry).order_by(col(JournalEntry.seq))).all())


async def last(portal: Portal) -> int:
    return (await portal.journal_keeper.head()).seq


async def is_whole(portal: Portal) -> bool:
    return (await portal.journal_keeper.examine()).fault == ""


async def fill(portal: Portal, count: int, *events: JournalEvent, patient_id: str = "") -> None:
    """So many rows about KNOWN, as before runs were counted: the events take turns."""
    with portal.database.writing() as session:
        notes = [
            JournalNote(
                events[number % len(events)],
                patient_id,
                "" if patient_id else KNOWN,
                device=Device(network=cut(STRANGER)),
            )
            for number in range(count)
        ]
        portal.login.journal.note(session, *notes)
