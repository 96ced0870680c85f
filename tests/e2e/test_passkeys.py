"""Sign-in by fingerprint, face or PIN: offered once, added, used, named, removed. After a forgotten password: test_every_way."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.account_in_browser import Settings
from tests.e2e.authenticator import Authenticator
from tests.e2e.conftest import GUIDE_PROFILES, NewPortal
from tests.e2e.passkeys_in_browser import ADD, ADDED, BY_PASSKEY, NAMES, OFFER, add, by_name, section
from tests.e2e.patients import DemoPhone, Patient
from tests.e2e.portal_in_browser import LOGIN, NEW_PASSWORD, Portal


@pytest.fixture
def portal(new_portal: NewPortal) -> Portal:
    return by_name(new_portal())


@pytest.fixture
def authenticator(portal: Portal) -> Authenticator:
    return Authenticator(portal.page)


@pytest.mark.parametrize("profile", GUIDE_PROFILES)
def test_it_is_offered_once_and_then_opens_the_account_by_a_press(
    portal: Portal, authenticator: Authenticator, patient: Patient
) -> None:
    portal.log_in(patient.phone, patient.password)
    expect(portal.heading(OFFER)).to_be_visible()
    portal.look("passkey offer", names=NAMES)
    portal.button("Добавить").click()
    expect(portal.main).to_contain_text(ADDED)
    expect(portal.button("Не сейчас")).to_be_hidden()
    assert len(authenticator.keys) == 1
    portal.log_out()

    authenticator.look(False)  # what waits in the open dialog gets no answer
    portal.open_login()
    portal.look("passkey in the sign-in", names=NAMES)
    authenticator.look(True)
    portal.button(BY_PASSKEY).click()
    portal.expect_cards()
    expect(portal.heading(OFFER)).to_be_hidden()


def test_not_now_is_an_answer(portal: Portal, authenticator: Authenticator, patient: Patient) -> None:
    portal.log_in(patient.phone, patient.password)
    with portal.page.expect_response(
        "**/passkeys/offer"
    ):  # gone from the screen it is at once, from the record with this
        portal.button("Не сейчас").click()
    expect(portal.heading(OFFER)).to_be_hidden()
    portal.log_out()
    portal.log_in(patient.phone, patient.password)
    with portal.page.expect_response("**/passkeys/offer"):
        portal.page.reload()

    expect(portal.heading("Мои карты")).to_be_visible()
    expect(portal.heading(OFFER)).to_be_hidden()
    assert authenticator.keys == []


@pytest.mark.parametrize("profile", GUIDE_PROFILES)
def test_the_settings_list_name_and_remove_it(portal: Portal, authenticator: Authenticator, patient: Patient) -> None:
    add(portal, patient)
    portal.look("passkeys in the settings", names=NAMES)
    mine = section(portal)
    mine.get_by_role("button", name=ADD).click()
    expect(mine).to_contain_text("На этом устройстве такой вход уже добавлен.")

    mine.get_by_text("Переименовать", exact=True).click()
    mine.get_by_label("Название").fill("Телефон мамы")
    mine.get_by_role("button", name="Сохранить название").click()
    expect(mine.get_by_text("Телефон мамы", exact=True)).to_be_visible()
    mine.get_by_role("button", name="Убрать вход Телефон мамы").click()
    mine.get_by_role("button", name="Да, убрать").click()
    expect(mine).to_contain_text("Вход по отпечатку, лицу или PIN «Телефон мамы» убран.")
    portal.log_out()

    portal.open_login()  # what waits there is answered with the key that was removed
    status = portal.dialog(LOGIN).get_by_role("status").filter(has_text="больше не открывает личный кабинет")
    expect(status).to_be_visible()
    assert authenticator.keys == []  # the device has forgotten it
    portal.look("passkey removed", names=NAMES)


@pytest.mark.parametrize("profile", GUIDE_PROFILES)
def test_the_browser_offers_it_in_the_field_of_the_telephone(
    portal: Portal, authenticator: Authenticator, patient: Patient
) -> None:
    add(portal, patient)
    portal.log_out()
    portal.header.get_by_role("button", name="Войти", exact=True).click()

    portal.expect_cards()  # the virtual device answers the question that waits in the open dialog


@pytest.mark.parametrize("profile", GUIDE_PROFILES)
def test_it_is_offered_again_after_a_recovery_that_took_it_off(
    portal: Portal, authenticator: Authenticator, patient: Patient, demo_phone: DemoPhone
) -> None:
    add(portal, patient)
    portal.log_out()
    portal.open_recovery().begin(patient.phone)
    portal.confirm(demo_phone.code(patient.phone))
    portal.set_password()
    authenticator.look(False)
    portal.log_in(patient.phone, NEW_PASSWORD)
    expect(portal.heading(OFFER)).to_be_visible()
    authenticator.look(True)
    portal.button("Добавить").click()

    expect(portal.main).to_contain_text(ADDED)


def test_a_device_that_does_not_look_who_holds_it_opens_nothing(
    portal: Portal, authenticator: Authenticator, patient: Patient
) -> None:
    add(portal, patient)
    portal.log_out()
    authenticator.look(False)
    portal.open_login()
    portal.button(BY_PASSKEY).click()

    expect(portal.dialog(LOGIN).get_by_text("Вы отменили, или время вышло.")).to_be_visible()


def test_under_another_name_of_the_portal_nothing_is_shown_of_it(new_portal: NewPortal, patient: Patient) -> None:
    elsewhere = new_portal()  # by its address
    Authenticator(elsewhere.page)
    with elsewhere.page.expect_response("**/passkeys/host"):
        elsewhere.open().open_login()

    expect(elsewhere.button(BY_PASSKEY)).to_be_hidden()
    Settings.open(elsewhere, patient)
    expect(elsewhere.page.get_by_text("по этому адресу портала так войти нельзя")).to_be_visible()
