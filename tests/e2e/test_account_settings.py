"""The settings with bad input, a new phone, an old sign-in: nothing is lost, and nothing is saved by half."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.e2e.account_in_browser import Settings, choose_in_menu, end_other_sessions, proved_long_ago
from tests.e2e.conftest import GUIDE_PROFILES, NewPatient, NewPortal, StartServer
from tests.e2e.gosuslugi_in_browser import (
    IVANOVA,
    SMIRNOV,
    SOKOLOV,
    Gosuslugi,
    press_gosuslugi,
    sign_in_through_gosuslugi,
)
from tests.e2e.patients import DemoPhone, Patient, fresh_phone, patient_with, spelled
from tests.e2e.portal_in_browser import TELEGRAM, Portal
from tests.e2e.server import Server

BAD = {
    "e-mail without a domain": ("email", "vera@", "адрес"),
    "e-mail of two": ("email", "a@b.ru, c@d.ru", "адрес"),
    "name with digits": ("first_name", "Вера2", "циф"),
    "no last name": ("last_name", " ", "фамили"),
    "phone of a house": ("phone", "8 495 123-45-67", "номер"),
    "short password": ("password", "Ab1", "6 символов"),
    "Cyrillic password": ("password", "Пароль2026", "латинск"),
    "common password": ("password", "qwerty123", "пробуют первыми"),
    "own name": ("password", "Testova", "имя"),
}


@pytest.mark.parametrize("profile", GUIDE_PROFILES)
@pytest.mark.parametrize(("field", "typed", "text"), BAD.values(), ids=BAD)
def test_a_bad_field_is_named_and_nothing_is_saved_or_lost(
    portal: Portal, patient: Patient, field: str, typed: str, text: str
) -> None:
    settings = Settings.open(portal, patient)
    settings.fill(**{"email": "new@example.com", "first_name": "Вероника"} | {field: typed})
    settings.save()

    settings.expect_refused(field, text)
    assert settings.value(field) == typed
    if field != "email":
        assert settings.value("email") == "new@example.com"
    portal.look(f"settings bad {field}")
    portal.page.reload()
    expect(portal.field("Имя:")).to_have_value(patient.first_name)
    expect(portal.field("Электронная почта:")).to_have_value("")


def test_passwords_that_differ_are_refused(portal: Portal, patient: Patient) -> None:
    settings = Settings.open(portal, patient)
    settings.fill(password="Osen2026vechera", password_confirmation="Osen2026vecherA")
    settings.save()

    settings.expect_refused("password_confirmation", "не совпад")


@pytest.mark.parametrize("profile", GUIDE_PROFILES)
def test_a_new_phone_replaces_the_old_one_after_its_code(
    portal: Portal, patient: Patient, demo_phone: DemoPhone
) -> None:
    new = fresh_phone()
    settings = Settings.open(portal, patient)
    settings.fill(phone=spelled(new), email="vera@example.com")
    portal.page.get_by_text("Меняете номер?").click()
    portal.page.get_by_role("radio", name=TELEGRAM).check()
    settings.save()
    expect(portal.page.get_by_role("heading", name="Подтвердите новый номер")).to_be_focused()
    portal.look("settings new phone")
    portal.page.reload()
    expect(portal.page.get_by_role("heading", name="Подтвердите новый номер")).to_be_visible()
    expect(portal.field("Телефон:")).to_have_value(spelled(new))  # what waits is shown
    expect(portal.field("Электронная почта:")).to_have_value("vera@example.com")
    settings.save()  # and saving it again neither gives it up nor asks for another code
    expect(portal.page.get_by_role("heading", name="Подтвердите новый номер")).to_be_visible()
    portal.submit_code("000000")
    expect(portal.main).to_contain_text("попыт")
    portal.submit_code(demo_phone.code(new, "telegram"))

    settings.expect_saved("электронная почта, телефон")
    expect(portal.field("Телефон:")).to_have_value(spelled(new))
    assert demo_phone.notice(patient.phone, "номер для входа")
    portal.log_out()
    portal.log_in(new, patient.password)


def test_the_phone_of_another_account_is_refused_only_after_its_code(
    portal: Portal, new_patient: NewPatient, demo_phone: DemoPhone
) -> None:
    """Before the code, nothing shows whether a number has an account."""
    mine, other = new_patient(), new_patient()
    settings = Settings.open(portal, mine)
    settings.fill(phone=other.phone, first_name="Вероника")
    settings.save()
    expect(portal.page.get_by_role("heading", name="Подтвердите новый номер")).to_be_visible()
    portal.submit_code(demo_phone.code(other.phone))

    expect(portal.main).to_contain_text("в другом личном кабинете")
    portal.page.reload()
    expect(portal.field("Телефон:")).to_have_value(spelled(mine.phone))
    expect(portal.field("Имя:")).to_have_value(mine.first_name)


def test_a_new_phone_can_be_given_up(portal: Portal, patient: Patient) -> None:
    settings = Settings.open(portal, patient)
    settings.fill(phone=fresh_phone())
    settings.save()
    portal.button("Оставить старый номер").click()

    expect(portal.page.get_by_role("heading", name="Подтвердите новый номер")).to_have_count(0)
    expect(portal.field("Телефон:")).to_have_value(spelled(patient.phone))
    portal.page.reload()
    expect(portal.field("Телефон:")).to_have_value(spelled(patient.phone))


@pytest.fixture
def strict(start_server: StartServer, profile: str) -> Server:
    """A server where no one else uses this patient's account."""
    return start_server(f"reauthentication-{profile}")


