"""The clock jumps an hour ahead or back (a machine that woke up, a time server that was wrong): nothing old becomes good.

A clock that was set back prolongs what is alive by that hour, never more; what was used, ended or dead stays so, because
none of that is judged by the clock.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from medonline.bootstrap import Portal
from medonline.domain.errors import (
    CodeExpired,
    CodeMismatch,
    CodeUsedUp,
    IdentityRefused,
    InvalidCredentials,
    LimitReached,
    NoRecoveryInProgress,
    NumberNotReachable,
    RateLimited,
    TooManyCodes,
    TooManySignIns,
)
from medonline.domain.password_recovery import RecoveryStep
from medonline.services.codes.delivery import DeliveryState
from medonline.services.crypto.tokens import token_hash
from medonline.services.gosuslugi.login import JourneyReturn
from tests.services.outside import VERA, ScriptedIdentity, come_back, leave, provider_of, with_provider
from tests.services.world import (
    ANNA,
    BORIS,
    CALL,
    KNOWN,
    PASSWORD,
    TELEGRAM,
    MovableClock,
    ScriptedChannel,
    dispatch,
    dispatcher_of,
    last_code,
    prove,
    sign_in,
    wrong,
)

AHEAD, BACK = 1, -1
NEW = "KorablLipa47"


# --- codes and recoveries -----------------------------------------------------------------------------------------


async def test_ahead_a_code_is_late_and_another_can_be_had_at_once(portal: Portal, clock: MovableClock) -> None:
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    code = await last_code(portal)
    clock.move(hours=AHEAD, minutes=-1)  # the recovery itself is shown for an hour
    with pytest.raises(CodeExpired):
        await portal.recovery.confirm_code(ANNA, code)
    await portal.recovery.resend(ANNA, CALL)

    assert (await portal.recovery.confirm_code(ANNA, await last_code(portal))).step is RecoveryStep.NEW_PASSWORD


async def test_ahead_a_proof_of_the_phone_opens_nothing_any_more(portal: Portal, clock: MovableClock) -> None:
    await prove(portal, ANNA)
    clock.move(hours=AHEAD)

    with pytest.raises(NoRecoveryInProgress):
        await portal.recovery.set_password(ANNA, NEW)
    assert await portal.recovery.current(ANNA) is None
    await portal.recovery.begin(ANNA, KNOWN, CALL)  # no dead end


async def test_back_a_code_in_hand_is_accepted_once_and_the_recovery_goes_on_to_its_end(
    portal: Portal, clock: MovableClock
) -> None:
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    code = await last_code(portal)
    clock.move(hours=BACK)
    assert (await portal.recovery.confirm_code(ANNA, code)).step is RecoveryStep.NEW_PASSWORD
    await portal.recovery.begin(BORIS, "+79000009998", CALL)
    with pytest.raises(CodeMismatch):
        await portal.recovery.confirm_code(BORIS, wrong(await last_code(portal, "+79000009998")))
    clock.move(hours=BACK)
    assert (await portal.recovery.set_password(ANNA, NEW)).step is RecoveryStep.DONE
    assert await sign_in(portal, ANNA, KNOWN, NEW)


@pytest.mark.parametrize("hours", [AHEAD, BACK])
async def test_dead_and_used_codes_stay_so(portal: Portal, clock: MovableClock, hours: int) -> None:
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    dead = await last_code(portal)
    for by in range(1, 4):
        with pytest.raises(CodeMismatch):
            await portal.recovery.confirm_code(ANNA, wrong(dead, by))
    clock.move(hours=hours)
    with pytest.raises((CodeUsedUp, CodeExpired, NoRecoveryInProgress)):
        await portal.recovery.confirm_code(ANNA, dead)

    await portal.recovery.begin(BORIS, "+79000009998", CALL)
    used = await last_code(portal, "+79000009998")
    await portal.recovery.confirm_code(BORIS, used)
    await portal.recovery.leave(BORIS)
    clock.move(hours=hours)
    with pytest.raises(NoRecoveryInProgress):
        await portal.recovery.confirm_code(BORIS, used)


async def test_back_the_limits_of_a_phone_hold_and_are_longer_by_that_hour_at_most(
    portal: Portal, clock: MovableClock
) -> None:
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    issued = clock.now
    clock.move(hours=BACK)
    with pytest.raises(RateLimited) as refusal:
        await portal.recovery.begin(BORIS, KNOWN, CALL)
    assert refusal.value.resets_in == timedelta(hours=1, minutes=1)
    clock.now = issued + timedelta(seconds=60)
    await portal.recovery.resend(ANNA, CALL)
    clock.now = issued + timedelta(seconds=180)
    await portal.recovery.resend(ANNA, CALL)
    clock.now = issued + timedelta(seconds=480)
    with pytest.raises(TooManyCodes):
        await portal.recovery.resend(ANNA, CALL)
    clock.move(hours=BACK)
    with pytest.raises(TooManyCodes):
        await portal.recovery.resend(ANNA, CALL)


async def test_back_of_a_recoverys_codes_the_one_that_was_sent_last_counts(portal: Portal, clock: MovableClock) -> None:
    """A message fails, the clock is set back, the patient takes the call that is offered: by its time it is the older one."""
    await portal.recovery.begin(ANNA, KNOWN, TELEGRAM)
    failing = ScriptedChannel()
    failing.answers.append(NumberNotReachable())
    await dispatch(dispatcher_of(portal, telegram=failing))
    clock.move(hours=BACK)
    await portal.recovery.resend(ANNA, CALL)
    calling = ScriptedChannel()
    await dispatch(dispatcher_of(portal, flash_call=calling))
    view = await portal.recovery.current(ANNA)

    assert view is not None
    assert (view.channel, view.delivery, view.code_alive) == (CALL, DeliveryState.SENT, True)
    assert (await portal.recovery.confirm_code(ANNA, calling.asked[0].code)).step is RecoveryStep.NEW_PASSWORD


# --- tickets, sessions, journeys ----------------------------------------------------------------------------------


async def test_ahead_tickets_sessions_and_journeys_are_over(portal: Portal, clock: MovableClock) -> None:
    served = with_provider(portal, ScriptedIdentity())
    key = token_hash(await sign_in(served, BORIS))
    ticket = await served.login.log_in(ANNA, KNOWN, PASSWORD)
    state = await leave(served, ANNA)
    clock.move(hours=AHEAD)

    assert await served.login.open_session(ANNA, ticket) is None
    assert await served.login.who(key) is None
    with pytest.raises(IdentityRefused):
        await come_back(served, ANNA, state, VERA)
    clock.move(hours=BACK)  # and the mistake is put right
    assert await served.login.who(key) is not None


async def test_back_tickets_and_journeys_are_good_once(portal: Portal, clock: MovableClock) -> None:
    served = with_provider(portal, ScriptedIdentity())
    ticket = await served.login.log_in(ANNA, KNOWN, PASSWORD)
    state = await leave(served, ANNA)
    clock.move(hours=BACK)
    assert await served.login.open_session(BORIS, ticket) is None
    await come_back(served, ANNA, state, VERA)
    assert await served.login.open_session(ANNA, ticket) is not None  # leaves what else this browser had begun
    clock.move(hours=BACK)

    assert await served.login.open_session(ANNA, ticket) is None
    back = JourneyReturn(state=state, code=provider_of(served).code_for(VERA))
    with pytest.raises(IdentityRefused):
        await served.identity.finish(ANNA, back)


@pytest.mark.parametrize("hours", [AHEAD, BACK])
async def test_sessions_from_before_a_new_password_are_over_whatever_the_clock_says(
    portal: Portal, clock: MovableClock, hours: int
) -> None:
    """I3: whether a session ended is in its row; no time is compared."""
    older = token_hash(await sign_in(portal, BORIS))
    ticket = await portal.login.log_in(BORIS, KNOWN, PASSWORD)
    clock.move(hours=hours)
    await prove(portal, ANNA)
    await portal.recovery.set_password(ANNA, NEW)
    for _ in range(2):
        assert await portal.login.who(older) is None
        assert await portal.login.open_session(BORIS, ticket) is None
        clock.move(hours=BACK)
    with pytest.raises(InvalidCredentials):
        await portal.login.log_in(BORIS, KNOWN, PASSWORD)


async def test_back_a_session_lives_longer_by_that_hour_at_most_and_can_be_ended(
    portal: Portal, clock: MovableClock
) -> None:
    key = token_hash(await sign_in(portal, ANNA))
    opened_at = clock.now
    clock.move(hours=BACK)
    assert await portal.login.who(key) is not None
    clock.now = opened_at + timedelta(minutes=30)
    assert await portal.login.who(key) is None
    other = token_hash(await sign_in(portal, BORIS))
    clock.move(hours=BACK)
    await portal.login.close_session(other)
    assert await portal.login.who(other) is None


# --- limits of sign-in --------------------------------------------------------------------------------------------


async def test_wrong_passwords_before_a_jump_count_until_their_window_is_over(
    portal: Portal, clock: MovableClock
) -> None:
    for _ in range(5):
        with pytest.raises(InvalidCredentials):
            await portal.login.log_in(ANNA, KNOWN, "Wrong12345")
    clock.move(hours=BACK)
    with pytest.raises(TooManySignIns) as refusal:
        await portal.login.log_in(ANNA, KNOWN, PASSWORD)
    assert isinstance(refusal.value, LimitReached)
    assert refusal.value.until - clock.now <= timedelta(hours=1, minutes=15, seconds=1)
    clock.move(hours=AHEAD + 1)

    assert await portal.login.log_in(ANNA, KNOWN, PASSWORD)
