"""The guide's part C, row by row, on a desktop and a phone: the personal account."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.account_in_browser import SETTINGS, Settings
from tests.e2e.conftest import GUIDE_PROFILES, NewPortal
from tests.e2e.gosuslugi_in_browser import SMIRNOV, full_name, sign_in_through_gosuslugi
from tests.e2e.patients import DemoPhone, Patient, spelled
from tests.e2e.portal_in_browser import Portal

pytestmark = pytest.mark.parametrize("profile", GUIDE_PROFILES)
LABELS = ("Телефон:", "Электронная почта:", "Фамилия:", "Имя:", "Пароль:", "Повторите пароль:")
HINT = "Пароль может содержать заглавные и строчные буквы латинского алфавита и цифры. Минимальная длина - 6 символов"


def test_g10_my_cards_shows_the_medical_cards_of_the_patient(portal: Portal, demo_phone: DemoPhone) -> None:
    sign_in_through_gosuslugi(portal, demo_phone, SMIRNOV)
    card = portal.main.get_by_role("listitem").filter(has_text="МК-001003")

    expect(card.get_by_role("heading", name="Городская поликлиника № 1 (учебная)")).to_be_visible()
    for fact in (full_name(SMIRNOV), "02.11.1979", "•••• •••• •••• 0218", "10.02.2015", "Садовая улица", "Ваша карта"):
        expect(card).to_contain_text(fact)
    expect(card).to_contain_text("Действует")
    assert SMIRNOV.policy not in portal.page.content()
    portal.look("G10")


def test_g10_every_way_of_signing_in_lands_there(portal: Portal, patient: Patient) -> None:
    portal.log_in(patient.phone, patient.password)

    expect(portal.page).to_have_url(f"{portal.url}/cards")
    expect(portal.heading("Карт пока нет")).to_be_visible()
    portal.look("G10 empty")


def test_g11_the_menu_under_the_full_name_leads_to_the_settings_and_out(portal: Portal, patient: Patient) -> None:
    portal.log_in(patient.phone, patient.password)
    button = portal.header.get_by_role("button", name=patient.full_name)
    box, width = button.bounding_box(), portal.page.viewport_size["width"]
    assert box is not None
    assert box["x"] + box["width"] > width * 0.7  # top right
    expect(portal.header.get_by_role("link", name="Настройки")).to_be_hidden()
    button.click()
    expect(button).to_have_attribute("aria-expanded", "true")
    expect(portal.button("Выйти")).to_be_visible()
    portal.look("G11")
    portal.header.get_by_role("link", name="Настройки").click()

    expect(portal.heading(SETTINGS)).to_be_focused()
    portal.log_out()


def test_g12_the_settings_have_their_fields_their_hint_and_one_button(portal: Portal, patient: Patient) -> None:
    settings = Settings.open(portal, patient)

    for label in LABELS:
        expect(portal.field(label)).to_be_visible()
    expect(portal.main).to_contain_text(HINT)
    expect(portal.field("Телефон:")).to_have_value(spelled(patient.phone))
    expect(portal.field("Фамилия:")).to_have_value(patient.last_name)
    expect(portal.field("Имя:")).to_have_value(patient.first_name)
    assert portal.field("Пароль:").input_value() == ""
    expect(settings.save_button).to_be_visible()
    portal.look("G12")


def test_g12_a_new_password_replaces_the_forgotten_one(portal: Portal, new_portal: NewPortal, patient: Patient) -> None:
    settings = Settings.open(portal, patient)
    settings.fill(password="Osen2026vechera")
    expect(portal.page.get_by_role("status").filter(has_text=re.compile("^Пароль "))).to_be_visible()
    settings.save()

    settings.expect_saved("пароль")
    expect(portal.field("Пароль:")).to_have_value("")
    portal.log_out()
    other = new_portal()
    other.open().open_login()
    other.submit_login(patient.phone, patient.password)
    other.expect_error("Телефон или пароль не подошли")
    other.submit_login(patient.phone, "Osen2026vechera")
    other.expect_cards()


def test_g12_one_button_saves_every_field(portal: Portal, patient: Patient) -> None:
    settings = Settings.open(portal, patient)
    settings.fill(email="vera@example.com", last_name="Тестова-Северная", first_name="Веруня")
    settings.save()

    settings.expect_saved("электронная почта, фамилия, имя")
    expect(portal.header).to_contain_text("Тестова-Северная Веруня")
    portal.page.reload()
    expect(portal.field("Электронная почта:")).to_have_value("vera@example.com")
    expect(portal.field("Фамилия:")).to_have_value("Тестова-Северная")
