"""When a code alone is not enough: after a guesser, for a number that may be somebody else's by now, as the operator says."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from medonline.bootstrap import Portal
from medonline.domain.client import Client
from medonline.domain.codes.channels import ChannelName
from medonline.domain.errors import AccountOfAnother, CodeMismatch, CodeNotEnough, CodeUsedUp, NoRecoveryInProgress
from medonline.domain.password_recovery import RecoveryStep
from medonline.services.gosuslugi.login import Waiting
from tests.services.codes.guessing import BORN, answer, kill_code
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
    wrong,
)

NEW = "NewPassword1"


async def test_a_phone_without_history_goes_straight_on(portal: Portal) -> None:
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    await portal.recovery.begin(BORIS, UNKNOWN, CALL)

    assert (await portal.recovery.confirm_code(ANNA, await last_code(portal, KNOWN))).step == "new_password"
    assert (await portal.recovery.confirm_code(BORIS, await last_code(portal, UNKNOWN))).step == "no_account"


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
    visitor = Client(visitor_key=f"guesser-{portal.clock().timestamp()}")
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


async def prove_unknown_after_guesses(portal: Portal, clock: MovableClock, way: ChannelName) -> None:
    """Вера says that she has an account at a number that was guessed at an hour ago, and gets a code to it."""
    await guess(portal, UNKNOWN, 3)
    clock.move(hours=1)
    await arrive(portal, ANNA, VERA)
    await portal.answers.have_account(ANNA)
    await portal.answers.send_code(ANNA, UNKNOWN, way)


@pytest.mark.parametrize(
    ("when", "telegram", "helps"), [("risk", True, True), ("risk", False, False), ("always", True, False)]
)
async def test_while_guessing_is_feared_a_call_to_a_number_without_an_account_leads_to_no_consent(
    folder: Path, clock: MovableClock, when: str, telegram: bool, helps: bool
) -> None:
    """Asked of the unknown number alone, consent would tell a guesser of four digits that the number has no account."""
    settings = {} if telegram else {"code_channels": (CALL,)}
    async with opened(folder, clock, step_up=when, **settings) as portal:
        portal = with_provider(portal, ScriptedIdentity())
        await prove_unknown_after_guesses(portal, clock, CALL)
        with pytest.raises(CodeNotEnough) as refused:
            await portal.answers.confirm_code(ANNA, await last_code(portal, UNKNOWN))

        assert refused.value.better == (TELEGRAM if helps else None)
        assert (await portal.answers.current(ANNA)).waits_for is Waiting.PROOF
        assert await portal.answers.not_mine(ANNA) == ""
        assert (await portal.answers.current(ANNA)).waits_for is Waiting.CONSENT


async def test_telegram_says_that_a_number_has_no_account(portal: Portal, clock: MovableClock) -> None:
    portal = with_provider(portal, ScriptedIdentity())
    await prove_unknown_after_guesses(portal, clock, TELEGRAM)

    assert await portal.answers.confirm_code(ANNA, await last_code(portal, UNKNOWN)) == ""
    assert (await portal.answers.current(ANNA)).waits_for is Waiting.CONSENT


async def test_who_is_refused_as_the_owner_does_not_freshen_the_proof_of_the_phone(
    portal: Portal, clock: MovableClock
) -> None:
    """Anyone who has a reissued number may sign in through Gosuslugi and prove the number there: it is another person's account."""
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
        last_name=patient.last_name,
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
