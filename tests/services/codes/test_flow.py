"""A code from the resend to its judging: until when it is good, how often it may be missed, and for whom it is."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from medonline.bootstrap import Portal
from medonline.domain.client import Client
from medonline.domain.codes.channels import ChannelName
from medonline.domain.errors import (
    CodeEmpty,
    CodeExpired,
    CodeIncomplete,
    CodeMismatch,
    CodeReplaced,
    CodeUsedUp,
    MedonlineError,
    NoRecoveryInProgress,
)
from medonline.domain.password_recovery import RecoveryStep
from medonline.services.codes.delivery import DeliveryState
from tests.services.limits.asking import pause_of
from tests.services.world import (
    ANNA,
    BORIS,
    CALL,
    KNOWN,
    OTHER_KNOWN,
    TELEGRAM,
    MovableClock,
    code_in,
    current_of,
    last_code,
    last_row,
    prove,
    rows_of,
    wrong,
)


@pytest.mark.parametrize(("channel", "minutes"), [(CALL, 5), (TELEGRAM, 10)])
async def test_an_expired_code_is_refused(
    portal: Portal, clock: MovableClock, channel: ChannelName, minutes: int
) -> None:
    await portal.recovery.begin(ANNA, KNOWN, channel)
    code = await last_code(portal)
    clock.move(minutes=minutes)

    with pytest.raises(CodeExpired):
        await portal.recovery.confirm_code(ANNA, code)
    assert not (await current_of(portal, ANNA)).code_alive
    assert (await last_row(portal)).misses == 0


@pytest.mark.parametrize(("channel", "minutes"), [(CALL, 5), (TELEGRAM, 10)])
async def test_a_code_is_accepted_until_its_last_moment(
    portal: Portal, clock: MovableClock, channel: ChannelName, minutes: int
) -> None:
    await portal.recovery.begin(ANNA, KNOWN, channel)
    clock.move(minutes=minutes, microseconds=-1)

    view = await portal.recovery.confirm_code(ANNA, f"Код: {await last_code(portal)}.")
    assert view.step is RecoveryStep.NEW_PASSWORD


async def test_three_misses_kill_a_code(portal: Portal, clock: MovableClock) -> None:
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    code = await last_code(portal)
    left = []
    for _ in range(3):
        with pytest.raises(CodeMismatch) as miss:
            await portal.recovery.confirm_code(ANNA, wrong(code))
        left.append(miss.value.attempts_left)

    assert left == [2, 1, 0]
    with pytest.raises(CodeUsedUp):
        await portal.recovery.confirm_code(ANNA, code)
    view = await current_of(portal, ANNA)
    assert (view.step, view.attempts_left, view.code_alive) == (RecoveryStep.CODE, 0, False)
    clock.move(seconds=60)
    assert (await portal.recovery.resend(ANNA, CALL)).attempts_left == 3
    assert (await portal.recovery.confirm_code(ANNA, await last_code(portal))).step is RecoveryStep.BIRTH_DATE


@pytest.mark.parametrize(
    ("typed", "error"), [("", CodeEmpty), ("нет кода", CodeEmpty), ("042", CodeIncomplete), ("04271", CodeIncomplete)]
)
async def test_what_cannot_be_a_code_costs_no_attempt(portal: Portal, typed: str, error: type[MedonlineError]) -> None:
    await portal.recovery.begin(ANNA, KNOWN, CALL)

    with pytest.raises(error):
        await portal.recovery.confirm_code(ANNA, typed)
    assert (await current_of(portal, ANNA)).attempts_left == 3


async def test_a_new_code_kills_the_one_before(portal: Portal, clock: MovableClock) -> None:
    await portal.recovery.begin(ANNA, KNOWN, TELEGRAM)
    old = await last_code(portal)
    clock.move(seconds=60)
    await portal.recovery.resend(ANNA, TELEGRAM)

    assert old != await last_code(portal)
    with pytest.raises(CodeReplaced):
        await portal.recovery.confirm_code(ANNA, old)
    first, second = await rows_of(portal)
    assert (first.replaced_at, first.misses) == (clock.now, 0)
    assert (second.replaced_at, second.misses) == (None, 0)


async def test_a_second_submit_of_resend_within_seconds_is_the_same_one(portal: Portal, clock: MovableClock) -> None:
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    clock.move(seconds=60)
    views = await asyncio.gather(*(portal.recovery.resend(ANNA, CALL) for _ in range(3)))
    clock.move(seconds=4)
    views.append(await portal.recovery.resend(ANNA, CALL))
    clock.move(seconds=1)

    assert len(set(views)) == 1
    assert len(await rows_of(portal)) == 2
    assert await pause_of(portal.recovery.resend(ANNA, CALL)) == timedelta(seconds=115)


async def test_one_code_per_phone_is_alive_over_all_browsers(portal: Portal, clock: MovableClock) -> None:
    await portal.recovery.begin(ANNA, KNOWN, TELEGRAM)
    annas = await last_code(portal)
    clock.move(seconds=60)
    await portal.recovery.begin(BORIS, KNOWN, TELEGRAM)

    with pytest.raises(CodeUsedUp):
        await portal.recovery.confirm_code(ANNA, annas)
    assert not (await current_of(portal, ANNA)).code_alive
    assert (await portal.recovery.confirm_code(BORIS, await last_code(portal))).step is RecoveryStep.NEW_PASSWORD


async def test_a_code_of_one_recovery_opens_no_other(portal: Portal) -> None:
    await portal.recovery.begin(ANNA, KNOWN, TELEGRAM)
    annas = await last_code(portal)
    await portal.recovery.begin(BORIS, OTHER_KNOWN, TELEGRAM)
    row = await last_row(portal)
    assert annas != code_in(portal, row)

    with pytest.raises(CodeMismatch):
        await portal.recovery.confirm_code(BORIS, annas)
    with pytest.raises(NoRecoveryInProgress):
        await portal.recovery.confirm_code(Client(visitor_key="c" * 64), annas)
    assert (await current_of(portal, ANNA)).step is RecoveryStep.CODE


async def test_the_same_digits_in_another_recovery_have_another_digest(portal: Portal) -> None:
    issuer = portal.recovery.codes.issuer
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    await portal.recovery.begin(BORIS, OTHER_KNOWN, CALL)
    one, other = await rows_of(portal)

    assert issuer.digests(one, code_in(portal, one)) == [one.digest]
    other.phone, other.purpose = one.phone, one.purpose
    assert issuer.digests(other, code_in(portal, one)) != [one.digest]


async def test_whoever_typed_the_code_has_got_it(portal: Portal) -> None:
    await prove(portal, ANNA)

    assert (await last_row(portal)).delivery == DeliveryState.DELIVERED


# --- an older code of the flow ------------------------------------------------------------------------------------


async def replaced_code(portal: Portal, clock: MovableClock) -> str:
    """The first of two codes of Anna's recovery, different from the second."""
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    first = await last_code(portal)
    clock.move(minutes=2)
    await portal.recovery.resend(ANNA, CALL)
    assert await last_code(portal) != first
    return first


