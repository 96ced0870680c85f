"""Passwords tried: 5 in 15 minutes per account and network, 20 a minute per network, 1000 in 5 minutes over all."""

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

from medonline.bootstrap import Portal
from medonline.domain.errors import CodeMismatch, InvalidCredentials, LimitReached, SignInsOverloaded, TooManySignIns
from medonline.services.crypto.tokens import token_hash
from tests.services.limits.asking import ask, phone
from tests.services.world import (
    ANNA,
    CALL,
    KNOWN,
    OTHER_KNOWN,
    PASSWORD,
    UNKNOWN,
    MovableClock,
    last_code,
    opened,
    sign_in,
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
        await portal.login.log_in(ANNA, to, password, ip)
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
        await portal.login.log_in(ANNA, to, PASSWORD, IP)

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


async def test_a_network_may_try_twenty_passwords_a_minute(portal: Portal, clock: MovableClock) -> None:
    for number in range(20):
        assert await attempt(portal, phone(number)) == "InvalidCredentials"

    assert await attempt(portal, phone(20)) == "TooManySignIns"
    assert await attempt(portal, phone(20), OTHER_IP) == "InvalidCredentials"
    clock.move(seconds=61)
    assert await attempt(portal, phone(20)) == "InvalidCredentials"


async def test_over_all_a_thousand_passwords_may_be_tried_in_five_minutes(
    portal: Portal, clock: MovableClock, caplog: pytest.LogCaptureFixture
) -> None:
    outcomes = Counter([await attempt(portal, phone(n % 10_000), f"10.{n >> 8}.{n & 255}.1") for n in range(1000)])
    assert outcomes == {"InvalidCredentials": 1000}
    with pytest.raises(SignInsOverloaded) as refusal:
        await portal.login.log_in(ANNA, KNOWN, PASSWORD, OTHER_IP)

    assert refusal.value.resets_in == timedelta(minutes=5)
    assert caplog.text.count("ALARM the limit of sign-ins over all accounts is reached") == 1
    clock.move(minutes=5, seconds=1)
    assert await attempt(portal, KNOWN, OTHER_IP, PASSWORD) == "in"


async def test_fifty_passwords_at_once_are_five_tried(portal: Portal) -> None:
    outcomes = Counter(await asyncio.gather(*(attempt(portal) for _ in range(50))))

    assert outcomes == {"InvalidCredentials": 5, "TooManySignIns": 45}


async def test_a_raised_network_may_try_more_but_not_more_for_one_account(folder: Path, clock: MovableClock) -> None:
    changes: dict[str, Any] = {"raised_networks": "203.0.113.0/24", "raised_sign_ins_per_network": "30 per 1 min"}
    async with opened(folder, clock, **changes) as slow:
        portal = quick(slow)
        outcomes = Counter([await attempt(portal, phone(number)) for number in range(31)])
        assert outcomes == {"InvalidCredentials": 30, "TooManySignIns": 1}
        clock.move(minutes=2)
        assert Counter([await attempt(portal) for _ in range(6)])["TooManySignIns"] == 1


async def test_a_failed_recovery_locks_nobody_out(portal: Portal, clock: MovableClock) -> None:
    for _ in range(3):
        await portal.recovery.begin(ANNA, KNOWN, CALL, IP)
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
            await portal.sessions.prove_again(key, WRONG, IP)
    with pytest.raises(TooManySignIns):
        await portal.sessions.prove_again(key, PASSWORD, IP)

    await portal.sessions.prove_again(key, PASSWORD, OTHER_IP)


async def test_a_48_gets_sixteen_times_the_passwords_of_one_network_for_an_account(portal: Portal) -> None:
    tried = [await attempt(portal, ip=f"2001:db8:1:{number:x}00::1") for number in range(90)]
    of_another = await attempt(portal, ip="2001:db8:2::1")

    assert tried == ["InvalidCredentials"] * 80 + ["TooManySignIns"] * 10
    assert of_another == "InvalidCredentials"


async def test_a_48_gets_sixteen_times_the_passwords_of_one_network_a_minute(portal: Portal) -> None:
    numbers = [phone(number) for number in range(330)]
    tried = [await attempt(portal, to, f"2001:db8:1:{n % 256:x}00::{n:x}") for n, to in enumerate(numbers)]

    assert tried == ["InvalidCredentials"] * 320 + ["TooManySignIns"] * 10


async def test_the_right_password_forgives_the_whole_48_its_misses_for_this_account(portal: Portal) -> None:
    before = [await attempt(portal, ip=f"2001:db8:1:{number:x}00::1") for number in range(79)]
    assert await attempt(portal, ip="2001:db8:1:ff00::1", password=PASSWORD) == "in"
    after = [await attempt(portal, ip=f"2001:db8:1:{number:x}01::1") for number in range(79)]

    assert before == after == ["InvalidCredentials"] * 79
