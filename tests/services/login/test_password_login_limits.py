"""Wrong passwords: 5 in 15 minutes per account and network, 60 a minute and 600 an hour per network, 1000 in 5 minutes over all."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from medonline.bootstrap import Portal
from medonline.domain.errors import (
    Busy,
    CodeMismatch,
    InvalidCredentials,
    LimitReached,
    SignInsOverloaded,
    TooManySignIns,
)
from medonline.services.crypto.tokens import token_hash
from medonline.storage.queries import patients
from medonline.storage.tables.patients import Patient
from tests.services.limits.asking import ask, phone
from tests.services.world import (
    ANNA,
    BORIS,
    CALL,
    KNOWN,
    OTHER_KNOWN,
    PASSWORD,
    UNKNOWN,
    MovableClock,
    at,
    last_code,
    opened,
    patient_with,
    sign_in,
    signed_in,
    statements,
    wrong,
)

WRONG = "Nevernyy123"
IP, OTHER_IP = "203.0.113.7", "198.51.100.9"


class QuickVerifier:
    """Knows one password; no Argon2 where a test tries a thousand."""

    async def hash(self, password: str) -> str:
        return password

    async def verify(self, encoded: str | None, password: str) -> bool:
        return encoded is not None and password == PASSWORD

    def is_outdated(self, encoded: str) -> bool:
        return False


def quick(portal: Portal) -> Portal:
    return replace(portal, login=replace(portal.login, verifier=QuickVerifier()))


@pytest.fixture
async def portal(folder: Path, clock: MovableClock) -> AsyncIterator[Portal]:
    async with opened(folder, clock) as portal:
        yield quick(portal)


async def attempt(portal: Portal, to: str = KNOWN, ip: str = IP, password: str = WRONG) -> str:
    try:
        await portal.login.log_in(at(ANNA, ip), to, password)
    except (InvalidCredentials, LimitReached) as refusal:
        return type(refusal).__name__
    return "in"


@pytest.mark.parametrize("to", [KNOWN, UNKNOWN])
async def test_the_sixth_password_for_an_account_from_one_network_waits(
    portal: Portal, clock: MovableClock, to: str
) -> None:
    for _ in range(5):
        assert await attempt(portal, to) == "InvalidCredentials"
        clock.move(minutes=1)
    with pytest.raises(TooManySignIns) as refusal:
        await portal.login.log_in(at(ANNA, IP), to, PASSWORD)

    assert refusal.value.resets_in == timedelta(minutes=10)
    assert await attempt(portal, to, OTHER_IP) == "InvalidCredentials"
    assert await attempt(portal, OTHER_KNOWN) == "InvalidCredentials"
    clock.now = refusal.value.until - timedelta(seconds=1)
    assert await attempt(portal, to) == "TooManySignIns"
    clock.now = refusal.value.until + timedelta(seconds=1)
    assert await attempt(portal, to) == "InvalidCredentials"


async def test_a_limit_that_refuses_is_logged_without_whose_it_is(
    portal: Portal, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "medonline"):
        for _ in range(6):
            await attempt(portal)

    assert caplog.messages == ["A limit is reached: TooManySignIns"]


async def test_the_right_password_forgives_the_wrong_ones_before_it(portal: Portal) -> None:
    for _ in range(3):
        assert [await attempt(portal) for _ in range(4)] == ["InvalidCredentials"] * 4
        assert await attempt(portal, password=PASSWORD) == "in"


async def test_a_right_password_elsewhere_forgives_nothing_here(portal: Portal) -> None:
    for _ in range(5):
        await attempt(portal)
    assert await attempt(portal, ip=OTHER_IP, password=PASSWORD) == "in"

    assert await attempt(portal, password=PASSWORD) == "TooManySignIns"


async def test_a_network_may_try_sixty_wrong_passwords_a_minute(portal: Portal, clock: MovableClock) -> None:
    for number in range(60):
        assert await attempt(portal, phone(number)) == "InvalidCredentials"

    assert await attempt(portal, phone(60)) == "TooManySignIns"
    assert await attempt(portal, phone(60), OTHER_IP) == "InvalidCredentials"
    clock.move(seconds=61)
    assert await attempt(portal, phone(60)) == "InvalidCredentials"


async def test_a_network_may_try_six_hundred_wrong_passwords_an_hour(portal: Portal, clock: MovableClock) -> None:
    for number in range(600):
        assert await attempt(portal, phone(number)) == "InvalidCredentials"
        clock.move(seconds=2)

    with pytest.raises(TooManySignIns) as refusal:
        await portal.login.log_in(at(ANNA, IP), phone(600), WRONG)
    assert abs(refusal.value.resets_in - timedelta(minutes=40)) < timedelta(seconds=1)


async def test_right_passwords_take_no_place_and_wash_nothing(folder: Path, clock: MovableClock) -> None:
    """However many patients of one address sign in; and an attacker's own account gives back nothing but its own misses."""
    many = {"wrong_passwords_per_network": "10 per 1 h", "sessions_per_account": "1000 per 1 h"}
    async with opened(folder, clock, **many) as slow:
        portal = quick(slow)
        assert {await attempt(portal, password=PASSWORD) for _ in range(100)} == {"in"}
        for number in range(9):
            assert await attempt(portal, phone(number)) == "InvalidCredentials"
            assert await attempt(portal, password=PASSWORD) == "in"
        assert await attempt(portal, KNOWN) == "InvalidCredentials"
        assert await attempt(portal, password=PASSWORD) == "TooManySignIns"
        assert await attempt(portal, phone(50)) == "TooManySignIns"


