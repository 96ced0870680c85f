"""What is forgotten, and not before its time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlmodel import Session, update

from medonline.bootstrap import Portal
from medonline.services.crypto.tokens import token_hash
from medonline.services.desk.retention import CODES_NEEDED_FOR, NOTICES_NEEDED_FOR
from medonline.services.notices.dispute_links import LINK_LIFE
from medonline.storage.queries import login, retention
from medonline.storage.queries.retention import Past
from medonline.storage.tables.login import AccountSession
from medonline.storage.tables.notices import Notice
from tests.services.desk.registering import register
from tests.services.outside import (
    OTHER_SNILS,
    VERA,
    ScriptedIdentity,
    arrive,
    changed_tables,
    dump,
    with_provider,
)
from tests.services.world import ANNA, BORIS, CALL, MovableClock, browser, opened, prove, sign_in


@pytest.fixture
async def portal(folder: Path, clock: MovableClock) -> AsyncIterator[Portal]:
    async with opened(folder, clock) as portal:
        yield with_provider(portal, ScriptedIdentity())


async def test_nothing_is_forgotten_before_its_time(portal: Portal, folder: Path, clock: MovableClock) -> None:
    await register(portal)
    await prove(portal, BORIS)
    await sign_in(portal, BORIS)
    before = dump(folder)
    clock.move(seconds=20)
    assert await portal.retention.forget() == {}
    assert dump(folder) == before
    clock.move(hours=20)

    assert await portal.retention.forget() == {}
    after = dump(folder)
    # Of the session that idled out only the provider's token goes (tests/services/login/test_provider_tokens.py).
    assert changed_tables(before, after) <= {"account_session", "login_ticket"}
    assert {name: len(rows) for name, rows in after.items()} == {name: len(rows) for name, rows in before.items()}


async def test_what_waits_for_minutes_is_gone_after_a_day_and_codes_after_a_month(
    portal: Portal, folder: Path, clock: MovableClock
) -> None:
    await register(portal)
    await arrive(portal, BORIS, person=replace(VERA, subject="1", snils=OTHER_SNILS, phone=""))
    await prove(portal, BORIS)
    clock.move(days=1, minutes=30)
    assert set(await portal.retention.forget()) == {"identity_journey", "pending_identity"}
    clock.move(seconds=CODES_NEEDED_FOR.total_seconds())
    assert set(await portal.retention.forget()) == {"one_time_code", "password_recovery"}
    clock.move(days=90)

    assert set(await portal.retention.forget()) == {"account_session"}
    kept = dump(folder)
    assert kept["patient"]
    assert kept["personal_data_consent"]
    assert kept["linked_identity"]


async def test_notices_that_limits_count_and_whose_links_live_are_kept_whatever_the_setting_says(
    folder: Path, clock: MovableClock
) -> None:
    async with opened(folder, clock, retention_notices="1 s") as portal:
        await prove(portal, ANNA)
        await portal.recovery.set_password(ANNA, "KorablLipa47")
        with portal.database.writing() as session:
            session.exec(update(Notice).values(due_at=None))
        clock.move(days=7)
        await portal.retention.forget()
        assert dump(folder)["notice"]
        clock.move(seconds=1)
        await portal.retention.forget()

        assert not dump(folder)["notice"]
    assert NOTICES_NEEDED_FOR == LINK_LIFE


async def test_codes_that_limits_look_back_at_are_kept_whatever_the_setting_says(
    folder: Path, clock: MovableClock
) -> None:
    async with opened(folder, clock, retention_codes="1 s") as portal:
        await prove(portal, ANNA)
        clock.move(days=30)
        await portal.retention.forget()

        assert dump(folder)["one_time_code"]


async def test_it_forgets_in_batches_and_patients_write_between_two(
    portal: Portal, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    codes = 5
    for number in range(codes):
        await portal.recovery.begin(browser(number), f"+7900000200{number}", CALL)
    clock.move(days=32)
    write, gone = retention.forget, []

    def counted(session: Session, past: Past, keys: list[str]) -> int:
        gone.append((past.name, write(session, past, keys)))
        return gone[-1][1]

    monkeypatch.setattr(retention, "forget", counted)

    assert await portal.retention.forget() == {"one_time_code": codes, "password_recovery": codes}
    assert gone == [("one_time_code", n) for n in (2, 2, 1)] + [("password_recovery", n) for n in (2, 2, 1)]


async def test_what_is_needed_again_meanwhile_is_kept(
    portal: Portal, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look and the deletion a row may change."""
    key = token_hash(await sign_in(portal, BORIS))
    clock.move(days=91)
    look = retention.found

    def looked_at_too_early(session: Session, past: Past) -> list[str]:
        found = look(session, past)
        if found == [key]:
            with portal.database.writing() as writing:
                login.record_seen(writing, key, clock.now)
        return found

    monkeypatch.setattr(retention, "found", looked_at_too_early)

    assert await portal.retention.forget() == {"login_ticket": 1}
    assert await portal.sessions.time_left(key) is None  # older than any session lives
    with portal.database.reading() as session:
        assert session.get(AccountSession, key) is not None