@pytest.mark.parametrize("profile", GUIDE_PROFILES)
def test_an_old_sign_in_must_be_proved_again_and_what_was_typed_is_saved_at_once(
    new_portal: NewPortal, strict: Server
) -> None:
    portal = new_portal()
    portal.url = strict.url
    patient = patient_with(SMIRNOV.phone)
    portal.log_in(patient.phone, "Poliklinika7")
    choose_in_menu(portal, "Настройки")
    settings = Settings(portal)
    proved_long_ago(strict, patient.phone)
    settings.fill(email="smirnov2@example.com", password="Osen2026vechera")
    settings.save()
    expect(portal.page.get_by_role("heading", name="Подтвердите, что это вы")).to_be_focused()
    portal.look("settings prove again")
    portal.field("Текущий пароль").fill("Nepravilniy1")
    portal.button("Подтвердить").click()
    expect(portal.main).to_contain_text("не под")
    portal.field("Текущий пароль").fill("Poliklinika7")
    portal.button("Подтвердить").click()

    settings.expect_saved("электронная почта, пароль")  # by itself: the password is not typed a third time
    assert settings.value("email") == "smirnov2@example.com"
    assert settings.value("password") == ""


def test_an_old_sign_in_is_proved_through_gosuslugi_and_the_draft_comes_back(
    new_portal: NewPortal, strict: Server
) -> None:
    portal = new_portal()
    portal.url = strict.url
    phone = DemoPhone(strict.url)
    sign_in_through_gosuslugi(portal, phone, SMIRNOV)
    choose_in_menu(portal, "Настройки")
    settings = Settings(portal)
    proved_long_ago(strict, SMIRNOV.phone)
    settings.fill(email="draft@example.com", password="Osen2026vechera")
    settings.save()
    portal.button("Войти ещё раз через Госуслуги").click()
    Gosuslugi(portal, phone).sign_in(SMIRNOV)  # asked again, although it remembers who signed in

    expect(portal.field("Электронная почта:")).to_have_value("draft@example.com")
    assert settings.value("password") == ""  # a password is kept nowhere


@pytest.fixture
def own(server_of_profile: Callable[[str], Server], profile: str) -> Server:
    """A server where no one else signs in through Gosuslugi."""
    return server_of_profile(f"identities-{profile}")


@pytest.mark.parametrize("profile", GUIDE_PROFILES)
def test_an_account_at_gosuslugi_is_taken_off_and_opens_nothing_any_more(new_portal: NewPortal, own: Server) -> None:
    portal, phone = new_portal(), DemoPhone(own.url)
    portal.url = own.url
    press_gosuslugi(portal, phone).sign_in(IVANOVA)
    portal.field("Телефон кабинета").fill(IVANOVA.phone)
    portal.field("Пароль кабинета").fill("Zdorovie2026")
    portal.button("Подтвердить паролем").click()
    portal.expect_cards()
    choose_in_menu(portal, "Настройки")
    settings = Settings(portal)
    expect(settings.identities).to_contain_text("по паролю этого кабинета")
    settings.identities.get_by_role("button", name="Отвязать").click()
    portal.look("settings unlink gosuslugi")
    settings.identities.get_by_role("button", name="Оставить").click()
    expect(settings.identities.get_by_role("listitem")).to_have_count(1)
    settings.identities.get_by_role("button", name="Отвязать").click()
    settings.identities.get_by_role("button", name="Да, отвязать").click()

    expect(portal.page.get_by_role("status").filter(has_text="Учётная запись Госуслуг отвязана")).to_be_visible()
    expect(settings.identities).to_contain_text("не связана ни одна")
    portal.look("settings no gosuslugi")
    other = new_portal()
    other.url = own.url
    press_gosuslugi(other, phone).sign_in(IVANOVA)
    expect(other.heading("Это ваш личный кабинет?")).to_be_visible()


