"""How often an account may do what is kept or told: the same checks over SQLite and over PostgreSQL."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlmodel import col, select

from medonline.bootstrap import Portal
from medonline.domain.errors import LimitReached, NoticesOverBudget, SignedInTooOften
from medonline.domain.limits import Limit
from medonline.domain.security_journal import JournalEvent
from medonline.services.account_settings.form import SettingsForm
from medonline.services.crypto.tokens import token_hash
from medonline.services.limits.budgets import NOTICE, Budget, Spending, billing_day
from medonline.services.notices.sender import NoticeService
from medonline.services.notices.texts import About, Text, Told
from medonline.services.security_journal.account_pace import AccountPace, Act
from medonline.storage.queries import limits
from medonline.storage.tables.notices import Notice
from medonline.storage.tables.security_journal import JournalEntry
from medonline.wording import notices as wording
from tests.services.notices.phone import Phone
from tests.services.world import (
    ANNA,
    CALL,
    KNOWN,
    PASSWORD,
    MovableClock,
    browser,
    patient_with,
    settled,
    sign_in,
    signed_in,
)

HOUR = timedelta(hours=1)
SIGN_INS, PROOFS, CHANGES = 3, 2, 4  # an hour
FORM = SettingsForm(KNOWN, "", "Иванова", "Мария", "", "")


def paced(portal: Portal, sign_ins: int = SIGN_INS, proofs: int = PROOFS, changes: int = CHANGES) -> Portal:
    """The same portal with so many sign-ins, proofs and changes an hour for each account."""
    counts = {Act.SIGN_IN: sign_ins, Act.PROOF: proofs, Act.SAVE: changes}
    pace = AccountPace({act: (Limit(count, HOUR),) for act, count in counts.items()})
    login = replace(portal.login, pace=pace)
    sessions = replace(portal.sessions, login=login)
    return replace(
        portal,
        login=login,
        sessions=sessions,
        settings=replace(portal.settings, pace=pace, sessions=sessions),
        identity=replace(portal.identity, pace=pace),
        answers=replace(portal.answers, login=login),
    )


async def outcome(of: Awaitable[object]) -> str:
    """«done», or the name of the limit that stood in the way."""
    try:
        await of
    except LimitReached as refusal:
        return type(refusal).__name__
    return "done"


async def events_of(portal: Portal) -> Counter[str]:
    with portal.database.reading() as session:
        return Counter(session.exec(select(JournalEntry.event)).all())


async def notices_of(portal: Portal) -> Sequence[Notice]:
    with portal.database.reading() as session:
        return session.exec(select(Notice).order_by(col(Notice.created_at))).all()


async def spent_on_notices(portal: Portal, at: datetime) -> int:
    with portal.database.reading() as session:
        return limits.spent(session, billing_day(at)).get(NOTICE, 0)


async def of_ten_tickets_at_once_three_open_a_session(portal: Portal) -> None:
    portal = paced(portal)
    visitors = [browser(number) for number in range(10)]
    tickets = [await portal.login.log_in(visitor, KNOWN, PASSWORD) for visitor in visitors]
    opened = await asyncio.gather(*map(portal.login.open_session, visitors, tickets))

    assert sum(one is not None for one in opened) == SIGN_INS
    assert (await events_of(portal))[JournalEvent.SIGNED_IN] == SIGN_INS
    with pytest.raises(SignedInTooOften):
        await portal.login.log_in(ANNA, KNOWN, PASSWORD)


async def of_ten_proofs_at_once_two_are_written_down(portal: Portal) -> None:
    portal = paced(portal)
    key = token_hash(await sign_in(portal, ANNA))
    # One after another until the hash is verified, at once where it is written.
    outcomes = Counter(
        await asyncio.gather(
            *(outcome(portal.sessions.prove_again(signed_in(key), PASSWORD)) for _ in range(PROOFS + 3))
        )
    )

    assert outcomes == {"done": PROOFS, "ProvedTooOften": 3}
    assert (await events_of(portal))[JournalEvent.REAUTHENTICATED] == PROOFS


async def of_ten_saves_at_once_four_are_saved(portal: Portal) -> None:
    portal = paced(portal)
    key = token_hash(await sign_in(portal, ANNA))
    forms = [replace(FORM, email=f"maria{number}@example.ru") for number in range(10)]
    outcomes = Counter(
        await asyncio.gather(*(outcome(portal.settings.save(signed_in(key), form, CALL)) for form in forms))
    )

    assert outcomes == {"done": CHANGES, "SettingsSavedTooOften": 10 - CHANGES}
    assert (await events_of(portal))[JournalEvent.EMAIL_CHANGED] == CHANGES


async def no_password_of_twenty_at_once_is_changed_untold(portal: Portal) -> None:
    portal = paced(portal, changes=1000)
    key = token_hash(await sign_in(portal, ANNA))
    passwords = [f"KorablLipa{number}" for number in range(20)]
    forms = [replace(FORM, password=one, password_confirmation=one) for one in passwords]
    outcomes = Counter(
        await asyncio.gather(*(outcome(portal.settings.save(signed_in(key), form, CALL)) for form in forms))
    )

    assert outcomes == {"done": 6, "ToldTooOften": 14}
    assert (await events_of(portal))[JournalEvent.PASSWORD_CHANGED] == 6
    assert [(row.phone, row.about) for row in await notices_of(portal)] == [(KNOWN, About.PASSWORD)] * 6


async def fifty_notices_at_once_spend_the_cap_and_no_kopeck_more(portal: Portal) -> None:
    """And what comes after a code waits for the next day's money instead of being lost."""
    clock, phone = portal.clock, Phone()
    assert isinstance(clock, MovableClock)
    patient, day = await patient_with(portal), clock.now
    service = NoticeService(
        portal.database, clock, phone, wording, None, Spending({NOTICE: Budget(price=100, cap=1000)}, portal.alarms)
    )

    async def put(about: About) -> str:
        try:
            with portal.database.writing() as session:
                service.put(session, patient.id, Told(KNOWN, about, Text.PHONE_CHANGED))
        except NoticesOverBudget as refusal:
            assert refusal.until > clock.now
            return "refused"
        return "put"

    asked = Counter(await asyncio.gather(*(put(About.CARD_ASKED) for _ in range(20))))
    changes = Counter(await asyncio.gather(*(put(About.CARD_GRANTED) for _ in range(20))))
    recoveries = Counter(await asyncio.gather(*(put(About.RECOVERED) for _ in range(10))))
    assert (asked, changes) == ({"put": 20}, {"put": 3, "refused": 17})
    assert recoveries == {"put": 10}
    kept = Counter(row.about for row in await notices_of(portal))
    assert kept == {About.CARD_ASKED: 5, About.CARD_GRANTED: 3, About.RECOVERED: 10}
    for _ in range(5):
        await service.outbox.turn()
        await settled(service.outbox)
    assert (len(phone.asked), await spent_on_notices(portal, day)) == (10, 1000)

    clock.now = max(row.due_at for row in await notices_of(portal) if row.due_at)
    assert clock.now - day < timedelta(days=1)
    for _ in range(5):
        await service.outbox.turn()
        await settled(service.outbox)
    assert (len(phone.asked), await spent_on_notices(portal, clock.now)) == (18, 800)
    assert await spent_on_notices(portal, day) == 1000


CHECKS = [
    of_ten_tickets_at_once_three_open_a_session,
    of_ten_proofs_at_once_two_are_written_down,
    of_ten_saves_at_once_four_are_saved,
    no_password_of_twenty_at_once_is_changed_untold,
    fifty_notices_at_once_spend_the_cap_and_no_kopeck_more,
]
