"""When a call alone is not enough: the birth date between step 2 and step 3, on a computer and on a phone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import NewPortal, StartServer
from tests.e2e.patients import DemoPhone, Patient, fresh_phone
from tests.e2e.portal_in_browser import BIRTH_DATE, DONE, STEP_1, STEP_3, TELEGRAM, Portal
from tests.e2e.server import Server

REFUSED = "Дата рождения не подошла"


@pytest.fixture(scope="module")
def strict_server(start_server: StartServer) -> Server:
    return start_server("step-up", STEP_UP="always", RESEND_PAUSES="1 s, 1 s")


@pytest.fixture
def server(strict_server: Server) -> Server:
    strict_server.assert_alive()
    return strict_server


def to_birth_date(portal: Portal, phone: str, demo_phone: DemoPhone) -> None:
    portal.open_recovery().begin(phone)
    portal.submit_code(demo_phone.code(phone))
    portal.expect_step(BIRTH_DATE)


@pytest.mark.parametrize("profile", ["desktop", "pixel", "iphone", "320"])
def test_the_birth_date_opens_step_3(portal: Portal, patient: Patient, demo_phone: DemoPhone) -> None:
    to_birth_date(portal, patient.phone, demo_phone)
    expect(portal.page).to_have_title("Шаг 2 из 3: дата рождения — Восстановление пароля — Медицина-онлайн")
    expect(portal.heading(BIRTH_DATE)).to_be_focused()
    portal.look("birth date")
    portal.submit_birth_date("вчера")
    portal.expect_error("Введите дату рождения: день, месяц и год, например 14.03.1985.")
    portal.submit_birth_date("09.04.1952")
    portal.expect_error("Дата рождения не подошла. Осталось 2 попытки.")
    expect(portal.field("Дата рождения")).to_have_value("09.04.1952")
    portal.look("birth date error")
    portal.page.reload()
    portal.expect_step(BIRTH_DATE)
    expect(portal.main).to_contain_text("Осталось 2 попытки.")

    portal.submit_birth_date("9.4.1951")
    portal.expect_step(STEP_3)
    portal.set_password()
    portal.expect_step(DONE)


@pytest.mark.parametrize("known", [True, False])
def test_three_wrong_dates_end_in_something_to_do(
    portal: Portal, patient: Patient, demo_phone: DemoPhone, known: bool
) -> None:
    to_birth_date(portal, patient.phone if known else fresh_phone(), demo_phone)
    for day in (1, 2, 3):
        portal.submit_birth_date(f"0{day}.01.1990")
        expect(portal.main).not_to_contain_text(f"Осталось {4 - day} попытки" if day < 3 else "Осталась 1 попытка")

    portal.expect_step(REFUSED)
    expect(portal.main).to_contain_text("Пароль не изменился.")
    expect(portal.button("Войти через Госуслуги")).to_be_visible()
    portal.look("birth date refused")
    portal.button("Указать другой номер").click()
    portal.expect_step(STEP_1)


def test_where_it_is_always_asked_no_code_replaces_the_date(
    portal: Portal, patient: Patient, demo_phone: DemoPhone
) -> None:
    to_birth_date(portal, patient.phone, demo_phone)
    expect(portal.button("Войти через Госуслуги")).to_be_visible()
    expect(portal.main).not_to_contain_text("Telegram")


def test_where_it_is_always_asked_telegram_does_not_tell_who_has_no_account(
    portal: Portal, demo_phone: DemoPhone
) -> None:
    phone = fresh_phone()
    portal.open_recovery().begin(phone, TELEGRAM)
    portal.submit_code(demo_phone.code(phone, "telegram"))
    portal.expect_step(BIRTH_DATE)


def test_gosuslugi_instead_of_the_date(portal: Portal, patient: Patient, demo_phone: DemoPhone) -> None:
    to_birth_date(portal, patient.phone, demo_phone)
    portal.button("Войти через Госуслуги").click()
    portal.page.wait_for_url(re.compile("/sandbox/gosuslugi/"))


def test_a_limit_says_until_when_and_keeps_the_number(
    new_portal: NewPortal, patient: Patient, demo_phone: DemoPhone
) -> None:
    for _ in range(3):
        other = new_portal()
        other.open_recovery().begin(patient.phone)
        other.page.wait_for_timeout(1100)
    portal = new_portal()
    portal.open_recovery()
    portal.field("Номер сотового телефона").fill(patient.phone)
    portal.button("ДАЛЕЕ").click()

    portal.expect_error("На этот номер уже отправлено много кодов. Следующий можно запросить после")
    expect(portal.error).to_contain_text("Госуслуги")
    expect(portal.field("Номер сотового телефона")).to_have_value(patient.phone)
    portal.look("limit of a phone")
