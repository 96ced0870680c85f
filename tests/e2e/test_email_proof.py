"""The e-mail address in the settings: a code from the mail proves it, and from then on the owner also gets notices by mail."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from medonline.services.account_settings.email_proof import DOUBLE_PRESS
from tests.e2e.account_in_browser import Settings
from tests.e2e.conftest import GUIDE_PROFILES
from tests.e2e.mailboxes import code_in
from tests.e2e.patients import Patient
from tests.e2e.portal_in_browser import Portal

HEADING = "Подтвердите электронную почту"
PROVED = "Адрес подтверждён: на него приходят уведомления о безопасности."


@pytest.mark.parametrize("profile", GUIDE_PROFILES)
def test_an_address_is_proved_and_told_of_a_change(
    portal: Portal, patient: Patient, mails: Callable[[str, int], list[dict[str, str]]]
) -> None:
    address = f"vera{patient.phone[-6:]}@example.com"
    settings = Settings.open(portal, patient)
    expect(portal.button("Подтвердить адрес")).to_have_count(0)  # there is no address yet
    settings.fill(email=address)
    settings.save()
    portal.button("Подтвердить адрес").click()
    expect(portal.page.get_by_role("heading", name=HEADING)).to_be_focused()
    portal.look("settings e-mail code")
    first = code_in(mails(address, 1)[0])

    wrong = f"{(int(first) + 1) % 10**6:06}"
    portal.field("Код из письма").fill(wrong)
    portal.button("Подтвердить").click()
    expect(portal.main.get_by_role("alert").first).to_contain_text("Код не подошёл. Осталось 2 попытки")
    portal.look("settings e-mail code wrong")
    portal.page.reload()
    expect(portal.page.get_by_role("heading", name=HEADING)).to_be_visible()  # the record knows of it, not the page
    portal.page.wait_for_timeout(DOUBLE_PRESS / timedelta(milliseconds=1))  # sooner, it is the first press again
    portal.button("Отправить код ещё раз").click()
    expect(portal.main.get_by_text("Подойдёт только код из последнего письма.")).to_be_visible()
    second = code_in(mails(address, 2)[1])
    portal.field("Код из письма").fill(second)
    portal.button("Подтвердить").click()
    expect(portal.main.get_by_text(PROVED)).to_be_visible()
    expect(portal.page.get_by_role("heading", name=HEADING)).to_have_count(0)
    portal.look("settings e-mail proved")

    settings.fill(password="KorablLipa47")
    settings.save()
    expect(portal.main.get_by_text("Сохранено")).to_be_visible()
    told = mails(address, 3)[2]
    assert told["subject"] == "Медицина-онлайн: пароль личного кабинета изменён"
    assert re.search(r"Это не вы\? http\S+/not-me#[0-9a-f]{64}", told["text"])


def test_a_mailbox_that_is_not_there_leaves_the_settings_in_order(portal: Portal, patient: Patient) -> None:
    settings = Settings.open(portal, patient)
    settings.fill(email="nobody@example.com")
    settings.save()
    portal.button("Подтвердить адрес").click()

    expect(portal.page.get_by_role("heading", name=HEADING)).to_be_visible()
    expect(portal.main).to_contain_text("Почтовая служба ответила, что адреса nobody@example.com нет.")
    expect(portal.field("Код из письма")).to_have_count(0)
    portal.look("settings e-mail unknown")
    settings.fill(email="")
    settings.save()
    expect(portal.page.get_by_role("heading", name=HEADING)).to_have_count(0)