@pytest.mark.parametrize("profile", GUIDE_PROFILES)
def test_the_last_way_in_is_not_taken_off(new_portal: NewPortal, own: Server) -> None:
    portal, phone = new_portal(), DemoPhone(own.url)
    portal.url = own.url
    press_gosuslugi(portal, phone).sign_in(SOKOLOV)
    portal.button("Да, я согласен").click()
    portal.expect_cards()
    choose_in_menu(portal, "Настройки")
    settings = Settings(portal)
    expect(settings.identities).to_contain_text("при регистрации")
    settings.identities.get_by_role("button", name="Отвязать").click()
    settings.identities.get_by_role("button", name="Да, отвязать").click()

    expect(portal.error.first).to_be_focused()
    expect(portal.error.first).to_contain_text("только через эту учётную запись Госуслуг")
    expect(settings.identities.get_by_role("listitem")).to_have_count(1)
    portal.look("settings last way in")


def test_a_session_that_ends_while_a_form_is_filled_in_costs_nothing_that_was_typed(
    new_portal: NewPortal, patient: Patient, new_patient: NewPatient
) -> None:
    """The patient sees the reason, the sign-in, and the same form with its text. Nothing is kept of passwords, for another patient, or
    after a sign-out."""
    portal, elsewhere = new_portal(), new_portal()
    settings = Settings.open(portal, patient)
    settings.fill(email="vera@example.com", first_name="Вероника", password="Osen2026vechera")
    elsewhere.log_in(patient.phone, patient.password)
    end_other_sessions(elsewhere)
    dialog = portal.dialog("ВХОД В ЛИЧНЫЙ КАБИНЕТ")
    expect(dialog).to_contain_text("Войдите снова: вход завершён")
    expect(dialog.get_by_text("То, что вы ввели, сохранилось")).to_be_visible()
    portal.look("session over in a form")
    portal.submit_login(patient.phone, patient.password)
    portal.page.wait_for_url("**/settings")
    expect(portal.field("Электронная почта:")).to_have_value("vera@example.com")
    assert (settings.value("first_name"), settings.value("password")) == ("Вероника", "")
    assert "Osen2026vechera" not in portal.page.evaluate("JSON.stringify(sessionStorage)")
    settings.save()
    settings.expect_saved("электронная почта, имя")
    assert portal.page.evaluate("sessionStorage.getItem('medonline.draft')") is None

    # The form of the cards; then another patient at this tab.
    choose_in_menu(portal, "Мои карты")
    portal.page.get_by_text("Добавить карту: свою").click()
    portal.field("Номер полиса ОМС").fill("1234567890")
    end_other_sessions(elsewhere)
    expect(dialog.get_by_text("То, что вы ввели, сохранилось")).to_be_visible()
    portal.submit_login(patient.phone, patient.password)
    expect(portal.field("Номер полиса ОМС")).to_have_value("1234567890")
    end_other_sessions(elsewhere)
    expect(dialog.get_by_text("То, что вы ввели, сохранилось")).to_be_visible()
    other = new_patient()
    portal.submit_login(other.phone, other.password)
    portal.expect_cards()
    expect(portal.page.locator(f"[data-owner]:has-text('{other.last_name}')")).to_be_visible()
    assert portal.page.evaluate("sessionStorage.getItem('medonline.draft')") is None

    # Text that was typed but not saved is deleted at a sign-out.
    portal.page.get_by_text("Добавить карту: свою").click()
    portal.field("Номер полиса ОМС").fill("1234567890")
    portal.log_out()
    assert portal.page.evaluate("sessionStorage.getItem('medonline.draft')") is None
