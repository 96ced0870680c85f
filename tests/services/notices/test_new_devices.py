"""A sign-in from a new device is told to phone and mailbox, so often and no oftener, and «это не я» answers it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import select

from medonline.bootstrap import Portal
from medonline.domain.device import Device
from medonline.domain.errors import InvalidCredentials
from medonline.domain.login import LoginMethod
from medonline.domain.security_journal import JournalEvent
from medonline.services.crypto.tokens import token_hash
from medonline.services.notices.queue import MAX_TEXT
from medonline.services.notices.texts import About
from medonline.storage.tables.passkeys import Passkey
from medonline.wording.notices import NewDeviceSentences
from tests.services.account_limits import notices_of, spent_on_notices
from tests.services.notices.mailboxes import mailed, proves
from tests.services.notices.mailboxes import token_in as token_in_mail
from tests.services.notices.phone import token_in, told
from tests.services.passkeys import device as passkeys
from tests.services.world import (
    ANNA,
    BORIS,
    KNOWN,
    PASSWORD,
    START,
    MovableClock,
    browser,
    opened,
    patient_with,
    prove,
    sign_in,
)

MOSCOW = ZoneInfo("Europe/Moscow")
SENTENCES = NewDeviceSentences(MOSCOW)
ADDRESS = "anna@example.ru"


def portal_with(folder: Path, clock: MovableClock, **settings: object) -> AbstractAsyncContextManager[Portal]:
    return opened(folder, clock, **{"new_device_notices": "all"} | settings)


@pytest.fixture
async def portal(folder: Path, clock: MovableClock) -> AsyncIterator[Portal]:
    async with portal_with(folder, clock) as portal:
        yield portal


async def test_phone_and_mailbox_are_told_each_with_a_link_of_its_own(portal: Portal) -> None:
    await proves(portal, ADDRESS)
    await sign_in(portal, replace(ANNA, device=Device("Firefox, Linux", "192.0.2.x")))

    ((number, text),), ((address, mail),) = await told(portal), await mailed(portal)
    assert (number, address) == (KNOWN, ADDRESS)
    said = "Медицина-онлайн: вход в кабинет 2 марта в 15:00 по паролю с незнакомого устройства: Firefox, Linux."
    assert text.startswith(f"{said} Это не вы? ")
    assert mail.text.startswith(said)
    assert mail.subject == "Медицина-онлайн: вход в личный кабинет с незнакомого устройства"
    assert token_in(text) != token_in_mail(mail)


async def test_a_day_has_so_many_and_the_last_one_says_so(portal: Portal, clock: MovableClock) -> None:
    lasts: list[bool] = []
    for number in range(5):
        await sign_in(portal, browser(number))
        # One by one: of several at once any may come last.
        lasts += ["последнее" in text for _, text in await told(portal)]
        clock.move(minutes=1)

    assert lasts == [False, False, True]  # and every sign-in was let in
    clock.move(days=1)
    await sign_in(portal, browser(9))
    assert len(await told(portal)) == 1


async def test_the_owners_recovery_begins_a_new_count(portal: Portal, clock: MovableClock) -> None:
    for number in range(4):
        await sign_in(portal, browser(number))
    clock.move(minutes=1)
    await prove(portal, ANNA)
    await portal.recovery.set_password(ANNA, "KorablLipa47")
    await told(portal)
    clock.move(minutes=1)

    await sign_in(portal, browser(9), password="KorablLipa47")
    assert len(await told(portal)) == 1


async def test_they_take_no_room_from_changes(portal: Portal) -> None:
    for number in range(4):
        await sign_in(portal, browser(number))
    patient = await patient_with(portal)

    with portal.database.reading() as session:
        portal.notices.admit(session, patient.id, About.PASSWORD)
    assert {notice.about for notice in await notices_of(portal)} == {About.NEW_DEVICE}


@pytest.mark.parametrize(("how", "texts", "mails"), [("email", 0, 1), ("none", 0, 0)])
async def test_the_setting_says_how_it_is_told(
    folder: Path, clock: MovableClock, how: str, texts: int, mails: int
) -> None:
    async with portal_with(folder, clock, new_device_notices=how) as portal:
        await proves(portal, ADDRESS)
        await sign_in(portal, ANNA)

        assert (len(await told(portal)), len(await mailed(portal))) == (texts, mails)


async def test_with_little_money_left_the_mail_still_goes_and_the_sign_in_is_made(
    folder: Path, clock: MovableClock
) -> None:
    async with portal_with(folder, clock, price_notice="10", daily_cap_notice="40") as portal:
        await proves(portal, ADDRESS)
        for number in range(3):
            await sign_in(portal, browser(number))

        assert (len(await told(portal)), len(await mailed(portal))) == (2, 3)
        assert await spent_on_notices(portal, clock()) == 2000  # kopecks: half of the day's


async def test_nobody_to_tell_is_no_reason_to_refuse(folder: Path, clock: MovableClock) -> None:
    async with portal_with(folder, clock, notice_provider="none", mail_provider="none") as portal:
        assert await sign_in(portal, ANNA)
        assert await notices_of(portal) == []


async def test_the_link_ends_what_the_stranger_is_in_by_and_what_was_added_meanwhile(
    portal: Portal, clock: MovableClock
) -> None:
    thief = replace(BORIS, session_key=token_hash(await sign_in(portal, BORIS)))
    ((_, text),) = await told(portal)
    clock.move(minutes=1)
    await passkeys.add(portal, thief, passkeys.Device())
    await portal.dispute.raise_(token_in(text))

    assert await portal.login.who(thief.session_key) is None
    with pytest.raises(InvalidCredentials):
        await portal.login.log_in(BORIS, KNOWN, PASSWORD)
    with portal.database.reading() as session:
        assert session.exec(select(Passkey)).all() == []
    rows = [row async for row in portal.journal_keeper.everything() if row["event"] == JournalEvent.DISPUTED]
    assert [(row["details"]["about"], row["details"]["passkeys"]) for row in rows] == [("new_device", 1)]
    assert "number" not in rows[0]["details"]


@pytest.mark.parametrize(("by_mail", "address"), [(False, ""), (True, ADDRESS)], ids=["by text", "by mail"])
async def test_an_address_that_was_proved_of_late_goes_unless_the_link_came_there(
    portal: Portal, clock: MovableClock, by_mail: bool, address: str
) -> None:
    await proves(portal, ADDRESS, clock())  # by a stranger, before they signed in once more: the older link has ended
    clock.move(minutes=5)
    await sign_in(portal, BORIS)
    ((_, text),), ((_, mail),) = await told(portal), await mailed(portal)
    await portal.dispute.raise_(token_in_mail(mail) if by_mail else token_in(text))

    patient = await patient_with(portal)
    assert (patient.proved_email, patient.email) == (address, address)


async def test_an_address_of_long_before_stays(portal: Portal, clock: MovableClock) -> None:
    await proves(portal, ADDRESS, clock() - timedelta(days=8))
    await sign_in(portal, BORIS)
    ((_, text),) = await told(portal)
    await portal.dispute.raise_(token_in(text))

    assert (await patient_with(portal)).proved_email == ADDRESS


@pytest.mark.parametrize("method", LoginMethod)
@pytest.mark.parametrize("is_last", [False, True])
def test_the_longest_sentence_leaves_room_for_the_link(method: LoginMethod, is_last: bool) -> None:
    at = datetime(2026, 9, 30, 12, tzinfo=MOSCOW)
    said = SENTENCES.new_device(method, "Браузер Samsung, Chrome OS", at, is_last=is_last)
    link = f"https://{'lichniy-kabinet.zdrav.example.ru':->32}/not-me#{'0' * 64}"

    assert len(f"{said} Это не вы? {link}") <= MAX_TEXT


@pytest.mark.parametrize(
    ("device", "said"),
    [
        ("Chrome Mobile iOS, iPhone", "с незнакомого устройства: Chrome, iPhone."),
        ("verni-dengi.example, iOS", "с незнакомого устройства: iOS."),
        ("Ваш счёт закрыт, звоните +79000000000", "с незнакомого устройства."),
        ("", "с незнакомого устройства."),
    ],
)
def test_no_word_of_a_stranger_comes_to_the_owner_in_the_portals_message(device: str, said: str) -> None:
    assert SENTENCES.new_device(LoginMethod.PASSWORD, device, START, is_last=False).endswith(said)
