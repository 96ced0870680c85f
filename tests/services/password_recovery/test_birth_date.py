"""Where a call alone is not enough: the birth date between step 2 and step 3, and the ways beside it."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from medonline.bootstrap import Portal
from medonline.domain.codes.one_time_code import ChannelName
from medonline.domain.errors import (
    AccountOfAnother,
    CodeMismatch,
    CodeNotEnough,
    CodeUsedUp,
    InvalidBirthDate,
    MedonlineError,
    NoRecoveryInProgress,
    TooManyCodes,
)
from medonline.domain.password_recovery import RecoveryStep
from medonline.services.desk.accounts import NewAccount
from medonline.services.password_recovery.reader import RecoveryView
from tests.services.outside import VERA, ScriptedIdentity, arrive, with_provider
from tests.services.world import (
    ANNA,
    BORIS,
    CALL,
    KNOWN,
    PASSWORD,
    TELEGRAM,
    UNKNOWN,
    MovableClock,
    last_code,
    opened,
    patient_with,
    prove,
    recoveries_of,
    sign_in,
    statements,
    writes_in,
    wrong,
)

BORN = "21.05.1958"  # of the known patient
NEW = "NewPassword1"
NO_DATE = "+79000009998"


async def kill_code(portal: Portal, clock: MovableClock, to: str = KNOWN, visitor: str = BORIS) -> None:
    """Three wrong guesses, and the pause after them."""
    await portal.recovery.begin(visitor, to, CALL)
    code = await last_code(portal, to)
    for by in range(1, 4):
        with pytest.raises(CodeMismatch):
            await portal.recovery.confirm_code(visitor, wrong(code, by))
    clock.move(minutes=2)


async def at_birth_date(portal: Portal, clock: MovableClock, to: str = KNOWN) -> RecoveryView:
    await kill_code(portal, clock, to)
    await portal.recovery.begin(ANNA, to, CALL)
    view = await portal.recovery.confirm_code(ANNA, await last_code(portal, to))
    assert view.step is RecoveryStep.BIRTH_DATE
    return view


async def answer(portal: Portal, typed: str, visitor: str = ANNA) -> str:
    try:
        return (await portal.recovery.confirm_birth_date(visitor, typed)).step
    except MedonlineError as refusal:
        return f"{type(refusal).__name__}{getattr(refusal, 'attempts_left', '')}"


async def test_after_a_dead_code_the_birth_date_opens_step_3(portal: Portal, clock: MovableClock) -> None:
    view = await at_birth_date(portal, clock)
    assert view.birth_date_tries_left == 3
    before = (await patient_with(portal)).phone_proved_at
    assert await answer(portal, "1958-05-21") == "new_password"

    assert before is None
    assert (await patient_with(portal)).phone_proved_at == clock.now
    assert (await portal.recovery.set_password(ANNA, NEW)).step is RecoveryStep.DONE
    await sign_in(portal, BORIS, KNOWN, NEW)


@pytest.mark.parametrize("to", [KNOWN, UNKNOWN, NO_DATE])
async def test_three_wrong_dates_end_the_recovery_whoever_has_the_phone(
    portal: Portal, clock: MovableClock, to: str
) -> None:
    await portal.accounts.add(NewAccount(NO_DATE, PASSWORD, "Безымянная", "Нина"))
    await at_birth_date(portal, clock, to)

    dates = ("01.01.1990", "02.01.1990", "03.01.1990")
    assert [await answer(portal, typed) for typed in dates] == [f"BirthDateMismatch{left}" for left in (2, 1, 0)]
    current = await portal.recovery.current(ANNA)
    assert current is not None
    assert current.step is RecoveryStep.REFUSED
    assert await answer(portal, BORN) == "refused"
    with pytest.raises(NoRecoveryInProgress):
        await portal.recovery.set_password(ANNA, NEW)
    with pytest.raises(NoRecoveryInProgress):
        await portal.recovery.resend(ANNA, TELEGRAM)
    await portal.recovery.leave(ANNA)
    assert await portal.recovery.current(ANNA) is None


async def test_an_unknown_phone_looks_and_costs_the_same_as_a_known_one(portal: Portal, clock: MovableClock) -> None:
    logs, views = [], []
    for to in (KNOWN, UNKNOWN):
        with statements(portal) as seen:
            views.append(await at_birth_date(portal, clock, to))
            await answer(portal, "01.01.1990")
        logs.append(writes_in(seen))
        await portal.recovery.leave(ANNA)
        await portal.recovery.leave(BORIS)
        clock.move(hours=2)

    assert logs[0] == logs[1]
    assert {(view.step, view.birth_date_tries_left, view.fallback_now) for view in views} == {
        (RecoveryStep.BIRTH_DATE, 3, views[0].fallback_now)
    }
    assert [recovery.patient_id for recovery in await recoveries_of(portal)] == [None] * 4


@pytest.mark.parametrize("typed", ["", "вчера", "31.02.1958", "21.05.2058"])
async def test_what_is_no_date_costs_no_try(portal: Portal, clock: MovableClock, typed: str) -> None:
    await at_birth_date(portal, clock)
    with pytest.raises(InvalidBirthDate):
        await portal.recovery.confirm_birth_date(ANNA, typed)

    current = await portal.recovery.current(ANNA)
    assert current is not None
    assert current.birth_date_tries_left == 3


async def test_of_fifty_wrong_dates_at_once_three_are_judged(portal: Portal, clock: MovableClock) -> None:
    await at_birth_date(portal, clock)
    outcomes = Counter(await asyncio.gather(*(answer(portal, f"{day:02}.01.1990") for day in range(1, 29))))

    assert sum(outcomes[f"BirthDateMismatch{left}"] for left in (2, 1, 0)) == 3
    assert outcomes["refused"] == 25
    assert (await recoveries_of(portal))[-1].birth_date_misses == 3


async def test_a_right_date_in_a_crowd_opens_step_3_or_comes_too_late(portal: Portal, clock: MovableClock) -> None:
    await at_birth_date(portal, clock)
    typed = [f"{day:02}.01.1990" for day in range(1, 20)]
    typed.insert(2, BORN)
    outcomes = await asyncio.gather(*(answer(portal, date) for date in typed))

    current = await portal.recovery.current(ANNA)
    assert current is not None
    assert (current.step is RecoveryStep.NEW_PASSWORD) == ("new_password" in outcomes)
    assert sum(outcome.startswith("BirthDateMismatch") for outcome in outcomes) <= 3


async def test_it_resumes_after_a_restart_with_the_tries_used(folder: Path, clock: MovableClock) -> None:
    async with opened(folder, clock) as portal:
        await at_birth_date(portal, clock)
        await answer(portal, "01.01.1990")
    async with opened(folder, clock) as portal:
        current = await portal.recovery.current(ANNA)
        assert current is not None
        assert (current.step, current.birth_date_tries_left) == (RecoveryStep.BIRTH_DATE, 2)
        assert await answer(portal, BORN) == "new_password"


async def test_it_is_over_a_quarter_of_an_hour_after_the_code(portal: Portal, clock: MovableClock) -> None:
    await at_birth_date(portal, clock)
    clock.move(minutes=15)

    assert await portal.recovery.current(ANNA) is None
    assert await answer(portal, BORN) == "NoRecoveryInProgress"


async def test_the_code_typed_twice_and_the_date_typed_twice_give_the_first_result(
    portal: Portal, clock: MovableClock
) -> None:
    await at_birth_date(portal, clock)
    again = await portal.recovery.confirm_code(ANNA, await last_code(portal, KNOWN))
    assert again.step is RecoveryStep.BIRTH_DATE
    assert await asyncio.gather(answer(portal, BORN), answer(portal, BORN)) == ["new_password"] * 2


@pytest.mark.parametrize(("to", "step"), [(KNOWN, "new_password"), (UNKNOWN, "no_account")])
async def test_telegram_instead_of_the_date_is_enough(portal: Portal, clock: MovableClock, to: str, step: str) -> None:
    await at_birth_date(portal, clock, to)
    clock.move(minutes=2)
    view = await portal.recovery.resend(ANNA, TELEGRAM)
    assert (view.step, view.channel) == (RecoveryStep.CODE, TELEGRAM)

    assert (await portal.recovery.confirm_code(ANNA, await last_code(portal, to))).step == step


async def test_another_call_instead_of_the_date_is_refused(portal: Portal, clock: MovableClock) -> None:
    await at_birth_date(portal, clock)
    clock.move(minutes=2)
    with pytest.raises(NoRecoveryInProgress):
        await portal.recovery.resend(ANNA, CALL)


async def test_going_round_by_telegram_gives_no_new_tries(portal: Portal, clock: MovableClock) -> None:
    await at_birth_date(portal, clock)
    await answer(portal, "01.01.1990")
    await answer(portal, "02.01.1990")
    clock.move(minutes=2)
    await portal.recovery.resend(ANNA, TELEGRAM)
    clock.move(hours=0, minutes=30)
    with pytest.raises(TooManyCodes):
        await portal.recovery.resend(ANNA, CALL)
    clock.move(minutes=26)
    await portal.recovery.resend(ANNA, CALL)
    view = await portal.recovery.confirm_code(ANNA, await last_code(portal, KNOWN))

    assert (view.step, view.birth_date_tries_left) == (RecoveryStep.BIRTH_DATE, 1)


async def test_a_code_of_the_first_screen_opens_nothing_at_the_birth_date(portal: Portal, clock: MovableClock) -> None:
    await at_birth_date(portal, clock)
    with pytest.raises(NoRecoveryInProgress):
        await portal.recovery.set_password(ANNA, NEW)


@pytest.mark.parametrize(("days", "step"), [(30, RecoveryStep.NEW_PASSWORD), (29, RecoveryStep.BIRTH_DATE)])
async def test_a_dead_code_counts_for_thirty_days(
    portal: Portal, clock: MovableClock, days: int, step: RecoveryStep
) -> None:
    await kill_code(portal, clock)
    clock.move(days=days)
    await portal.recovery.begin(ANNA, KNOWN, CALL)

    assert (await portal.recovery.confirm_code(ANNA, await last_code(portal, KNOWN))).step is step


async def guess(portal: Portal, to: str, times: int) -> None:
    """Wrong guesses at a code of its own, from a browser of its own."""
    visitor = f"guesser-{portal.clock().timestamp()}"
    await portal.recovery.begin(visitor, to, CALL)
    code = await last_code(portal, to)
    for by in range(1, times + 1):
        with pytest.raises(CodeMismatch):
            await portal.recovery.confirm_code(visitor, wrong(code, by))


@pytest.mark.parametrize("to", [KNOWN, UNKNOWN])
@pytest.mark.parametrize("pause", [timedelta(minutes=4), timedelta(days=7)])
async def test_a_guesser_who_stops_one_guess_short_is_seen(
    portal: Portal, clock: MovableClock, to: str, pause: timedelta
) -> None:
    """Two wrong guesses at each code: the next one replaces it, or it expires. Neither makes the guesses forgotten."""
    for _ in range(2):
        await guess(portal, to, times=2)
        clock.now += pause
    await portal.recovery.begin(ANNA, to, CALL)

    assert (await portal.recovery.confirm_code(ANNA, await last_code(portal, to))).step is RecoveryStep.BIRTH_DATE


async def test_guesses_at_the_code_that_was_right_in_the_end_count_with_those_before(
    portal: Portal, clock: MovableClock
) -> None:
    await guess(portal, KNOWN, times=2)
    clock.move(minutes=4)
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    code = await last_code(portal, KNOWN)
    with pytest.raises(CodeMismatch):
        await portal.recovery.confirm_code(ANNA, wrong(code))

    assert (await portal.recovery.confirm_code(ANNA, code)).step is RecoveryStep.BIRTH_DATE


async def test_what_its_owner_mistyped_before_a_right_code_is_forgiven(portal: Portal, clock: MovableClock) -> None:
    for _ in range(2):
        await portal.recovery.begin(ANNA, KNOWN, CALL)
        code = await last_code(portal, KNOWN)
        for by in (1, 2):
            with pytest.raises(CodeMismatch):
                await portal.recovery.confirm_code(ANNA, wrong(code, by))
        assert (await portal.recovery.confirm_code(ANNA, code)).step is RecoveryStep.NEW_PASSWORD
        await portal.recovery.leave(ANNA)
        clock.move(days=1)


@pytest.mark.parametrize("channel", [CALL, TELEGRAM])
async def test_the_new_owner_of_a_reissued_number_is_asked_for_the_birth_date_by_every_way(
    portal: Portal, clock: MovableClock, channel: ChannelName
) -> None:
    await prove(portal, ANNA)
    clock.move(days=900)
    await portal.recovery.begin(BORIS, KNOWN, channel)

    assert (await portal.recovery.confirm_code(BORIS, await last_code(portal, KNOWN))).step is RecoveryStep.BIRTH_DATE


@pytest.mark.parametrize(("days", "step"), [(89, RecoveryStep.NEW_PASSWORD), (91, RecoveryStep.BIRTH_DATE)])
@pytest.mark.parametrize("channel", [CALL, TELEGRAM])
async def test_a_number_that_was_never_proved_is_as_old_as_its_account(
    portal: Portal, clock: MovableClock, channel: ChannelName, days: int, step: RecoveryStep
) -> None:
    """Made at the desk, or registered through Gosuslugi."""
    assert (await patient_with(portal)).phone_proved_at is None
    clock.now = (await patient_with(portal)).created_at + timedelta(days=days)
    await portal.recovery.begin(ANNA, KNOWN, channel)

    assert (await portal.recovery.confirm_code(ANNA, await last_code(portal, KNOWN))).step is step


async def test_telegram_does_not_stand_in_for_the_birth_date_of_an_old_number(
    portal: Portal, clock: MovableClock
) -> None:
    await prove(portal, ANNA)
    clock.move(days=91)
    await portal.recovery.begin(BORIS, KNOWN, CALL)
    await portal.recovery.confirm_code(BORIS, await last_code(portal, KNOWN))
    clock.move(minutes=2)
    await portal.recovery.resend(BORIS, TELEGRAM)
    view = await portal.recovery.confirm_code(BORIS, await last_code(portal, KNOWN))

    assert view.step is RecoveryStep.BIRTH_DATE
    with pytest.raises(NoRecoveryInProgress):
        await portal.recovery.set_password(BORIS, NEW)
    assert await answer(portal, BORN, BORIS) == "new_password"


@pytest.mark.parametrize(("days", "step"), [(90, RecoveryStep.NEW_PASSWORD), (91, RecoveryStep.BIRTH_DATE)])
async def test_a_proof_of_the_phone_counts_for_ninety_days(
    portal: Portal, clock: MovableClock, days: int, step: RecoveryStep
) -> None:
    await prove(portal, ANNA)
    clock.move(days=days)
    await portal.recovery.begin(BORIS, KNOWN, CALL)

    assert (await portal.recovery.confirm_code(BORIS, await last_code(portal, KNOWN))).step is step


async def test_a_proof_that_stopped_at_the_birth_date_does_not_count(portal: Portal, clock: MovableClock) -> None:
    await prove(portal, ANNA)
    clock.move(days=91)
    for visitor in (BORIS, ANNA):
        await portal.recovery.begin(visitor, KNOWN, CALL)
        view = await portal.recovery.confirm_code(visitor, await last_code(portal, KNOWN))
        assert view.step is RecoveryStep.BIRTH_DATE
        clock.move(minutes=20)


async def test_a_phone_without_history_goes_straight_on(portal: Portal) -> None:
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    await portal.recovery.begin(BORIS, UNKNOWN, CALL)

    assert (await portal.recovery.confirm_code(ANNA, await last_code(portal, KNOWN))).step == "new_password"
    assert (await portal.recovery.confirm_code(BORIS, await last_code(portal, UNKNOWN))).step == "no_account"


@pytest.mark.parametrize(
    ("when", "channel", "step"),
    [("always", CALL, "birth_date"), ("always", TELEGRAM, "birth_date"), ("never", CALL, "new_password")],
)
async def test_the_operator_may_ask_for_it_always_or_never(
    folder: Path, clock: MovableClock, when: str, channel: ChannelName, step: str
) -> None:
    async with opened(folder, clock, step_up=when) as portal:
        await kill_code(portal, clock)
        await portal.recovery.begin(ANNA, KNOWN, channel)

        assert (await portal.recovery.confirm_code(ANNA, await last_code(portal, KNOWN))).step == step


async def test_who_is_refused_as_the_owner_does_not_freshen_the_proof_of_the_phone(
    portal: Portal, clock: MovableClock
) -> None:
    """Whoever has a reissued number may sign in through Gosuslugi and prove the number there: it is another person's account."""
    await prove(portal, ANNA)
    proved_at = (await patient_with(portal)).phone_proved_at
    clock.move(days=91)
    portal = with_provider(portal, ScriptedIdentity())
    await arrive(portal, BORIS, replace(VERA, phone=KNOWN))
    await portal.answers.have_account(BORIS)
    await portal.answers.send_code(BORIS, KNOWN, CALL)
    with pytest.raises(AccountOfAnother):
        await portal.answers.confirm_code(BORIS, await last_code(portal, KNOWN))

    assert (await patient_with(portal)).phone_proved_at == proved_at


