"""Codes in MAX: the link and the QR code open a chat with the bot, and the code comes there after the contact."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import GUIDE_PROFILES, SHORT_PAUSES, StartServer
from tests.e2e.patients import DemoPhone, Patient
from tests.e2e.portal_in_browser import Portal
from tests.e2e.server import Server

MAX = "Код в MAX"
ASKED = "Ждём, когда вы поделитесь контактом"


@pytest.fixture
def server(start_server: StartServer) -> Server:
    return start_server("max", CODE_CHANNELS="flash_call,telegram,max", **SHORT_PAUSES)


def open_chat(portal: Portal, phone: str) -> Page:
    """Follow the link of the screen on the phone of this number."""
    link = portal.main.get_by_role("link", name="Открыть чат")
    # A phone cannot look at itself.
    picture = portal.main.get_by_role("img", name="QR-код со ссылкой на чат", include_hidden=True)
    expect(picture).to_be_visible(visible=not portal.page.evaluate("matchMedia('(hover: none)').matches"))
    chat = portal.page.context.new_page()
    chat.goto(str(link.get_attribute("href")))
    chat.get_by_label("Чей это телефон").fill(phone)
    chat.get_by_role("button", name="Начать").click()
    expect(chat.get_by_text("Здесь попросили код, чтобы восстановить пароль")).to_be_visible()
    return chat


@pytest.mark.parametrize("profile", GUIDE_PROFILES)
def test_a_code_in_max_leads_to_a_new_password(portal: Portal, patient: Patient, demo_phone: DemoPhone) -> None:
    portal.open_recovery()
    portal.page.get_by_text("Другие способы").click()
    portal.begin(patient.phone, MAX)
    expect(portal.main).to_contain_text(ASKED)
    portal.look("step 2 in MAX")
    chat = open_chat(portal, patient.phone)
    expect(portal.main.get_by_role("link", name="Открыть чат")).to_have_count(0)
    chat.get_by_role("button", name="Поделиться контактом").click()
    expect(portal.main).to_contain_text("Код в чате MAX.")

    portal.confirm(demo_phone.code(patient.phone, "max", number=2))
    portal.set_password()
    chat.close()


@pytest.mark.parametrize("act", ["Чужая карточка", "Переслать", "Свой контакт через скрепку"])
def test_a_contact_that_proves_nothing_brings_no_code(portal: Portal, patient: Patient, act: str) -> None:
    portal.open_recovery()
    portal.page.get_by_text("Другие способы").click()
    portal.begin(patient.phone, MAX)
    chat = open_chat(portal, patient.phone)
    chat.get_by_role("button", name=act).click()
    expect(chat.get_by_text("По этому контакту код не отправлен.")).to_be_visible()
    expect(portal.main).to_contain_text(ASKED)
    chat.get_by_role("button", name="Поделиться контактом").click()

    expect(portal.main).to_contain_text("Код в чате MAX.")
    chat.close()