async def test_a_password_that_was_not_verified_costs_no_place(portal: Portal) -> None:
    class Full(QuickVerifier):
        async def verify(self, encoded: str | None, password: str) -> bool:
            raise Busy(timedelta(seconds=2))

    full = replace(portal, login=replace(portal.login, verifier=Full()))
    for _ in range(20):
        with pytest.raises(Busy):
            await full.login.log_in(at(ANNA, IP), KNOWN, WRONG)

    assert [await attempt(portal) for _ in range(6)] == ["InvalidCredentials"] * 5 + ["TooManySignIns"]


async def test_an_attempt_counts_as_a_wrong_one_until_it_is_verified(portal: Portal) -> None:
    """Of passwords that are verified at the same moment no more pass than one after the other, the right one among them or not."""
    go_on = asyncio.Event()

    class Slow(QuickVerifier):
        async def verify(self, encoded: str | None, password: str) -> bool:
            await go_on.wait()
            return await super().verify(encoded, password)

    slow = replace(portal, login=replace(portal.login, verifier=Slow()))
    trying = [asyncio.ensure_future(attempt(slow, password=PASSWORD if n == 2 else WRONG)) for n in range(8)]
    for one in trying[5:]:
        assert await one == "TooManySignIns"
    go_on.set()

    assert Counter(await asyncio.gather(*trying)) == {"in": 1, "InvalidCredentials": 4, "TooManySignIns": 3}


async def test_over_all_a_thousand_wrong_passwords_may_be_tried_in_five_minutes(
    portal: Portal, clock: MovableClock, caplog: pytest.LogCaptureFixture
) -> None:
    outcomes = Counter([await attempt(portal, phone(n % 10_000), f"10.{n >> 8}.{n & 255}.1") for n in range(1000)])
    assert outcomes == {"InvalidCredentials": 1000}
    with pytest.raises(SignInsOverloaded) as refusal:
        await portal.login.log_in(at(ANNA, OTHER_IP), KNOWN, PASSWORD)

    assert refusal.value.resets_in == timedelta(minutes=5)
    assert (
        caplog.text.count("ALARM sign-ins-overloaded: the limit of wrong passwords over all accounts is reached") == 1
    )
    clock.move(minutes=5, seconds=1)
    assert await attempt(portal, KNOWN, OTHER_IP, PASSWORD) == "in"


async def test_fifty_passwords_at_once_are_five_tried(portal: Portal) -> None:
    outcomes = Counter(await asyncio.gather(*(attempt(portal) for _ in range(50))))

    assert outcomes == {"InvalidCredentials": 5, "TooManySignIns": 45}


async def test_a_raised_network_may_try_more_but_not_more_for_one_account(folder: Path, clock: MovableClock) -> None:
    changes: dict[str, Any] = {
        "raised_networks": "203.0.113.0/24",
        "raised_wrong_passwords_per_network": "30 per 1 min",
    }
    async with opened(folder, clock, **changes) as slow:
        portal = quick(slow)
        outcomes = Counter([await attempt(portal, phone(number)) for number in range(31)])
        assert outcomes == {"InvalidCredentials": 30, "TooManySignIns": 1}
        clock.move(minutes=2)
        assert Counter([await attempt(portal) for _ in range(6)])["TooManySignIns"] == 1


async def test_a_failed_recovery_locks_nobody_out(portal: Portal, clock: MovableClock) -> None:
    for _ in range(3):
        await portal.recovery.begin(at(ANNA, IP), KNOWN, CALL)
        code = await last_code(portal)
        for by in range(1, 4):
            with pytest.raises(CodeMismatch):
                await portal.recovery.confirm_code(ANNA, wrong(code, by))
        clock.move(minutes=6)
    assert await ask(portal, KNOWN, IP) == "TooManyCodes"

    assert await attempt(portal, password=PASSWORD) == "in"


