"""A sign-in in a browser that was never here before: the owner's phone and mailbox say so, and «это не я» closes the account."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.e2e.account_in_browser import Settings
from tests.e2e.conftest import GUIDE_PROFILES, NewPortal
from tests.e2e.mailboxes import code_in
from tests.e2e.patients import DemoPhone, Patient
from tests.e2e.portal_in_browser import Portal

WORDS = "с незнакомого устройства"
QUESTION = "В личный кабинет вошли или изменили его не вы?"
NAMES = frozenset({"PIN"})


def link_in(text: str) -> str:
    found = re.search(r"Это не вы\? (\S+/not-me#[0-9a-f]{64})", text)
    assert found is not None, text
    return found[1]


def prove_address(portal: Portal, settings: Settings, address: str, code: Callable[[], str]) -> None:
    settings.fill(email=address)
    settings.save()
    portal.button("Подтвердить адрес").click()
    portal.field("Код из письма").fill(code())
    portal.button("Подтвердить").click()
    expect(portal.main.get_by_text("Адрес подтверждён")).to_be_visible()


@pytest.mark.parametrize("profile", GUIDE_PROFILES)
def test_the_owner_is_told_by_phone_and_mail_and_closes_the_account_by_the_mail(
    portal: Portal,
    new_portal: NewPortal,
    patient: Patient,
    demo_phone: DemoPhone,
    mails: Callable[[str, int], list[dict[str, str]]],
) -> None:
    address = f"nina{patient.phone[-6:]}@example.com"
    settings = Settings.open(portal, patient)
    prove_address(portal, settings, address, lambda: code_in(mails(address, 1)[0]))
    first = demo_phone.notice(patient.phone, WORDS)
    assert re.search(r"вход в кабинет \d+ [а-я]+ в \d\d:\d\d по паролю с незнакомого устройства", first)
    told = sum(WORDS in text for text in demo_phone.notices(patient.phone))

    # The owner's own browser is known from now on.
    portal.log_out()
    portal.log_in(patient.phone, patient.password)
    thief = new_portal()
    thief.log_in(patient.phone, patient.password)
    mail = next(one for one in mails(address, 2)[::-1] if WORDS in one["text"])
    assert mail["subject"] == "Медицина-онлайн: вход в личный кабинет с незнакомого устройства"
    by_phone = demo_phone.notice(patient.phone, WORDS, number=told + 1)  # beside the mail, perhaps after it
    assert sum(WORDS in text for text in demo_phone.notices(patient.phone)) == told + 1
    assert link_in(by_phone) != link_in(mail["text"])

    reader = new_portal()
    reader.page.goto(f"{reader.url}/sandbox/inbox?address={address}")
    expect(reader.page.get_by_text(WORDS).first).to_be_visible()
    reader.page.goto(link_in(mail["text"]))
    expect(reader.heading(QUESTION)).to_be_visible()
    reader.look("not-me-new-device", names=NAMES)
    reader.button("Это не я, закрыть кабинет").click()
    expect(reader.heading("Личный кабинет закрыт от посторонних")).to_be_visible()
    reader.look("not-me-new-device-done", names=NAMES)

    expect(thief.dialog()).to_be_visible()  # thrown out at once
    assert patient.last_name not in thief.page.inner_text("body")
    thief.open().open_login()
    thief.submit_login(patient.phone, patient.password)
    expect(thief.error).to_contain_text("не подошли")
