"""Codes in MAX: in the chat with the bot, only the patient's own contact brings the code."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.patients import Patient
from tests.e2e.portal_in_browser import Portal
from tests.e2e.ways_in_browser import MAX, begin_by, open_chat

ASKED = "Ждём, когда вы поделитесь контактом"


@pytest.mark.parametrize("act", ["Чужая карточка", "Переслать", "Свой контакт через скрепку"])
def test_a_contact_that_proves_nothing_brings_no_code(portal: Portal, patient: Patient, act: str) -> None:
    begin_by(portal, MAX, patient.phone)
    chat = open_chat(portal, patient.phone)
    chat.get_by_role("button", name=act).click()
    expect(chat.get_by_text("По этому контакту код не отправлен.")).to_be_visible()
    expect(portal.main).to_contain_text(ASKED)
    chat.get_by_role("button", name="Поделиться контактом").click()

    expect(portal.main).to_contain_text("Код в чате MAX.")
    chat.close()
