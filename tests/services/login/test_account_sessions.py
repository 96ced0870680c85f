"""A patient's own sessions: seen, ended, prolonged and proved again by their owner only."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from sqlmodel import select

from medonline.bootstrap import Portal
from medonline.domain.device import Device
from medonline.domain.errors import InvalidCredentials, InvalidPassword, NotSignedIn
from medonline.domain.login import LoginMethod
from medonline.services.crypto.tokens import new_token, token_hash
from medonline.services.login.account_sessions import TimeLeft
from medonline.storage.tables.login import AccountSession
from medonline.storage.tables.patients import Patient
from tests.services.world import (
    ANNA,
    BORIS,
    KNOWN,
    OTHER_KNOWN,
    PASSWORD,
    MovableClock,
    sign_in,
    signed_in,
    statements,
    told_of,
    writes_in,
)

OTHER_PASSWORD = "Poliklinika7"
GARBAGE = ["", "%" * 16, "_" * 16, "0" * 16, "я" * 16, "x" * 64, "\x00" * 16, "' OR 1=1 --    "]


@dataclass(frozen=True)
class Signed:
    """Three browsers: two of Мария, one of Алексей."""

    mine: str
    mine_too: str
    strangers: str


@pytest.fixture
async def signed(portal: Portal, clock: MovableClock) -> Signed:
    mine = token_hash(await sign_in(portal, ANNA))
    clock.move(seconds=1)
    mine_too = token_hash(await sign_in(portal, BORIS))
    strangers = token_hash(await sign_in(portal, ANNA, OTHER_KNOWN, OTHER_PASSWORD))
    return Signed(mine, mine_too, strangers)


@pytest.fixture
def told(portal: Portal) -> list[str]:
    """The sessions whose sockets were to be closed."""
    return told_of(portal, "session")


async def numbers_of(portal: Portal, key: str) -> list[str]:
    return [view.number for view in await portal.sessions.everywhere(key)]


# --- the list ---------------------------------------------------------------------------------------------------


async def test_the_list_has_ones_own_sessions_the_one_used_last_first(
    portal: Portal, clock: MovableClock, signed: Signed
) -> None:
    clock.move(minutes=1)
    views = await portal.sessions.everywhere(signed.mine)

    assert [(view.number, view.mine) for view in views] == [(signed.mine[:16], True), (signed.mine_too[:16], False)]
    assert {view.method for view in views} == {LoginMethod.PASSWORD}
    assert views[0].last_seen_at == clock.now


async def test_a_session_shows_its_device_and_network(portal: Portal) -> None:
    ticket = await portal.login.log_in(ANNA, KNOWN, PASSWORD)
    opened = await portal.login.open_session(replace(ANNA, device=Device("Chrome, Windows", "203.0.113.x")), ticket)
    assert opened is not None

    (view,) = await portal.sessions.everywhere(token_hash(opened.token))
    assert (view.device, view.network) == ("Chrome, Windows", "203.0.113.x")


async def test_idle_old_and_ended_sessions_are_not_listed(portal: Portal, clock: MovableClock, signed: Signed) -> None:
    clock.move(minutes=29)
    await portal.sessions.required(signed.mine)
    clock.move(minutes=1)
    assert await numbers_of(portal, signed.mine) == [signed.mine[:16]]

    await portal.login.close_session(signed.mine)
    with pytest.raises(NotSignedIn):
        await portal.sessions.everywhere(signed.mine)


@pytest.mark.parametrize("key", ["", "x", pytest.param(token_hash(new_token()), id="made up")])
async def test_nobody_gets_no_list_and_ends_nothing(portal: Portal, signed: Signed, key: str) -> None:
    for attempt in (
        portal.sessions.everywhere(key),
        portal.sessions.end(key, signed.mine[:16]),
        portal.sessions.end_others(key),
        portal.sessions.prove_again(signed_in(key), PASSWORD),
        portal.sessions.required(key),
    ):
        with pytest.raises(NotSignedIn):
            await attempt

    assert len(await numbers_of(portal, signed.mine)) == 2


async def test_a_call_without_a_session_is_logged_without_a_word_of_the_caller(
    portal: Portal, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "medonline"), pytest.raises(NotSignedIn):
        await portal.sessions.required("canary")

    assert caplog.messages == ["A call without a live session was refused"]


# --- ending -----------------------------------------------------------------------------------------------------


async def test_one_session_is_ended_by_its_number_and_its_sockets_are_told(
    portal: Portal, signed: Signed, told: list[str]
) -> None:
    await portal.sessions.end(signed.mine, signed.mine_too[:16])

    assert told == [signed.mine_too]
    assert await portal.login.who(signed.mine_too) is None
    assert await portal.login.who(signed.mine) is not None


async def test_ones_own_session_can_be_ended_too(portal: Portal, signed: Signed) -> None:
    await portal.sessions.end(signed.mine, signed.mine[:16])

    assert await portal.login.who(signed.mine) is None
    assert await portal.login.who(signed.mine_too) is not None


async def test_a_strangers_session_is_not_ended_by_its_number(portal: Portal, signed: Signed, told: list[str]) -> None:
    await portal.sessions.end(signed.mine, signed.strangers[:16])

    assert told == []
    assert await portal.login.who(signed.strangers) is not None


@pytest.mark.parametrize("number", GARBAGE, ids=repr)
async def test_a_made_up_number_ends_nothing(portal: Portal, signed: Signed, told: list[str], number: str) -> None:
    await portal.sessions.end(signed.mine, number)

    assert told == []
    assert len(await numbers_of(portal, signed.mine)) == 2


async def test_a_part_of_a_number_ends_nothing(portal: Portal, signed: Signed, told: list[str]) -> None:
    for length in (1, 8, 15, 17, 64):
        await portal.sessions.end(signed.mine, signed.mine_too[:length])

    assert told == []


async def test_all_others_end_and_ones_own_stays(portal: Portal, signed: Signed, told: list[str]) -> None:
    assert await portal.sessions.end_others(signed.mine) == 1
    assert await portal.sessions.end_others(signed.mine) == 0

    assert told == [signed.mine_too]
    assert await portal.login.who(signed.mine) is not None
    assert await portal.login.who(signed.strangers) is not None


async def test_an_ended_session_is_never_open_again(portal: Portal, clock: MovableClock, signed: Signed) -> None:
    await portal.sessions.end(signed.mine, signed.mine_too[:16])
    clock.move(seconds=-5)

    assert await portal.sessions.extend(signed.mine_too) is None
    with pytest.raises(NotSignedIn):
        await portal.sessions.prove_again(signed_in(signed.mine_too), PASSWORD)
    assert await portal.login.who(signed.mine_too) is None


# --- the time that is left --------------------------------------------------------------------------------------


async def test_asking_for_the_time_left_does_not_prolong_it(
    portal: Portal, clock: MovableClock, signed: Signed
) -> None:
    clock.move(minutes=10)
    with statements(portal) as seen:
        left = [await portal.sessions.time_left(signed.mine_too) for _ in range(3)]

    assert set(left) == {TimeLeft(timedelta(minutes=20), timedelta(hours=11, minutes=50))}
    assert writes_in(seen) == []


async def test_staying_prolongs_the_idle_time_and_never_the_absolute_one(
    portal: Portal, clock: MovableClock, signed: Signed
) -> None:
    for _ in range(28):
        clock.move(minutes=25)
        left = await portal.sessions.extend(signed.mine_too)
        assert left is not None
        assert left.idle == timedelta(minutes=30)
    assert left.absolute == timedelta(minutes=20)
    clock.move(minutes=20)

    assert await portal.sessions.extend(signed.mine_too) is None
    assert await portal.sessions.time_left(signed.mine_too) is None


async def test_a_session_that_idled_out_cannot_be_prolonged(
    portal: Portal, clock: MovableClock, signed: Signed
) -> None:
    clock.move(minutes=30)

    assert await portal.sessions.extend(signed.mine_too) is None
    assert await portal.sessions.time_left(signed.mine_too) is None


async def test_nobody_has_no_time_left(portal: Portal) -> None:
    for key in ("", "x", new_token()):
        assert await portal.sessions.time_left(key) is None
        assert await portal.sessions.extend(key) is None


# --- proving again ----------------------------------------------------------------------------------------------


async def authenticated_at(portal: Portal, key: str) -> object:
    with portal.database.reading() as session:
        row = session.exec(select(AccountSession).where(AccountSession.token_hash == key)).one()
    return row.authenticated_at


async def test_the_password_proves_again_in_this_session_only(
    portal: Portal, clock: MovableClock, signed: Signed
) -> None:
    before = await authenticated_at(portal, signed.mine_too)
    clock.move(minutes=20)
    await portal.sessions.prove_again(signed_in(signed.mine), PASSWORD)

    assert await authenticated_at(portal, signed.mine) == clock.now
    assert await authenticated_at(portal, signed.mine_too) == before


@pytest.mark.parametrize(
    ("password", "refusal"),
    [
        ("", InvalidPassword),
        ("wrong", InvalidCredentials),
        (f"{PASSWORD}-", InvalidPassword),
        (f"{PASSWORD}x", InvalidCredentials),
        (OTHER_PASSWORD, InvalidCredentials),
        ("x" * 4096, InvalidCredentials),
    ],
    ids=lambda value: str(value)[:12],
)
async def test_anything_else_proves_nothing(
    portal: Portal, clock: MovableClock, signed: Signed, password: str, refusal: type[Exception]
) -> None:
    before = await authenticated_at(portal, signed.mine)
    clock.move(minutes=20)
    with pytest.raises(refusal):
        await portal.sessions.prove_again(signed_in(signed.mine), password)

    assert await authenticated_at(portal, signed.mine) == before


async def test_an_account_without_a_password_cannot_prove_by_one(portal: Portal, signed: Signed) -> None:
    with portal.database.writing() as session:
        patient = session.exec(select(Patient).where(Patient.phone == KNOWN)).one()
        patient.password_hash = None
        session.add(patient)

    with pytest.raises(InvalidCredentials):
        await portal.sessions.prove_again(signed_in(signed.mine), PASSWORD)