@pytest.mark.parametrize(
    ("confirmed", "born", "way", "linked"),
    [
        (True, None, CALL, False),
        (False, None, CALL, False),
        (False, "same", CALL, False),  # what an unconfirmed account says of its birth date is anybody's
        (True, "same", CALL, True),
        (True, None, TELEGRAM, True),
    ],
)
async def test_a_call_links_no_identity_where_it_would_recover_no_password(
    portal: Portal, clock: MovableClock, confirmed: bool, born: str | None, way: ChannelName, linked: bool
) -> None:
    portal = with_provider(portal, ScriptedIdentity(), allow_unconfirmed=True)
    await kill_code(portal, clock)
    patient = await patient_with(portal)
    person = replace(
        VERA,
        confirmed=confirmed,
        phone=KNOWN,
        snils="",
        first_name=patient.first_name,
        birth_date=patient.birth_date if born else None,
    )
    await arrive(portal, ANNA, person)
    await portal.answers.send_code(ANNA, KNOWN, way)
    code = await last_code(portal)
    if linked:
        assert await portal.answers.confirm_code(ANNA, code)
        return
    with pytest.raises(CodeNotEnough):
        await portal.answers.confirm_code(ANNA, code)
    with pytest.raises(CodeUsedUp):
        await portal.answers.confirm_code(ANNA, code)
    assert await portal.answers.prove_by_password(ANNA, KNOWN, PASSWORD)  # the password is still a proof
