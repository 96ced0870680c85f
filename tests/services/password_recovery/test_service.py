"""The recovery over a real SQLite file: what each verb does at each step, how often, and until when."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from medonline.bootstrap import Portal
from medonline.domain.codes.one_time_code import ChannelName
from medonline.domain.errors import (
    ChannelUnavailable,
    CodeEmpty,
    CodeExpired,
    CodeIncomplete,
    CodeMismatch,
    CodeUsedUp,
    InvalidPassword,
    InvalidPhone,
    MedonlineError,
    NoRecoveryInProgress,
    NumberNotReachable,
    PasswordAlreadySet,
    ProviderDown,
    RateLimited,
    TooManyCodes,
)
from medonline.domain.password_recovery import RecoveryStep
from medonline.domain.phone import PhoneNumber
from medonline.services.codes.delivery import DeliveryState
from medonline.services.crypto.tokens import token_hash
from medonline.services.password_recovery.reader import RecoveryView
from tests.services.world import (
    ANNA,
    BORIS,
    CALL,
    KNOWN,
    OTHER_KNOWN,
    TELEGRAM,
    UNKNOWN,
    MovableClock,
    PlainHasher,
    ScriptedChannel,
    code_in,
    dispatch,
    dispatcher_of,
    last_code,
    last_row,
    opened,
    patient_with,
    prove,
    recoveries_of,
    rows_of,
    sign_in,
    statements,
    writes_in,
    wrong,
)

NEW = "NewPassword1"


async def pause_of(attempt: Awaitable[object]) -> timedelta:
    with pytest.raises(RateLimited) as refusal:
        await attempt
    return refusal.value.resets_in


# --- begin ------------------------------------------------------------------------------------------------------


async def test_begin_commits_the_recovery_and_the_intent_to_send_together(portal: Portal, clock: MovableClock) -> None:
    view = await portal.recovery.begin(ANNA, "8 900 000-10-01", TELEGRAM, "192.0.2.1")

    row = await last_row(portal)
    assert (view.step, view.phone, view.channel) == (RecoveryStep.CODE, "+7 900 ***-**-01", TELEGRAM)
    assert (view.attempts_left, view.code_alive, view.delivery) == (3, True, DeliveryState.QUEUED)
    assert (view.issued_at, view.expires_at) == (clock.now, clock.now + timedelta(minutes=10))
    assert view.resend_at == clock.now + timedelta(seconds=60)
    assert (row.phone, row.channel, row.client_ip, row.due_at) == (KNOWN, TELEGRAM, "192.0.2.1", clock.now)
    assert [recovery.id for recovery in await recoveries_of(portal)] == [row.flow_id]


async def test_begin_wakes_the_dispatcher_only_after_the_commit(portal: Portal, folder: Path) -> None:
    committed: list[int] = []

    def wake() -> None:
        with closing(sqlite3.connect(folder / "medonline.sqlite3")) as another_connection:
            committed.append(another_connection.execute("SELECT count(*) FROM one_time_code").fetchone()[0])

    service = replace(portal.recovery, codes=replace(portal.recovery.codes, wake_dispatcher=wake))
    await service.begin(ANNA, KNOWN, CALL)
    with pytest.raises(RateLimited):
        await service.begin(BORIS, KNOWN, CALL)

    assert committed == [1]


async def test_the_same_begin_again_sends_nothing_and_gives_the_same_recovery(
    portal: Portal, clock: MovableClock
) -> None:
    first = await portal.recovery.begin(ANNA, KNOWN, CALL)
    clock.move(minutes=4)
    again = await portal.recovery.begin(ANNA, "8 (900) 000-10-01", CALL)

    assert again == replace(first, fallback_now=True)
    assert len(await rows_of(portal)) == 1


async def test_two_begins_at_the_same_moment_send_one_code(portal: Portal) -> None:
    views = await asyncio.gather(*(portal.recovery.begin(ANNA, KNOWN, CALL) for _ in range(5)))

    assert len(set(views)) == 1
    assert len(await rows_of(portal)) == 1


async def test_begin_after_the_code_died_is_a_new_recovery(portal: Portal, clock: MovableClock) -> None:
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    clock.move(minutes=5)
    await portal.recovery.begin(ANNA, KNOWN, CALL)

    assert [recovery.step for recovery in await recoveries_of(portal)] == [RecoveryStep.ABANDONED, RecoveryStep.CODE]


async def test_begin_with_another_phone_leaves_the_first_recovery(portal: Portal) -> None:
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    first_code = await last_code(portal)
    view = await portal.recovery.begin(ANNA, OTHER_KNOWN, CALL)

    steps = {recovery.phone: recovery.step for recovery in await recoveries_of(portal)}
    assert view.phone.endswith("02")
    assert steps == {KNOWN: RecoveryStep.ABANDONED, OTHER_KNOWN: RecoveryStep.CODE}
    if first_code != await last_code(portal):
        with pytest.raises(CodeMismatch):
            await portal.recovery.confirm_code(ANNA, first_code)


@pytest.mark.parametrize("typed", ["", "8 495 123-45-67", "+7 701 123 45 67", "\x00", "я" * 4096])
async def test_a_refused_phone_leaves_no_trace(portal: Portal, typed: str) -> None:
    with pytest.raises(InvalidPhone):
        await portal.recovery.begin(ANNA, typed, CALL)

    assert await recoveries_of(portal) == []
    assert await rows_of(portal) == []
    assert await portal.recovery.current(ANNA) is None


async def test_a_refused_begin_keeps_the_recovery_that_was_there(portal: Portal) -> None:
    await prove(portal, BORIS)
    await portal.recovery.begin(ANNA, OTHER_KNOWN, CALL)

    with pytest.raises(RateLimited):
        await portal.recovery.begin(ANNA, KNOWN, CALL)

    view = await portal.recovery.current(ANNA)
    assert view is not None
    assert (view.step, view.phone) == (RecoveryStep.CODE, "+7 900 ***-**-02")


async def test_a_way_that_is_switched_off_is_refused(folder: Path, clock: MovableClock) -> None:
    async with opened(folder, clock, code_channels="telegram") as portal:
        with pytest.raises(ChannelUnavailable):
            await portal.recovery.begin(ANNA, KNOWN, CALL)
        view = await portal.recovery.begin(ANNA, KNOWN, TELEGRAM)
        clock.move(minutes=2)
        with pytest.raises(ChannelUnavailable):
            await portal.recovery.resend(ANNA, CALL)

        assert not view.fallback_now
        assert len(await rows_of(portal)) == 1


async def test_begin_does_not_show_a_recovery_that_is_over(portal: Portal, clock: MovableClock) -> None:
    await portal.recovery.begin(ANNA, KNOWN, TELEGRAM)
    clock.move(minutes=59)
    await portal.recovery.resend(ANNA, TELEGRAM)
    clock.move(minutes=2)
    assert await portal.recovery.current(ANNA) is None  # older than an hour, though its last code is alive

    view = await portal.recovery.begin(ANNA, KNOWN, TELEGRAM)

    assert await portal.recovery.current(ANNA) == view
    assert view.issued_at == clock.now


# --- pauses -----------------------------------------------------------------------------------------------------


async def test_pauses_grow_from_one_to_two_to_five_minutes(folder: Path, clock: MovableClock) -> None:
    async with opened(folder, clock, codes_per_phone="9 per 1 h") as portal:
        await portal.recovery.begin(ANNA, KNOWN, CALL)
        for seconds in (60, 120, 300, 300):
            clock.move(seconds=seconds - 1)
            assert await pause_of(portal.recovery.resend(ANNA, CALL)) == timedelta(seconds=1)
            clock.move(seconds=1)
            view = await portal.recovery.resend(ANNA, CALL)
            assert view.issued_at == clock.now

        assert len(await rows_of(portal)) == 5


async def test_pauses_hold_over_all_browsers_and_ways(portal: Portal, clock: MovableClock) -> None:
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    clock.move(seconds=20)

    assert await pause_of(portal.recovery.begin(BORIS, KNOWN, CALL)) == timedelta(seconds=40)
    assert await pause_of(portal.recovery.begin(BORIS, KNOWN, TELEGRAM)) == timedelta(seconds=40)
    assert await pause_of(portal.recovery.resend(ANNA, TELEGRAM)) == timedelta(seconds=40)
    clock.move(seconds=40)
    await portal.recovery.begin(BORIS, KNOWN, TELEGRAM)
    assert await pause_of(portal.recovery.resend(ANNA, CALL)) == timedelta(seconds=120)


async def test_a_pause_of_one_phone_is_none_of_another(portal: Portal) -> None:
    await portal.recovery.begin(ANNA, KNOWN, CALL)

    assert (await portal.recovery.begin(BORIS, OTHER_KNOWN, CALL)).step is RecoveryStep.CODE


async def test_leaving_and_beginning_again_does_not_shorten_the_pause(portal: Portal, clock: MovableClock) -> None:
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    await portal.recovery.leave(ANNA)
    clock.move(seconds=59)

    assert await pause_of(portal.recovery.begin(ANNA, KNOWN, TELEGRAM)) == timedelta(seconds=1)


async def test_going_back_and_giving_the_same_phone_again_keeps_the_code_in_hand(portal: Portal) -> None:
    first = await portal.recovery.begin(ANNA, KNOWN, CALL)
    code = await last_code(portal, KNOWN)
    with pytest.raises(CodeMismatch):
        await portal.recovery.confirm_code(ANNA, wrong(code))
    await portal.recovery.leave(ANNA)
    assert await portal.recovery.current(ANNA) is None

    again = await portal.recovery.begin(ANNA, KNOWN, CALL)

    assert (again.issued_at, again.attempts_left) == (first.issued_at, 2)
    assert await last_code(portal, KNOWN) == code
    assert (await portal.recovery.confirm_code(ANNA, code)).step is RecoveryStep.NEW_PASSWORD


async def test_after_a_day_pauses_start_small_again(portal: Portal, clock: MovableClock) -> None:
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    clock.move(minutes=1)
    await portal.recovery.resend(ANNA, CALL)
    clock.move(days=1, seconds=1)
    view = await portal.recovery.begin(ANNA, KNOWN, CALL)

    assert view.resend_at - view.issued_at == timedelta(seconds=60)


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


# --- the other way after a failure ------------------------------------------------------------------------------


async def test_after_a_failed_delivery_the_other_way_is_open_at_once(portal: Portal) -> None:
    channel = ScriptedChannel()
    channel.answers.append(NumberNotReachable("no Telegram"))
    dispatcher = dispatcher_of(portal, flash_call=channel, telegram=channel)
    await portal.recovery.begin(ANNA, KNOWN, TELEGRAM)
    await dispatch(dispatcher)

    failed = await portal.recovery.current(ANNA)
    assert failed is not None
    assert (failed.delivery, failed.problem) == (DeliveryState.FAILED, "number_not_reachable")
    assert (failed.fallback_now, failed.code_alive) == (True, False)
    with pytest.raises(RateLimited):
        await portal.recovery.begin(BORIS, KNOWN, TELEGRAM)
    view = await portal.recovery.resend(ANNA, CALL)
    await dispatch(dispatcher)
    assert (view.channel, view.code_alive) == (CALL, True)
    assert (await portal.recovery.confirm_code(ANNA, channel.asked[-1].code)).step is RecoveryStep.NEW_PASSWORD


async def test_falling_back_ends_when_both_ways_have_failed(portal: Portal, clock: MovableClock) -> None:
    channel = ScriptedChannel()
    channel.answers.extend(ProviderDown("down") for _ in range(9))
    dispatcher = dispatcher_of(portal, flash_call=channel, telegram=channel)
    await portal.recovery.begin(ANNA, KNOWN, TELEGRAM)
    await dispatch(dispatcher)
    clock.move(seconds=1)
    await portal.recovery.resend(ANNA, CALL)
    await dispatch(dispatcher)

    clock.move(seconds=10)
    assert await pause_of(portal.recovery.resend(ANNA, TELEGRAM)) == timedelta(seconds=110)
    assert await pause_of(portal.recovery.resend(ANNA, CALL)) == timedelta(seconds=110)
    assert await pause_of(portal.recovery.begin(BORIS, KNOWN, TELEGRAM)) == timedelta(seconds=110)
    assert not (await current(portal, ANNA)).fallback_now
    assert len(channel.asked) == 2


async def test_half_an_hour_of_trying_makes_a_bounded_number_of_sends_when_everything_fails(
    portal: Portal, clock: MovableClock
) -> None:
    channel = ScriptedChannel()
    channel.answers.extend(ProviderDown("down") for _ in range(100))
    dispatcher = dispatcher_of(portal, flash_call=channel, telegram=channel)
    for _ in range(60):
        for visitor in (ANNA, BORIS):
            for way in (CALL, TELEGRAM):
                try:
                    await portal.recovery.begin(visitor, KNOWN, way)
                except (RateLimited, TooManyCodes):
                    continue
                await dispatch(dispatcher)
        clock.move(seconds=30)

    assert len(channel.asked) == 3  # the limit of an hour, whoever asks and whatever fails


async def current(portal: Portal, visitor: str) -> RecoveryView:
    view = await portal.recovery.current(visitor)
    assert view is not None
    return view


# --- the code ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("channel", "minutes"), [(CALL, 5), (TELEGRAM, 10)])
async def test_an_expired_code_is_refused(
    portal: Portal, clock: MovableClock, channel: ChannelName, minutes: int
) -> None:
    await portal.recovery.begin(ANNA, KNOWN, channel)
    code = await last_code(portal)
    clock.move(minutes=minutes)

    with pytest.raises(CodeExpired):
        await portal.recovery.confirm_code(ANNA, code)
    assert not (await current(portal, ANNA)).code_alive
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
    view = await current(portal, ANNA)
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
    assert (await current(portal, ANNA)).attempts_left == 3


async def test_a_new_code_kills_the_one_before(portal: Portal, clock: MovableClock) -> None:
    await portal.recovery.begin(ANNA, KNOWN, TELEGRAM)
    old = await last_code(portal)
    clock.move(seconds=60)
    await portal.recovery.resend(ANNA, TELEGRAM)

    assert old != await last_code(portal)
    with pytest.raises(CodeMismatch):
        await portal.recovery.confirm_code(ANNA, old)
    first, second = await rows_of(portal)
    assert (first.replaced_at, first.misses) == (clock.now, 0)
    assert (second.replaced_at, second.misses) == (None, 1)


async def test_one_code_per_phone_is_alive_over_all_browsers(portal: Portal, clock: MovableClock) -> None:
    await portal.recovery.begin(ANNA, KNOWN, TELEGRAM)
    annas = await last_code(portal)
    clock.move(seconds=60)
    await portal.recovery.begin(BORIS, KNOWN, TELEGRAM)

    with pytest.raises(CodeUsedUp):
        await portal.recovery.confirm_code(ANNA, annas)
    assert not (await current(portal, ANNA)).code_alive
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
        await portal.recovery.confirm_code("c" * 64, annas)
    assert (await current(portal, ANNA)).step is RecoveryStep.CODE


async def test_the_same_digits_in_another_recovery_have_another_digest(portal: Portal) -> None:
    issuer = portal.recovery.codes.issuer
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    await portal.recovery.begin(BORIS, OTHER_KNOWN, CALL)
    one, other = await rows_of(portal)

    assert one.digest == issuer.digest(one.flow_id, one.purpose, PhoneNumber(one.phone), code_in(portal, one))
    assert one.digest != issuer.digest(other.flow_id, one.purpose, PhoneNumber(one.phone), code_in(portal, one))


async def test_a_right_code_typed_twice_gives_the_first_result(portal: Portal) -> None:
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    code = await last_code(portal)

    views = await asyncio.gather(*(portal.recovery.confirm_code(ANNA, code) for _ in range(4)))

    assert {view.step for view in views} == {RecoveryStep.NEW_PASSWORD}
    assert (await last_row(portal)).misses == 0


async def test_whoever_typed_the_code_has_got_it(portal: Portal) -> None:
    await prove(portal, ANNA)

    assert (await last_row(portal)).delivery == DeliveryState.DELIVERED


# --- known and unknown ------------------------------------------------------------------------------------------


async def test_known_and_unknown_phones_look_and_cost_the_same_before_the_proof(
    portal: Portal, clock: MovableClock
) -> None:
    start = clock.now

    async def walk(visitor: str, phone: str) -> tuple[list[object], list[str]]:
        clock.now = start
        shown: list[object] = []
        with statements(portal) as seen:
            shown.append(await portal.recovery.begin(visitor, phone, CALL))
            shown.append(await portal.recovery.current(visitor))
            code = await last_code(portal, phone)
            for step in range(3):
                try:
                    await portal.recovery.confirm_code(visitor, wrong(code, step + 1))
                except CodeMismatch as miss:
                    shown.append(miss.attempts_left)
            clock.move(seconds=60)
            shown.append(await portal.recovery.resend(visitor, TELEGRAM))
            try:
                await portal.recovery.set_password(visitor, NEW)
            except NoRecoveryInProgress:
                shown.append("refused")
        masked = [replace(view, phone="") if isinstance(view, RecoveryView) else view for view in shown]
        return masked, seen

    known_shown, known_seen = await walk(ANNA, KNOWN)
    unknown_shown, unknown_seen = await walk(BORIS, UNKNOWN)

    assert known_shown == unknown_shown
    assert known_seen == unknown_seen  # statement by statement, reads too
    assert len(writes_in(known_seen)) >= 7
    assert not any("patient " in text for text in known_seen)


async def test_only_the_proof_tells_whether_there_is_an_account(portal: Portal) -> None:
    await prove(portal, ANNA, UNKNOWN)

    assert (await current(portal, ANNA)).step is RecoveryStep.NO_ACCOUNT
    with pytest.raises(NoRecoveryInProgress):
        await portal.recovery.set_password(ANNA, NEW)
    again = await portal.recovery.confirm_code(ANNA, "0000")
    assert again.step is RecoveryStep.NO_ACCOUNT


async def test_the_proof_is_noted_with_the_patient(portal: Portal, clock: MovableClock) -> None:
    await prove(portal, ANNA)

    assert (await patient_with(portal)).phone_proved_at == clock.now


# --- the new password -------------------------------------------------------------------------------------------


async def test_the_new_password_signs_in_and_the_old_one_does_not(portal: Portal) -> None:
    await prove(portal, ANNA)
    view = await portal.recovery.set_password(ANNA, NEW)

    assert view.step is RecoveryStep.DONE
    assert await sign_in(portal, ANNA, KNOWN, NEW)
    with pytest.raises(MedonlineError):
        await sign_in(portal, ANNA)


async def test_a_password_change_ends_every_session_and_every_ticket(portal: Portal, clock: MovableClock) -> None:
    ended: list[str] = []
    portal.sessions_ended.append(ended.extend)
    tokens = [token_hash(await sign_in(portal, visitor)) for visitor in (ANNA, BORIS)]
    others = token_hash(await sign_in(portal, BORIS, OTHER_KNOWN, "Poliklinika7"))
    ticket = await portal.login.log_in(BORIS, KNOWN, "Zdorovie2026")
    clock.move(seconds=10)
    await prove(portal, ANNA)
    await portal.recovery.set_password(ANNA, NEW)

    assert sorted(ended) == sorted(tokens)
    assert [await portal.login.who(key) for key in tokens] == [None, None]
    assert await portal.login.open_session(BORIS, ticket) is None
    assert await portal.login.who(others) is not None


async def test_a_refused_password_keeps_the_step(portal: Portal) -> None:
    await prove(portal, ANNA)
    for typed in ("", "short", "русский-пароль", "x" * 5000):
        with pytest.raises(InvalidPassword):
            await portal.recovery.set_password(ANNA, typed)

    assert (await current(portal, ANNA)).step is RecoveryStep.NEW_PASSWORD
    assert (await portal.recovery.set_password(ANNA, NEW)).step is RecoveryStep.DONE


async def test_a_new_password_submitted_twice_is_set_once(portal: Portal) -> None:
    await prove(portal, ANNA)
    views = await asyncio.gather(*(portal.recovery.set_password(ANNA, NEW) for _ in range(3)))
    stored = (await patient_with(portal)).password_hash
    views.append(await portal.recovery.set_password(ANNA, NEW))
    for refused, why in (("OtherPassword2", PasswordAlreadySet), ("абв", InvalidPassword), ("", InvalidPassword)):
        with pytest.raises(why):
            await portal.recovery.set_password(ANNA, refused)

    assert {view.step for view in views} == {RecoveryStep.DONE}
    assert (await patient_with(portal)).password_hash == stored
    assert await sign_in(portal, ANNA, KNOWN, NEW)


async def test_the_proof_opens_the_new_password_for_a_quarter_of_an_hour(portal: Portal, clock: MovableClock) -> None:
    await prove(portal, ANNA)
    clock.move(minutes=15, microseconds=-1)
    assert (await current(portal, ANNA)).step is RecoveryStep.NEW_PASSWORD
    clock.move(microseconds=1)

    assert await portal.recovery.current(ANNA) is None
    with pytest.raises(NoRecoveryInProgress):
        await portal.recovery.set_password(ANNA, NEW)
    assert await sign_in(portal, ANNA)  # with the old one


async def test_a_proof_that_grows_old_while_the_password_is_hashed_is_refused(
    portal: Portal, clock: MovableClock
) -> None:
    class SlowHasher(PlainHasher):
        async def hash(self, password: str) -> str:
            clock.move(minutes=15)
            return await super().hash(password)

    await prove(portal, ANNA)
    slow = replace(portal.recovery.new_password, hasher=SlowHasher())
    with pytest.raises(NoRecoveryInProgress):
        await replace(portal.recovery, new_password=slow).set_password(ANNA, NEW)

    assert await sign_in(portal, ANNA)


async def test_success_is_shown_for_ten_minutes(portal: Portal, clock: MovableClock) -> None:
    await prove(portal, ANNA)
    await portal.recovery.set_password(ANNA, NEW)
    clock.move(minutes=10, microseconds=-1)
    assert (await current(portal, ANNA)).step is RecoveryStep.DONE
    clock.move(microseconds=1)

    assert await portal.recovery.current(ANNA) is None


# --- order ------------------------------------------------------------------------------------------------------

Verb = Callable[[Portal, str], Awaitable[object]]
VERBS: dict[str, Verb] = {
    "resend": lambda portal, visitor: portal.recovery.resend(visitor, CALL),
    "confirm_code": lambda portal, visitor: portal.recovery.confirm_code(visitor, "0427"),
    "set_password": lambda portal, visitor: portal.recovery.set_password(visitor, NEW),
}


async def to_nothing(portal: Portal) -> None:
    return None


async def to_code(portal: Portal) -> None:
    await portal.recovery.begin(ANNA, KNOWN, CALL)


async def to_new_password(portal: Portal) -> None:
    await prove(portal, ANNA)


async def to_done(portal: Portal) -> None:
    await prove(portal, ANNA)
    await portal.recovery.set_password(ANNA, NEW)


async def to_no_account(portal: Portal) -> None:
    await prove(portal, ANNA, UNKNOWN)


async def to_abandoned(portal: Portal) -> None:
    await prove(portal, ANNA)
    await portal.recovery.leave(ANNA)


@pytest.mark.parametrize(
    ("reach", "verb"),
    [
        (to_nothing, "resend"),
        (to_nothing, "confirm_code"),
        (to_nothing, "set_password"),
        (to_code, "set_password"),
        (to_new_password, "resend"),
        (to_done, "resend"),
        (to_done, "confirm_code"),
        (to_no_account, "resend"),
        (to_no_account, "set_password"),
        (to_abandoned, "resend"),
        (to_abandoned, "confirm_code"),
        (to_abandoned, "set_password"),
    ],
)
async def test_a_verb_out_of_order_is_refused_and_writes_nothing(
    portal: Portal, clock: MovableClock, reach: Callable[[Portal], Awaitable[None]], verb: str
) -> None:
    await reach(portal)
    clock.move(minutes=2)
    before = await portal.recovery.current(ANNA), await rows_of(portal), await recoveries_of(portal)
    with statements(portal) as seen, pytest.raises(NoRecoveryInProgress):
        await VERBS[verb](portal, ANNA)

    assert writes_in(seen) == []
    assert (await portal.recovery.current(ANNA), await rows_of(portal), await recoveries_of(portal)) == before


async def test_leaving_twice_or_without_a_recovery_does_nothing(portal: Portal) -> None:
    await portal.recovery.leave(ANNA)
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    await portal.recovery.leave(ANNA)
    await portal.recovery.leave(ANNA)

    assert await portal.recovery.current(ANNA) is None
    assert [recovery.left_at is not None for recovery in await recoveries_of(portal)] == [True]


async def test_leaving_a_finished_recovery_keeps_it_finished(portal: Portal) -> None:
    await to_done(portal)
    await portal.recovery.leave(ANNA)

    assert await portal.recovery.current(ANNA) is None
    assert [recovery.step for recovery in await recoveries_of(portal)] == [RecoveryStep.DONE]


async def test_reading_where_a_recovery_stands_writes_and_sends_nothing(portal: Portal) -> None:
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    with statements(portal) as seen:
        for _ in range(3):
            await portal.recovery.current(ANNA)

    assert writes_in(seen) == []


async def test_a_restart_between_any_two_steps_goes_on_from_the_same_step(folder: Path, clock: MovableClock) -> None:
    async with opened(folder, clock) as portal:
        begun = await portal.recovery.begin(ANNA, KNOWN, CALL)
    async with opened(folder, clock) as portal:
        assert await portal.recovery.current(ANNA) == begun
        proved = await portal.recovery.confirm_code(ANNA, await last_code(portal))
    async with opened(folder, clock) as portal:
        assert await portal.recovery.current(ANNA) == proved
        done = await portal.recovery.set_password(ANNA, NEW)
    async with opened(folder, clock) as portal:
        assert await portal.recovery.current(ANNA) == done
        assert await sign_in(portal, ANNA, KNOWN, NEW)


async def test_a_phone_proved_in_another_browser_before_the_new_password_sets_none_after_it(
    portal: Portal, clock: MovableClock
) -> None:
    await prove(portal, BORIS)
    clock.move(minutes=2)
    await prove(portal, ANNA)
    assert (await portal.recovery.set_password(ANNA, NEW)).step is RecoveryStep.DONE

    assert await portal.recovery.current(BORIS) is None
    with pytest.raises(NoRecoveryInProgress):
        await portal.recovery.set_password(BORIS, "DrugoyParol58")
    assert await sign_in(portal, ANNA, KNOWN, NEW)
