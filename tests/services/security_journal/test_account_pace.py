"""Anyone who is signed in does not fill the journal: sign-ins, proofs and changes of an account are limited, exactly and for good."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from medonline.bootstrap import Portal
from medonline.domain.errors import (
    IdentityProblem,
    IdentityRefused,
    ProvedTooOften,
    SettingsSavedTooOften,
    SignedInTooOften,
)
from medonline.domain.personal_data_consent import VERSION
from medonline.domain.security_journal import JournalEvent
from medonline.services.crypto.tokens import token_hash
from medonline.services.login.password_login import OpenedSession
from tests.services.account_limits import CHANGES, CHECKS, FORM, PROOFS, SIGN_INS, events_of, outcome
from tests.services.outside import ScriptedIdentity, arrive, with_provider
from tests.services.security_journal.rows import is_whole
from tests.services.world import ANNA, BORIS, CALL, KNOWN, PASSWORD, MovableClock, opened, prove, sign_in, signed_in

NEW_PASSWORD = "KorablLipa47"
FEW: dict[str, Any] = {
    "sessions_per_account": f"{SIGN_INS} per 1 h",
    "proofs_per_account": f"{PROOFS} per 1 h",
    "changes_per_account": f"{CHANGES} per 1 h",
}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
async def test_limits_of_an_account_are_exact(portal: Portal, check: Callable[[Portal], Awaitable[None]]) -> None:
    await check(portal)


@pytest.fixture
async def few(folder: Path, clock: MovableClock) -> AsyncIterator[Portal]:
    """A portal with few of each."""
    async with opened(folder, clock, **FEW) as portal:
        yield with_provider(portal, ScriptedIdentity())


async def test_a_refused_sign_in_says_until_when_and_ends_then(few: Portal, clock: MovableClock) -> None:
    first = clock.now
    for _ in range(SIGN_INS):
        await sign_in(few, ANNA)
        clock.move(minutes=5)
    with pytest.raises(SignedInTooOften) as refusal:
        await few.login.log_in(BORIS, KNOWN, PASSWORD)
    assert refusal.value.until == first + timedelta(hours=1)
    clock.now = refusal.value.until

    assert await sign_in(few, BORIS)


async def test_a_restart_forgets_nothing(folder: Path, clock: MovableClock) -> None:
    for _ in range(SIGN_INS):
        async with opened(folder, clock, **FEW) as portal:
            await sign_in(portal, ANNA)
    async with opened(folder, clock, **FEW) as portal:
        with pytest.raises(SignedInTooOften):
            await portal.login.log_in(ANNA, KNOWN, PASSWORD)


async def test_other_accounts_are_not_held_back(few: Portal) -> None:
    for _ in range(SIGN_INS):
        await sign_in(few, ANNA)

    assert isinstance(await arrive(few, BORIS, consent=VERSION), OpenedSession)


async def test_gosuslugi_is_no_way_around(few: Portal) -> None:
    for _ in range(SIGN_INS):
        assert isinstance(await arrive(few, ANNA, consent=VERSION), OpenedSession)
    with pytest.raises(IdentityRefused) as refusal:
        await arrive(few, ANNA)

    assert refusal.value.problem is IdentityProblem.TOO_OFTEN
    assert (await events_of(few))[JournalEvent.SIGNED_IN] == SIGN_INS


async def test_who_knows_the_password_locks_nobody_out_who_can_recover(few: Portal) -> None:
    for _ in range(SIGN_INS):
        await sign_in(few, BORIS)
    await prove(few, ANNA)
    await few.recovery.set_password(ANNA, NEW_PASSWORD)

    assert await sign_in(few, ANNA, password=NEW_PASSWORD)


async def test_a_password_changed_inside_begins_no_new_count(few: Portal) -> None:
    keys = [token_hash(await sign_in(few, ANNA)) for _ in range(SIGN_INS)]
    await few.settings.save(
        signed_in(keys[-1]), replace(FORM, password=NEW_PASSWORD, password_confirmation=NEW_PASSWORD), CALL
    )
    with pytest.raises(SignedInTooOften):
        await few.login.log_in(ANNA, KNOWN, NEW_PASSWORD)


async def test_a_clock_that_is_set_back_keeps_nobody_out_for_hours(few: Portal, clock: MovableClock) -> None:
    clock.move(hours=5)
    for _ in range(SIGN_INS):
        await sign_in(few, ANNA)
    clock.move(hours=-5)

    assert await sign_in(few, ANNA)


async def test_saves_that_change_nothing_are_not_counted(few: Portal) -> None:
    key = token_hash(await sign_in(few, ANNA))
    for _ in range(3 * CHANGES):
        await few.settings.save(signed_in(key), FORM, CALL)
    await few.settings.save(signed_in(key), replace(FORM, email="maria@example.ru"), CALL)

    assert (await events_of(few))[JournalEvent.EMAIL_CHANGED] == 1


async def test_a_refused_change_asks_for_no_code_and_hashes_nothing(few: Portal) -> None:
    key = token_hash(await sign_in(few, ANNA))
    for number in range(CHANGES):
        await few.settings.save(signed_in(key), replace(FORM, email=f"maria{number}@example.ru"), CALL)
    with pytest.raises(SettingsSavedTooOften):
        await few.settings.save(signed_in(key), replace(FORM, phone="+79000006001"), CALL)
    with pytest.raises(SettingsSavedTooOften):
        await few.settings.save(
            signed_in(key), replace(FORM, password=NEW_PASSWORD, password_confirmation=NEW_PASSWORD), CALL
        )

    assert (await events_of(few))[JournalEvent.CODE_ASKED] == 0
    assert await few.settings.code_of(key) is None


async def test_a_proof_too_many_leaves_the_last_one_as_old_as_it_is(few: Portal, clock: MovableClock) -> None:
    key = token_hash(await sign_in(few, ANNA))
    for _ in range(PROOFS):
        await few.sessions.prove_again(signed_in(key), PASSWORD)
    clock.move(minutes=5)
    with pytest.raises(ProvedTooOften):
        await few.sessions.prove_again(signed_in(key), PASSWORD)
    me = await few.login.who(key)

    assert me is not None
    assert me.authenticated_at == clock.now - timedelta(minutes=5)


async def test_a_day_of_everything_that_a_patient_can_do_is_a_bounded_part_of_the_journal(
    portal: Portal, clock: MovableClock
) -> None:
    """With the limits as they are set: by hour and by day; all night long it was 25 rows a second."""
    portal = with_provider(portal, ScriptedIdentity())
    assert isinstance(await arrive(portal, BORIS, consent=VERSION), OpenedSession)
    refused: set[str] = set()
    for number in range(24 * 6 * 8):
        refused |= await _a_visit(portal, f"maria{number}@example.ru")
        clock.move(seconds=75)

    rows = await events_of(portal)
    assert refused == {"SignedInTooOften", "ProvedTooOften", "SettingsSavedTooOften", "done"}
    assert rows[JournalEvent.SIGNED_IN] <= 100 + 1
    assert rows[JournalEvent.REAUTHENTICATED] <= 40
    assert rows[JournalEvent.EMAIL_CHANGED] <= 20
    assert rows.total() < 300
    assert await is_whole(portal)


async def _a_visit(portal: Portal, email: str) -> set[str]:
    """In, a proof, a change, out; what came of each."""
    came = await outcome(portal.login.log_in(ANNA, KNOWN, PASSWORD))
    if came != "done":
        return {came}
    key = token_hash(await sign_in(portal, ANNA))
    acts = (
        portal.sessions.prove_again(signed_in(key), PASSWORD),
        portal.settings.save(signed_in(key), replace(FORM, email=email), CALL),
        portal.login.close_session(key),
    )
    return {await outcome(act) for act in acts}
