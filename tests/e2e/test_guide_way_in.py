"""The guide's part A, row by row, on a desktop and a phone: the portal's way in."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import GUIDE_PROFILES
from tests.e2e.gosuslugi_in_browser import SMIRNOV, full_name, press_gosuslugi
from tests.e2e.patients import DemoPhone, Patient
from tests.e2e.portal_in_browser import LOGIN, Portal

pytestmark = pytest.mark.parametrize("profile", GUIDE_PROFILES)


def test_g01_the_main_page_tells_of_booking_and_has_the_entrance(portal: Portal) -> None:
    portal.open()

    expect(portal.main).to_contain_text("запись на приём к врачу в поликлиническое учреждение")
    # The demo has no page for this: the text says whom to contact, and promises nothing else.
    expect(portal.main).to_contain_text("обратитесь в регистратуру своей поликлиники")
    expect(portal.main.get_by_role("link", name="Записаться к врачу")).to_have_count(0)
    expect(portal.header.get_by_role("button", name="Войти", exact=True)).to_be_visible()
    portal.look("G01")


def test_g02_the_login_dialog_has_a_title_a_cross_and_two_tabs(portal: Portal) -> None:
    portal.open().header.get_by_role("button", name="Войти", exact=True).click()
    dialog = portal.dialog(LOGIN)

    expect(dialog.get_by_role("heading", name=LOGIN, exact=True)).to_be_focused()
    assert dialog.get_by_role("tab").all_inner_texts() == ["ГОСУСЛУГИ", "ЛОГИН/ПАРОЛЬ"]
    portal.look("G02")
    cross = dialog.get_by_role("button", name="Закрыть")
    expect(cross).to_have_text("×")
    cross.click()
    expect(dialog).to_be_hidden()


def test_g03_the_tab_gosuslugi_leads_there_and_back_signed_in(portal: Portal, demo_phone: DemoPhone) -> None:
    gosuslugi = press_gosuslugi(portal, demo_phone)
    gosuslugi.sign_in(SMIRNOV)

    portal.expect_cards()
    expect(portal.header.get_by_role("button", name=full_name(SMIRNOV))).to_be_visible()


def test_g04_the_tab_login_password_signs_in(portal: Portal, patient: Patient) -> None:
    dialog = portal.open().open_login()
    expect(dialog).to_contain_text("Укажите номер телефона и пароль для авторизации в личном кабинете")
    expect(dialog.get_by_role("link", name="Не могу войти", exact=True)).to_be_visible()
    portal.look("G04")

    portal.submit_login(patient.phone, patient.password)

    portal.expect_cards()