async def test_an_older_code_is_named_three_times_and_costs_no_attempt(portal: Portal, clock: MovableClock) -> None:
    first = await replaced_code(portal, clock)

    for _ in range(3):
        with pytest.raises(CodeReplaced):
            await portal.recovery.confirm_code(ANNA, first)
        assert (await current_of(portal, ANNA)).attempts_left == 3
    with pytest.raises(CodeMismatch) as refusal:
        await portal.recovery.confirm_code(ANNA, first)
    assert refusal.value.attempts_left == 2
    assert (await portal.recovery.confirm_code(ANNA, await last_code(portal))).step is RecoveryStep.NEW_PASSWORD


async def test_of_many_at_once_no_more_than_three_are_told_of_an_older_code(
    portal: Portal, clock: MovableClock
) -> None:
    first = await replaced_code(portal, clock)

    came = await asyncio.gather(*(portal.recovery.confirm_code(ANNA, first) for _ in range(12)), return_exceptions=True)

    assert sum(isinstance(one, CodeReplaced) for one in came) == 3
    assert sum(isinstance(one, CodeMismatch) for one in came) == 3
    assert (await current_of(portal, ANNA)).code_alive is False


async def test_a_further_code_allows_no_further_telling(portal: Portal, clock: MovableClock) -> None:
    first = await replaced_code(portal, clock)
    for _ in range(3):
        with pytest.raises(CodeReplaced):
            await portal.recovery.confirm_code(ANNA, first)
    clock.move(minutes=5)
    await portal.recovery.resend(ANNA, CALL)

    with pytest.raises(CodeMismatch):
        await portal.recovery.confirm_code(ANNA, first)


async def test_a_code_of_another_flow_is_no_older_code_of_this_one(portal: Portal, clock: MovableClock) -> None:
    await portal.recovery.begin(BORIS, KNOWN, CALL)
    theirs = await last_code(portal)
    clock.move(minutes=2)
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    assert await last_code(portal) != theirs

    with pytest.raises(CodeMismatch):
        await portal.recovery.confirm_code(ANNA, theirs)


async def test_an_older_code_of_a_dead_one_says_that_it_is_dead(portal: Portal, clock: MovableClock) -> None:
    first = await replaced_code(portal, clock)
    clock.move(minutes=6)

    with pytest.raises(CodeExpired):
        await portal.recovery.confirm_code(ANNA, first)
