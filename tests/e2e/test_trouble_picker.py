"""«Не могу войти»: every line leads to something that the patient can do, and back."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.patients import Patient
from tests.e2e.portal_in_browser import STEP_1, TELEGRAM, Portal

TO_RECOVERY = {
    "Не помню, какой номер указан": "Попробовать номер",
    "Номер телефона сменился": "Восстановить по старому номеру",
    "Не приходит код": "Получить код другим способом",
    "Не получается войти через Госуслуги": "Восстановить пароль",
}
PICKER = "Не могу войти"
WAY = "Как восстановить пароль?"


@pytest.fixture
def picker(portal: Portal) -> Portal:
    portal.open().open_login().get_by_role("link", name=PICKER, exact=True).click()
    expect(portal.dialog(PICKER)).to_be_visible()
    return portal


@pytest.mark.parametrize(("problem", "action"), TO_RECOVERY.items(), ids=TO_RECOVERY)
def test_a_problem_has_advice_that_leads_to_the_recovery(picker: Portal, problem: str, action: str) -> None:
    picker.button(problem).click()
    expect(picker.dialog(problem)).to_be_visible()
    picker.look(f"trouble {problem}")
    picker.page.get_by_role("link", name=action, exact=True).click()

    picker.expect_step(STEP_1)


def test_every_line_of_the_picker_has_been_visited(picker: Portal) -> None:
    lines = picker.dialog(PICKER).get_by_role("listitem").all_inner_texts()

    assert set(lines) == {*TO_RECOVERY, "Не помню пароль", "Вход временно закрыт", "Нет личного кабинета"}


def test_a_forgotten_password_has_two_ways(picker: Portal) -> None:
    picker.button("Не помню пароль").click()

    expect(picker.dialog(WAY).get_by_role("button", name="Госуслуги")).to_be_visible()
    picker.page.get_by_role("link", name="Ручной ввод данных").click()
    picker.expect_step(STEP_1)
    picker.page.get_by_role("link", name="Назад", exact=True).click()
    expect(picker.dialog(WAY)).to_be_visible()


def test_whoever_has_no_account_is_led_to_the_registration(picker: Portal) -> None:
    picker.button("Нет личного кабинета").click()
    picker.look("trouble Нет личного кабинета")
    picker.dialog("Нет личного кабинета").get_by_role("link", name="Зарегистрироваться").click()

    expect(picker.heading("Регистрация: согласие на обработку персональных данных")).to_be_visible()


def test_a_closed_entrance_leads_to_the_sign_in_form(picker: Portal) -> None:
    picker.button("Вход временно закрыт").click()
    expect(picker.dialog("Вход временно закрыт")).to_contain_text("Этому браузеру сейчас ждать не нужно")
    picker.look("trouble Вход временно закрыт")
    picker.button("Войти с паролем").click()

    expect(picker.dialog("ВХОД В ЛИЧНЫЙ КАБИНЕТ")).to_be_visible()


def test_a_closed_entrance_says_until_when_and_offers_what_works(picker: Portal, patient: Patient) -> None:
    picker.open_recovery().begin(patient.phone, TELEGRAM)
    picker.open().open_login()
    for number in range(6):
        picker.submit_login(patient.phone, f"Neverniy{number}")
        picker.expect_error("не подошли" if number < 5 else "Следующая попытка возможна после")
    picker.page.get_by_role("link", name=PICKER, exact=True).click()
    picker.button("Вход временно закрыт").click()
    dialog = picker.dialog("Вход временно закрыт")

    expect(dialog).to_contain_text(re.compile(r"Следующая попытка возможна после \d\d:\d\d"))
    expect(dialog.get_by_role("button", name="Войти с паролем")).to_have_count(0)
    expect(dialog.get_by_role("link", name=re.compile("Получить код|Вернуться к вводу кода"))).to_be_visible()
    expect(dialog.get_by_role("button", name="Войти через Госуслуги")).to_be_visible()
    picker.look("trouble closed until")


def test_back_and_close_lead_one_step_back_and_out_of_every_dialog(picker: Portal) -> None:
    for problem in (*TO_RECOVERY, "Не помню пароль", "Вход временно закрыт"):
        picker.button(problem).click()
        picker.button("Назад").click()
        expect(picker.dialog(PICKER)).to_be_visible()
    picker.button("Назад").click()
    expect(picker.dialog("ВХОД В ЛИЧНЫЙ КАБИНЕТ")).to_be_visible()
    picker.button("Закрыть").click()

    expect(picker.dialog()).to_have_count(0)
    expect(picker.header.get_by_role("button", name="Войти", exact=True)).to_be_focused()


def test_the_browsers_back_closes_the_dialog_and_stays_on_the_page(picker: Portal) -> None:
    picker.button("Не приходит код").click()
    picker.page.go_back()

    expect(picker.dialog()).to_have_count(0)
    expect(picker.page).to_have_url(f"{picker.url}/")
    expect(picker.header.get_by_role("button", name="Войти", exact=True)).to_be_visible()