async def test_proving_again_who_one_is_knows_the_same_limit(portal: Portal) -> None:
    key = token_hash(await sign_in(portal, ANNA))
    for _ in range(5):
        with pytest.raises(InvalidCredentials):
            await portal.sessions.prove_again(signed_in(key, IP), WRONG)
    with pytest.raises(TooManySignIns):
        await portal.sessions.prove_again(signed_in(key, IP), PASSWORD)

    await portal.sessions.prove_again(signed_in(key, OTHER_IP), PASSWORD)


async def test_a_stolen_session_does_not_guess_the_password_from_network_after_network(portal: Portal) -> None:
    key, other = [token_hash(await sign_in(portal, visitor)) for visitor in (ANNA, BORIS)]

    async def prove(session_key: str, ip: str, password: str = WRONG) -> str:
        try:
            await portal.sessions.prove_again(signed_in(session_key, ip), password)
        except (InvalidCredentials, TooManySignIns) as refusal:
            return type(refusal).__name__
        return "proved"

    tried = [await prove(key, f"10.0.0.{number // 5}") for number in range(50)]
    assert tried == ["InvalidCredentials"] * 15 + ["TooManySignIns"] * 35
    assert await prove(key, OTHER_IP, PASSWORD) == "TooManySignIns"
    assert await prove(other, OTHER_IP, PASSWORD) == "proved"  # the owner's own session


async def test_a_48_gets_sixteen_times_the_passwords_of_one_network_for_an_account(portal: Portal) -> None:
    tried = [await attempt(portal, ip=f"2001:db8:1:{number:x}00::1") for number in range(90)]
    of_another = await attempt(portal, ip="2001:db8:2::1")

    assert tried == ["InvalidCredentials"] * 80 + ["TooManySignIns"] * 10
    assert of_another == "InvalidCredentials"


async def test_a_48_gets_sixteen_times_the_passwords_of_one_network_a_minute(folder: Path, clock: MovableClock) -> None:
    async with opened(folder, clock, wrong_passwords_in_all="10000 per 5 min") as slow:
        portal = quick(slow)
        numbers = [phone(number) for number in range(970)]
        tried = [await attempt(portal, to, f"2001:db8:1:{n % 256:x}00::{n:x}") for n, to in enumerate(numbers)]

    assert tried == ["InvalidCredentials"] * 960 + ["TooManySignIns"] * 10


async def test_a_48_uses_up_a_quarter_of_what_all_may_try(portal: Portal) -> None:
    tried = [await attempt(portal, phone(n), f"2001:db8:1:{n % 256:x}00::{n:x}") for n in range(300)]
    of_another = [await attempt(portal, phone(n), f"2001:db8:2:{n % 256:x}00::{n:x}") for n in range(300)]

    assert tried == of_another == ["InvalidCredentials"] * 250 + ["TooManySignIns"] * 50
    assert await attempt(portal, password=PASSWORD) == "in"


async def test_the_right_password_forgives_the_whole_48_its_misses_for_this_account(portal: Portal) -> None:
    before = [await attempt(portal, ip=f"2001:db8:1:{number:x}00::1") for number in range(79)]
    assert await attempt(portal, ip="2001:db8:1:ff00::1", password=PASSWORD) == "in"
    after = [await attempt(portal, ip=f"2001:db8:1:{number:x}01::1") for number in range(79)]

    assert before == after == ["InvalidCredentials"] * 79


# --- browsers that signed in before ----------------------------------------------------------------------------------


async def marks_of(portal: Portal, to: str = KNOWN) -> str:
    """What a browser has after a sign-in."""
    opened = await portal.login.open_session(ANNA, await portal.login.log_in(at(ANNA, OTHER_IP), to, PASSWORD))
    assert opened is not None
    return opened.marks


async def tried(portal: Portal, marks: str, password: str = PASSWORD, to: str = KNOWN, ip: str = IP) -> str:
    try:
        await portal.login.log_in(replace(BORIS, address=ip, marks=marks), to, password)
    except (InvalidCredentials, LimitReached) as refusal:
        return type(refusal).__name__
    return "in"


@pytest.fixture
async def besieged(folder: Path, clock: MovableClock) -> AsyncIterator[tuple[Portal, str]]:
    """Strangers have used up what all may try, what the network may and what it may for this account; a browser from before."""
    async with opened(
        folder, clock, wrong_passwords_in_all="10 per 5 min", wrong_passwords_per_network="8 per 1 h"
    ) as slow:
        portal = quick(slow)
        marks = await marks_of(portal)
        assert [await attempt(portal) for _ in range(5)] == ["InvalidCredentials"] * 5
        assert [await attempt(portal, phone(number)) for number in range(3)] == ["InvalidCredentials"] * 3
        assert [await attempt(portal, phone(number), OTHER_IP) for number in range(2)] == ["InvalidCredentials"] * 2
        yield portal, marks


