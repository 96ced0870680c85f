"""The main job: from the start page to «Мои карты» with a new password, by call and by Telegram, on three devices."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import PROFILES, NewPortal
from tests.e2e.patients import DemoPhone, Kind, Patient, spelled
from tests.e2e.portal_in_browser import CALL, DONE, NEW_PASSWORD, STEP_1, STEP_2, STEP_3, TELEGRAM, Portal

WAYS: list[tuple[str, Kind]] = [(CALL, "call"), (TELEGRAM, "telegram")]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(("way", "kind"), WAYS, ids=["call", "telegram"])
def test_a_forgotten_password_is_recovered_and_the_new_one_signs_in(
    portal: Portal, patient: Patient, demo_phone: DemoPhone, way: str, kind: Kind
) -> None:
    portal.open()
    expect(portal.main).to_contain_text("запись на приём к врачу в поликлиническое учреждение")
    portal.look("main page")
    dialog = portal.open_login()
    expect(dialog).to_contain_text("Укажите номер телефона и пароль для авторизации в личном кабинете")
    portal.look("login")
    dialog.get_by_role("link", name="Не могу войти", exact=True).click()
    portal.look("trouble picker")
    portal.button("Не помню пароль").click()
    portal.look("way of recovery")
    portal.page.get_by_role("link", name="Ручной ввод данных").click()

    portal.expect_step(STEP_1)
    expect(portal.page).to_have_title("Шаг 1 из 3: телефон — Восстановление пароля — Медицина-онлайн")
    portal.look("step 1")
    portal.begin(spelled(patient.phone), way)
    expect(portal.page).to_have_title("Шаг 2 из 3: проверочный код — Восстановление пароля — Медицина-онлайн")
    expect(portal.heading(STEP_2)).to_be_focused()
    expect(portal.main).to_contain_text(spelled(patient.phone))
    arrived = "Звонок дошёл" if kind == "call" else "Сообщение прочитано"
    expect(portal.page.get_by_role("status").filter(has_text=arrived)).to_be_visible()
    portal.look(f"step 2 {kind}")

    portal.confirm(demo_phone.code(patient.phone, kind))
    expect(portal.page).to_have_title("Шаг 3 из 3: новый пароль — Восстановление пароля — Медицина-онлайн")
    expect(portal.heading(STEP_3)).to_be_focused()
    portal.look("step 3")
    portal.set_password()
    expect(portal.page.get_by_role("status").filter(has_text=DONE)).to_be_visible()
    portal.look("success")

    expect(portal.field("Телефон")).to_have_value(spelled(patient.phone))
    portal.submit_login(spelled(patient.phone), NEW_PASSWORD)
    portal.expect_cards()
    expect(portal.header).to_contain_text(patient.full_name)
    portal.look("cards")
    assert [event["kind"] for event in demo_phone.codes(patient.phone)] == [kind]


def test_the_old_password_is_refused_after_a_recovery(portal: Portal, patient: Patient, demo_phone: DemoPhone) -> None:
    _recover(portal, patient, demo_phone)

    portal.open().open_login()
    portal.submit_login(patient.phone, patient.password)

    expect(portal.error).to_contain_text("Телефон или пароль не подошли")


def test_a_recovery_ends_the_sessions_of_all_other_devices(
    portal: Portal, new_portal: NewPortal, patient: Patient, demo_phone: DemoPhone
) -> None:
    other_device = new_portal()
    other_device.log_in(patient.phone, patient.password)

    _recover(portal, patient, demo_phone)

    expect(portal.main).to_contain_text("Вы вышли из личного кабинета на всех устройствах")
    expect(portal.main.get_by_role("link", name="Не могу войти", exact=True)).to_have_attribute(
        "href", "/#login-trouble"
    )
    expect(other_device.dialog("ВХОД В ЛИЧНЫЙ КАБИНЕТ")).to_be_visible()
    expect(other_device.page.get_by_text("Здравствуйте")).to_have_count(0)
    other_device.open("/cards")
    expect(other_device.dialog("ВХОД В ЛИЧНЫЙ КАБИНЕТ")).to_be_visible()
    expect(other_device.page.get_by_text(patient.last_name)).to_have_count(0)


def _recover(portal: Portal, patient: Patient, demo_phone: DemoPhone) -> None:
    portal.open_recovery().begin(patient.phone)
    portal.confirm(demo_phone.code(patient.phone))
    portal.set_password()
