"""Several vendors of one way: who takes over, and when nobody may."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from medonline.bootstrap import Portal
from medonline.domain.errors import (
    DeliveryFailed,
    NumberNotReachable,
    NumberRefused,
    OutOfMoney,
    ProviderDown,
    ProviderRefused,
)
from medonline.domain.password_recovery import RecoveryStep
from medonline.domain.security_journal import JournalEvent, details_of
from medonline.metrics.families import exposition
from medonline.services.codes.delivery import DeliveryState
from medonline.services.codes.dispatcher import LEASE
from medonline.services.codes.vendors import FAILURES, LONGEST, OPEN_FOR, Vendors
from medonline.storage.tables.codes import OneTimeCodeRow
from tests.metrics.reading import number as number_of
from tests.patience import PATIENCE
from tests.services.security_journal.rows import rows
from tests.services.world import (
    ANNA,
    CALL,
    KNOWN,
    MovableClock,
    ScriptedChannel,
    browser,
    code_in,
    dispatch,
    dispatcher_of,
    last_row,
    opened,
    settled,
    wrong,
)

UNREACHED = ProviderDown("refused", code="refused", may_have_gone_out=False)


def two(**of_first: object) -> tuple[ScriptedChannel, ScriptedChannel]:
    return ScriptedChannel("first", **of_first), ScriptedChannel("second", idempotent=False)  # type: ignore[arg-type]


def handed_over() -> float:
    labels = {"channel": "flash_call", "provider": "first", "reserve": "second"}
    return number_of(exposition({}), "medonline_codes_handed_over_total", **labels)


async def asked_for(portal: Portal, number: int = 0) -> OneTimeCodeRow:
    await portal.recovery.begin(
        browser(number) if number else ANNA, f"+790000020{number:02d}" if number else KNOWN, CALL
    )
    return await last_row(portal)


@pytest.mark.parametrize("error", [OutOfMoney(), ProviderRefused(), DeliveryFailed(), UNREACHED], ids=repr)
async def test_the_next_vendor_takes_over_what_the_first_certainly_did_not_send(
    portal: Portal, error: DeliveryFailed
) -> None:
    first, second = two()
    first.answers.append(error)
    row = await asked_for(portal)
    second.answers.append(wrong(code_in(portal, row), 5))  # a vendor of calls may choose the code
    before = handed_over()
    await dispatch(dispatcher_of(portal, flash_call=(first, second)))

    sent = await last_row(portal)
    assert (sent.delivery, sent.provider, sent.price) == (DeliveryState.SENT, "second", row.price)
    assert [one.idempotency_key for one in (*first.asked, *second.asked)] == [row.id, row.id]
    assert handed_over() == before + 1
    view = await portal.recovery.confirm_code(ANNA, wrong(code_in(portal, row), 5))
    assert view.step is RecoveryStep.NEW_PASSWORD


@pytest.mark.parametrize(
    "error",
    [
        ProviderDown("no answer", code="timeout"),
        ProviderRefused("an answer without a code", may_have_gone_out=True),
        NumberRefused(),
        NumberNotReachable(),
    ],
    ids=repr,
)
async def test_nobody_takes_over_what_may_have_gone_out_or_is_about_the_number(
    folder: Path, clock: MovableClock, error: DeliveryFailed
) -> None:
    first, second = two()
    first.answers.append(error)
    async with opened(folder, clock, price_flash_call="1.50") as portal:
        await asked_for(portal)
        await dispatch(dispatcher_of(portal, flash_call=(first, second)))

        row = await last_row(portal)
        assert (row.delivery, row.provider) == (DeliveryState.FAILED, "first")
        assert second.asked == []
        assert row.price == (150 if error.may_have_gone_out else 0)


async def test_when_every_vendor_refuses_the_code_has_failed_once(portal: Portal) -> None:
    first, second = two()
    first.answers.append(OutOfMoney())
    second.answers.append(ProviderRefused())
    await asked_for(portal)
    dispatcher = dispatcher_of(portal, flash_call=(first, second))
    await dispatch(dispatcher)
    await dispatch(dispatcher)

    assert (await last_row(portal)).delivery == DeliveryState.FAILED
    assert (len(first.asked), len(second.asked)) == (1, 1)


async def test_after_a_kill_the_vendor_that_may_have_called_is_asked_and_no_other(
    folder: Path, clock: MovableClock
) -> None:
    first, second = two(hold=asyncio.Event())
    async with opened(folder, clock) as portal:
        await asked_for(portal)
        dispatcher = dispatcher_of(portal, flash_call=(first, second))
        await dispatcher.outbox.turn()
        async with asyncio.timeout(PATIENCE):
            await first.arrived.wait()
        for task in dispatcher.outbox.tasks_in_hand:
            task.cancel()
        await asyncio.gather(*dispatcher.outbox.tasks_in_hand, return_exceptions=True)
    first.hold = None
    first.answers.append(OutOfMoney())  # the money may have gone into the call that was not recorded
    clock.move(seconds=LEASE.total_seconds())
    async with opened(folder, clock) as portal:
        await dispatch(dispatcher_of(portal, flash_call=(first, second)))

        assert (len(first.asked), len(second.asked)) == (2, 0)
        assert (await last_row(portal)).delivery == DeliveryState.FAILED


async def test_after_a_kill_between_two_vendors_the_row_names_the_one_asked_last(
    folder: Path, clock: MovableClock
) -> None:
    first, second = two()
    first.answers.append(OutOfMoney())
    second.hold = asyncio.Event()
    async with opened(folder, clock) as portal:
        await asked_for(portal)
        dispatcher = dispatcher_of(portal, flash_call=(first, second))
        await dispatcher.outbox.turn()
        async with asyncio.timeout(PATIENCE):
            await second.arrived.wait()
        for task in dispatcher.outbox.tasks_in_hand:
            task.cancel()
        await asyncio.gather(*dispatcher.outbox.tasks_in_hand, return_exceptions=True)
    clock.move(seconds=LEASE.total_seconds())
    async with opened(folder, clock) as portal:
        await dispatch(dispatcher_of(portal, flash_call=(first, second)))

        row = await last_row(portal)
        assert (row.provider, row.delivery) == ("second", DeliveryState.FAILED)
        assert (len(first.asked), len(second.asked)) == (1, 1)  # the second would call twice


async def test_a_code_that_was_replaced_meanwhile_is_not_handed_over(portal: Portal, clock: MovableClock) -> None:
    first, second = two(hold=asyncio.Event())
    first.answers.append(OutOfMoney())
    await asked_for(portal)
    dispatcher = dispatcher_of(portal, flash_call=(first, second))
    await dispatcher.outbox.turn()
    async with asyncio.timeout(PATIENCE):
        await first.arrived.wait()
    clock.move(seconds=60)
    await portal.recovery.resend(ANNA, CALL)
    assert first.hold is not None
    first.hold.set()
    await settled(dispatcher.outbox)

    assert second.asked == []


async def test_an_open_circuit_spares_patients_the_time_outs(portal: Portal, clock: MovableClock) -> None:
    first, second = two()
    first.answers.extend([ProviderDown()] * FAILURES)
    dispatcher = dispatcher_of(portal, flash_call=(first, second))
    for number in range(1, FAILURES + 3):
        await asked_for(portal, number)
        await dispatch(dispatcher)

    assert (len(first.asked), len(second.asked)) == (FAILURES, 2)
    clock.move(seconds=OPEN_FOR.total_seconds())
    for number in (20, 21):
        await asked_for(portal, number)
        await dispatch(dispatcher)
    assert (len(first.asked), len(second.asked)) == (FAILURES + 2, 2)  # the trial went well: closed


def test_a_circuit_lets_one_code_through_on_trial_and_waits_longer_each_time(clock: MovableClock) -> None:
    first, second = two()
    vendors = Vendors(clock, (first, second))
    for _ in range(FAILURES):
        assert vendors.first() is first
        vendors.note(first, ProviderDown())
    pause = OPEN_FOR
    for _ in range(8):
        clock.move(seconds=pause.total_seconds() - 1)
        assert vendors.first() is second
        clock.move(seconds=1)
        assert [vendors.first() for _ in range(3)] == [first, second, second]
        vendors.note(first, ProviderDown())
        pause = min(pause * 2, LONGEST)
    clock.move(seconds=pause.total_seconds())
    assert vendors.first() is first
    vendors.note(first, NumberRefused())  # it answers, so it is well
    assert [vendors.first() for _ in range(2)] == [first, first]


def test_where_no_circuit_lets_a_code_through_the_first_vendor_is_asked(clock: MovableClock) -> None:
    only = ScriptedChannel("only")
    vendors = Vendors(clock, (only,))
    for _ in range(FAILURES):
        vendors.note(only, ProviderDown())

    assert vendors.first() is only
    assert vendors.after(only) is None
    assert timedelta(0) < OPEN_FOR


async def test_the_figures_and_the_journal_name_the_vendor_that_sent(portal: Portal) -> None:
    first, second = two()
    first.answers.append(OutOfMoney())
    dispatcher = dispatcher_of(portal, flash_call=(first, second))
    row = await asked_for(portal)
    await dispatch(dispatcher)
    await portal.recovery.confirm_code(ANNA, code_in(portal, row))
    await asked_for(portal, 1)
    await dispatch(dispatcher)

    (figure,) = [one for one in await portal.desk.channel_figures.over(timedelta(hours=1)) if one.channel == CALL]
    assert figure.sent_by == {"first": 1, "second": 1}
    (accepted,) = [one for one in await rows(portal) if one.event == JournalEvent.CODE_ACCEPTED]
    assert details_of(accepted.details)["provider"] == "second"