async def test_a_browser_that_signed_in_before_is_not_held_back_by_strangers(besieged: tuple[Portal, str]) -> None:
    portal, marks = besieged

    assert await tried(portal, "") in ("SignInsOverloaded", "TooManySignIns")
    assert await tried(portal, marks) == "in"
    assert await tried(portal, marks, to=OTHER_KNOWN) in ("SignInsOverloaded", "TooManySignIns")  # of one account alone
    assert await tried(portal, marks, to=UNKNOWN) in ("SignInsOverloaded", "TooManySignIns")


async def test_a_known_browser_has_a_counter_of_its_own(besieged: tuple[Portal, str], clock: MovableClock) -> None:
    portal, marks = besieged
    tries = [await tried(portal, marks, WRONG, ip=f"10.0.0.{number}") for number in range(6)]

    assert tries == ["InvalidCredentials"] * 5 + ["TooManySignIns"]  # from wherever it goes
    clock.move(minutes=15, seconds=1)
    assert [await tried(portal, marks, WRONG) for _ in range(4)] == ["InvalidCredentials"] * 4
    assert await tried(portal, marks) == "in"
    assert [await tried(portal, marks, WRONG) for _ in range(5)] == ["InvalidCredentials"] * 5


async def test_a_known_browser_uses_nothing_up_for_others(portal: Portal) -> None:
    marks = await marks_of(portal)
    assert [await tried(portal, marks, WRONG) for _ in range(5)] == ["InvalidCredentials"] * 5

    assert await attempt(portal, password=PASSWORD) == "in"


async def test_a_mark_ends_with_the_password_and_after_half_a_year(
    besieged: tuple[Portal, str], clock: MovableClock
) -> None:
    portal, marks = besieged
    refused = ("SignInsOverloaded", "TooManySignIns")
    assert await tried(portal, marks[:-1] + ("0" if marks[-1] != "0" else "1")) in refused
    assert await tried(portal, "x" * 100_000) in refused
    patient = await patient_with(portal)
    await portal.database.write(patients.set_password, patient.id, patient.password_hash, clock.now)
    assert await tried(portal, marks) in refused


async def test_a_mark_is_of_no_use_for_the_account_that_gets_the_number_next(
    besieged: tuple[Portal, str], clock: MovableClock
) -> None:
    portal, marks = besieged
    with portal.database.writing() as session:
        before = session.exec(select(Patient).where(Patient.phone == KNOWN)).one()
        before.phone, hashed = None, before.password_hash
        session.add(before)
        session.flush()
        session.add(Patient(phone=KNOWN, password_hash=hashed, last_name="Н", first_name="Н", created_at=clock.now))

    assert await tried(portal, marks) in ("SignInsOverloaded", "TooManySignIns")


async def test_the_mark_of_an_account_says_nothing_of_whose_it_is(portal: Portal) -> None:
    one, other = await marks_of(portal), await marks_of(portal)

    assert one != other
    assert KNOWN[1:] not in one
    assert (await patient_with(portal)).id not in one


async def test_known_and_unknown_numbers_are_looked_up_alike(portal: Portal) -> None:
    marks = await marks_of(portal)
    seen = []
    for to in (OTHER_KNOWN, UNKNOWN):
        with statements(portal) as asked:
            assert await tried(portal, marks, WRONG, to) == "InvalidCredentials"
        seen.append([text for text in asked if not text.startswith(("BEGIN", "PRAGMA"))])

    assert seen[0] == seen[1]


async def test_who_is_signed_in_is_not_held_back_by_strangers(besieged: tuple[Portal, str]) -> None:
    portal, marks = besieged
    opened_session = await portal.login.open_session(
        BORIS, await portal.login.log_in(replace(BORIS, address=IP, marks=marks), KNOWN, PASSWORD)
    )
    assert opened_session is not None

    await portal.sessions.prove_again(signed_in(token_hash(opened_session.token), "198.51.100.77"), PASSWORD)


async def test_a_closed_network_is_told_of_without_an_account_and_without_a_try(
    portal: Portal, clock: MovableClock
) -> None:
    assert await portal.login.closed(at(ANNA, IP)) is None
    for number in range(60):
        await attempt(portal, phone(number))

    for _ in range(3):
        closed = await portal.login.closed(at(ANNA, IP))
        assert isinstance(closed, TooManySignIns)
        assert closed.until == clock.now + timedelta(minutes=1)
    assert await portal.login.closed(at(ANNA, OTHER_IP)) is None
    clock.move(seconds=61)
    assert await portal.login.closed(at(ANNA, IP)) is None
