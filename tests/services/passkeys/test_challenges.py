"""What a device signs: once, in time, in its own browser, for its purpose; so many and no more."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from medonline.bootstrap import Portal
from medonline.domain.client import Client
from medonline.domain.errors import (
    CookiesMissing,
    PasskeyLate,
    PasskeyNotVerified,
    PasskeysOff,
)
from medonline.domain.passkeys import PasskeyPurpose
from medonline.storage.tables.passkeys import PasskeyChallenge
from tests.services.passkeys.device import Device
from tests.services.passkeys.owners import nobody_is_on_the_way, signed_in
from tests.services.world import (
    ANNA,
    BORIS,
    OTHER_KNOWN,
    MovableClock,
    opened,
)

SIGN_IN, RECOVERY = PasskeyPurpose.SIGN_IN, PasskeyPurpose.RECOVERY


async def test_an_answer_is_good_once(portal: Portal, owned: Device) -> None:
    answer = owned.sign(await portal.passkeys.login.begin(ANNA, SIGN_IN))
    done = await asyncio.gather(
        *(portal.passkeys.login.log_in(ANNA, SIGN_IN, answer) for _ in range(10)), return_exceptions=True
    )

    assert sorted(type(one).__name__ for one in done) == ["PasskeyLate"] * 9 + ["str"]


@pytest.mark.parametrize(("seconds", "good"), [(299, True), (300, False), (3600, False)])
async def test_a_challenge_lives_for_five_minutes(
    portal: Portal, clock: MovableClock, owned: Device, seconds: int, good: bool
) -> None:
    answer = owned.sign(await portal.passkeys.login.begin(ANNA, SIGN_IN))
    clock.move(seconds=seconds)
    if good:
        assert await portal.passkeys.login.log_in(ANNA, SIGN_IN, answer)
        return
    with pytest.raises(PasskeyLate):
        await portal.passkeys.login.log_in(ANNA, SIGN_IN, answer)
    await nobody_is_on_the_way(portal)


async def test_a_challenge_belongs_to_its_browser_and_a_thief_does_not_spoil_it(portal: Portal, owned: Device) -> None:
    answer = owned.sign(await portal.passkeys.login.begin(ANNA, SIGN_IN))

    for thief in (BORIS, Client()):
        with pytest.raises(PasskeyLate):
            await portal.passkeys.login.log_in(thief, SIGN_IN, answer)
    assert await portal.passkeys.login.log_in(ANNA, SIGN_IN, answer)


async def test_a_challenge_is_for_its_purpose(portal: Portal, owned: Device) -> None:
    asked = await portal.passkeys.login.begin(ANNA, SIGN_IN)
    with pytest.raises(PasskeyLate):
        await portal.passkeys.login.log_in(ANNA, RECOVERY, owned.sign(asked))

    inside = await signed_in(portal, ANNA, OTHER_KNOWN)
    to_add = await portal.passkeys.own.begin(inside)
    with pytest.raises(PasskeyLate):
        await portal.passkeys.login.log_in(inside, SIGN_IN, owned.sign(to_add))
    await nobody_is_on_the_way(portal)


async def test_a_challenge_that_was_answered_wrongly_is_used_up(portal: Portal, owned: Device) -> None:
    asked = await portal.passkeys.login.begin(ANNA, SIGN_IN)
    owned.looks = False
    with pytest.raises(PasskeyNotVerified):
        await portal.passkeys.login.log_in(ANNA, SIGN_IN, owned.sign(asked))
    owned.looks = True

    with pytest.raises(PasskeyLate):
        await portal.passkeys.login.log_in(ANNA, SIGN_IN, owned.sign(asked))


async def test_a_browser_without_cookies_is_told_so(portal: Portal) -> None:
    with pytest.raises(CookiesMissing):
        await portal.passkeys.login.begin(Client(), SIGN_IN)


@pytest.mark.parametrize(
    "changes", [{"passkeys": False}, {"public_url": "http://127.0.0.1:8000"}, {"public_url": "http://[::1]:8000"}]
)
async def test_where_they_are_off_nothing_is_asked(folder: Path, clock: MovableClock, changes: dict[str, Any]) -> None:
    async with opened(folder, clock, **changes) as portal:
        assert not portal.passkeys.own.on
        with pytest.raises(PasskeysOff):
            await portal.passkeys.login.begin(ANNA, SIGN_IN)
        with pytest.raises(PasskeysOff):
            await portal.passkeys.login.log_in(ANNA, SIGN_IN, {})


async def test_challenges_that_nobody_answers_are_forgotten(portal: Portal, clock: MovableClock) -> None:
    await portal.passkeys.login.begin(ANNA, SIGN_IN)
    clock.move(days=2)
    await portal.retention.forget()

    with portal.database.reading() as session:
        assert session.exec(select(PasskeyChallenge)).all() == []
