"""Notices are limited by account and by money, and no change passes untold for it (I4; docs/decisions/0016)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from medonline.bootstrap import Portal
from medonline.domain.client import Client
from medonline.domain.errors import NoticesOverBudget, NumberRefused, ProviderDown, ToldTooOften
from medonline.domain.security_journal import JournalEvent
from medonline.services.account_settings.form import SettingsForm
from medonline.services.crypto.tokens import token_hash
from medonline.services.limits.budgets import NOTICE, Budget, Spending
from medonline.services.notices.sender import RETRY_AFTER, NoticeService
from medonline.services.notices.texts import AT_DESK, ROOM, WITHOUT_LINK, About, Text, Told
from medonline.wording import notices as wording
from tests.services.account_limits import FORM, events_of, notices_of, outcome, spent_on_notices
from tests.services.notices.phone import Phone
from tests.services.outside import VERA, ScriptedIdentity, arrive, with_provider
from tests.services.world import (
    ANNA,
    BORIS,
    CALL,
    KNOWN,
    PASSWORD,
    MovableClock,
    opened,
    patient_with,
    prove,
    settled,
    sign_in,
    signed_in,
)

TOLD = 6  # a day
THIEF = Client(visitor_key="c" * 64)
MONEY = Budget(price=100, cap=1000)


def form(number: int) -> SettingsForm:
    password = f"KorablLipa{number}"
    return replace(FORM, password=password, password_confirmation=password)


@pytest.fixture
async def portal(folder: Path, clock: MovableClock) -> AsyncIterator[Portal]:
    async with opened(folder, clock, changes_per_account="1000 per 1 h") as portal:
        yield with_provider(portal, ScriptedIdentity())


@pytest.fixture
async def key(portal: Portal) -> str:
    return token_hash(await sign_in(portal, THIEF))


async def change_till_refused(portal: Portal, key: str) -> int:
    """How many passwords a thief sets before one is refused."""
    for number in range(100):
        if await outcome(portal.settings.save(signed_in(key), form(number), CALL)) != "done":
            return number
    return 100


async def send_all(service: NoticeService) -> None:
    for _ in range(5):
        await service.outbox.turn()
        await settled(service.outbox)


async def test_a_change_that_its_owner_could_not_be_told_of_is_not_made(portal: Portal, key: str) -> None:
    assert await change_till_refused(portal, key) == TOLD
    before = (await patient_with(portal)).password_hash
    with pytest.raises(ToldTooOften) as refusal:
        await portal.settings.save(signed_in(key), form(1000), CALL)

    assert refusal.value.until == portal.clock() + timedelta(days=1)
    assert (await patient_with(portal)).password_hash == before
    assert (await events_of(portal))[JournalEvent.PASSWORD_CHANGED] == len(await notices_of(portal)) == TOLD


async def test_what_nobody_is_told_of_may_still_be_saved(portal: Portal, key: str) -> None:
    await change_till_refused(portal, key)

    saved = await portal.settings.save(signed_in(key), replace(FORM, email="maria@example.ru"), CALL)
    assert saved.changed == ("email",)


async def test_a_new_number_is_refused_before_a_code_is_sent_to_it(portal: Portal, key: str) -> None:
    await change_till_refused(portal, key)
    with pytest.raises(ToldTooOften):
        await portal.settings.save(signed_in(key), replace(FORM, phone="+79000006001"), CALL)

    assert (await events_of(portal))[JournalEvent.CODE_ASKED] == 0


async def test_an_identity_is_not_linked_untold(portal: Portal, key: str) -> None:
    await change_till_refused(portal, key)
    maria = replace(VERA, last_name="Иванова", first_name="Мария", birth_date=None, phone=KNOWN, snils="")
    await arrive(portal, BORIS, maria)
    password = form(TOLD - 1).password
    with pytest.raises(ToldTooOften):
        await portal.answers.prove_by_password(BORIS, KNOWN, password)

    assert (await events_of(portal))[JournalEvent.IDENTITY_LINKED] == 0


async def test_after_a_day_there_is_room_again(portal: Portal, key: str, clock: MovableClock) -> None:
    await change_till_refused(portal, key)
    clock.move(days=1)
    key = token_hash(await sign_in(portal, THIEF, password=form(TOLD - 1).password))

    assert await change_till_refused(portal, key) == TOLD


async def test_a_recovery_is_told_and_made_however_often_somebody_changed_the_password(
    portal: Portal, key: str
) -> None:
    await change_till_refused(portal, key)
    await prove(portal, ANNA)
    await portal.recovery.set_password(ANNA, "SovsemDrugoy71")

    assert (await notices_of(portal))[-1].about == About.RECOVERED
    assert await portal.login.who(key) is None
    own = token_hash(await sign_in(portal, ANNA, password="SovsemDrugoy71"))
    assert (await portal.settings.save(signed_in(own), form(1), CALL)).changed == ("password_hash",)  # counted again


async def test_the_link_of_the_last_notice_closes_the_account_and_begins_a_new_count(
    portal: Portal, key: str, clock: MovableClock
) -> None:
    phone = Phone()
    service = NoticeService(portal.database, clock, phone, wording, portal.notices._links)
    for number in range(TOLD):
        await portal.settings.save(signed_in(key), form(number), CALL)
        await send_all(service)  # one by one: of several at once any may be the last one
        clock.move(minutes=1)
    assert len(phone.asked) == TOLD
    (token,) = re.findall(r"#([0-9a-f]{64})$", phone.asked[-1][1])
    await portal.dispute.raise_(token)

    assert await portal.login.who(key) is None
    patient = await patient_with(portal)
    with portal.database.reading() as session:
        portal.notices.admit(session, patient.id, About.PASSWORD)  # has room


async def test_what_strangers_cause_takes_no_room_from_what_the_account_does(portal: Portal, key: str) -> None:
    patient = await patient_with(portal)
    for about in (About.CARD_ASKED, About.CARD_GRANTED):
        for _ in range(TOLD):
            with portal.database.writing() as session:
                portal.notices.put(session, patient.id, Told(KNOWN, about, Text.PHONE_CHANGED))

    assert await change_till_refused(portal, key) == TOLD


def test_every_notice_has_its_room_and_every_way_in_is_counted() -> None:
    assert set(ROOM) == set(About)
    assert {about for about in About if not ROOM[about].counted_with} == {
        About.RECOVERED,
        About.CARD_ASKED,
        About.NEW_DEVICE,  # `test_new_devices.py` has its limit
        About.DISPUTED,
        *AT_DESK,  # never a reason to refuse what the desk does: `test_at_desk.py`
    }
    assert all(about not in ROOM[other].counted_with for about in WITHOUT_LINK for other in set(About) - {about})


# --- money -------------------------------------------------------------------------------------------------------


def priced(portal: Portal, phone: Phone) -> NoticeService:
    return NoticeService(portal.database, portal.clock, phone, wording, None, Spending({NOTICE: MONEY}, portal.alarms))


async def put(portal: Portal, service: NoticeService, about: About = About.CARD_GRANTED) -> None:
    patient = await patient_with(portal)
    with portal.database.writing() as session:
        service.put(session, patient.id, Told(KNOWN, about, Text.PHONE_CHANGED))


async def test_changes_leave_the_last_fifth_of_the_money_for_recoveries(
    portal: Portal, clock: MovableClock, caplog: pytest.LogCaptureFixture
) -> None:
    service = priced(portal, Phone())
    for _ in range(8):
        await put(portal, service)
    with pytest.raises(NoticesOverBudget):
        await put(portal, service)
    await put(portal, service, About.RECOVERED)

    assert await spent_on_notices(portal, clock.now) == 900
    alarms = [record.getMessage() for record in caplog.records if "ALARM" in record.getMessage()]
    assert alarms == [
        "ALARM money-runs-out: notice has spent 50 % of the day's money",
        "ALARM money-runs-out: notice has spent 80 % of the day's money",
        "ALARM notice-money-spent: 80 % of the day's money for notices are spent: changes of accounts are refused until midnight in Moscow",
    ]


async def test_without_money_for_notices_settings_are_refused_and_recovery_goes_on(
    folder: Path, clock: MovableClock
) -> None:
    async with opened(folder, clock, price_notice="1.00", daily_cap_notice="1.00") as portal:
        key = token_hash(await sign_in(portal, THIEF))
        with pytest.raises(NoticesOverBudget):
            await portal.settings.save(signed_in(key), form(1), CALL)
        await sign_in(portal, BORIS, password=PASSWORD)  # the old one
        for number in range(2):
            await prove(portal, ANNA)
            await portal.recovery.set_password(ANNA, form(number).password)
            clock.move(hours=1)
        first, second = await notices_of(portal)

        assert (first.kopecks, first.due_at) == (100, first.created_at)
        assert (second.kopecks, second.paid_at) == (0, None)
        assert second.due_at is not None
        assert timedelta() < second.due_at - clock.now < timedelta(days=1)
        assert await spent_on_notices(portal, clock.now) == 100


async def test_codes_and_notices_use_up_no_money_of_each_other(folder: Path, clock: MovableClock) -> None:
    caps = {
        "price_notice": "1.00",
        "daily_cap_notice": "1.00",
        "price_flash_call": "1.00",
        "daily_cap_flash_call": "2.00",
    }
    async with opened(folder, clock, **caps) as portal:
        for number in range(2):
            await prove(portal, ANNA)
            await portal.recovery.set_password(ANNA, form(number).password)
            clock.move(minutes=30)

        assert Counter(row.about for row in await notices_of(portal)) == {About.RECOVERED: 2}
        assert await portal.recovery.open_channels() == ("telegram",)


async def test_what_was_certainly_not_sent_is_given_back(portal: Portal, clock: MovableClock) -> None:
    service = priced(portal, Phone(failures=[NumberRefused()]))
    await put(portal, service)
    assert await spent_on_notices(portal, clock.now) == 100
    await send_all(service)

    assert await spent_on_notices(portal, clock.now) == 0


async def test_each_try_at_a_provider_that_does_not_answer_is_paid(portal: Portal, clock: MovableClock) -> None:
    phone = Phone(failures=[ProviderDown(), ProviderDown()])
    service = priced(portal, phone)
    await put(portal, service)
    for pause in RETRY_AFTER:
        await send_all(service)
        clock.move(seconds=pause.total_seconds())
    await send_all(service)

    assert len(phone.asked) == 3
    assert await spent_on_notices(portal, clock.now) == 300  # it may have sent them all the same


async def test_a_try_without_money_waits_until_midnight(portal: Portal, clock: MovableClock) -> None:
    phone = Phone(failures=[ProviderDown()])
    service = priced(portal, phone)
    for _ in range(8):
        await put(portal, service)
    await put(portal, service, About.RECOVERED)
    await put(portal, service, About.RECOVERED)
    await send_all(service)
    clock.move(seconds=RETRY_AFTER[0].total_seconds())
    await send_all(service)
    assert (len(phone.asked), await spent_on_notices(portal, clock.now)) == (10, 1000)
    (waiting,) = [row for row in await notices_of(portal) if row.sent_at is None]
    assert waiting.due_at is not None
    day, clock.now = clock.now, waiting.due_at
    await send_all(service)

    assert (len(phone.asked), await spent_on_notices(portal, clock.now)) == (11, 100)
    assert await spent_on_notices(portal, day) == 1000
