"""Step 1: a text that is no Russian mobile number gets a clear error and no code. A failing way is replaced at once."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import NewPatient
from tests.e2e.patients import DemoPhone, fresh_phone
from tests.e2e.portal_in_browser import CALL, NO_ACCOUNT, STEP_1, STEP_2, TELEGRAM, Portal

BAD_NUMBERS = {
    "letters": ("мой номер", "Это не похоже на номер телефона"),
    "fixed line": ("8 495 123 45 67", "Это городской телефон"),
    "Kazakhstan": ("+7 701 123 45 67", "Это номер Казахстана"),
    "toll free": ("8 800 555 35 35", "Это бесплатный номер 8-800"),
    "extension": ("8 912 345-67-89 доб. 12", "без добавочного"),
    "too short": ("8 912 345", "не хватает цифр"),
    "empty": ("", "Введите номер сотового телефона"),
}


@pytest.mark.parametrize(("typed", "sentence"), BAD_NUMBERS.values(), ids=BAD_NUMBERS)
def test_what_is_no_russian_mobile_number_is_named_and_stays_in_the_field(
    portal: Portal, typed: str, sentence: str
) -> None:
    portal.open_recovery().fill_phone(typed)
    portal.button("ДАЛЕЕ").click()

    portal.expect_error(sentence)
    field = portal.field("Номер сотового телефона")
    expect(field).to_have_value(typed)
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description(sentence_in(portal))
    portal.error.get_by_role("link").click()
    expect(field).to_be_focused()
    portal.look("step 1 error")


def sentence_in(portal: Portal) -> str:
    return portal.error.inner_text()


@pytest.mark.parametrize("typed", ["+77011234567", "84951234567"])
def test_nothing_is_sent_to_a_refused_number(portal: Portal, demo_phone: DemoPhone, typed: str) -> None:
    portal.open_recovery().fill_phone(typed)
    portal.button("ДАЛЕЕ").click()
    portal.expect_error("код не придёт")

    assert demo_phone.events(f"+7{typed[-10:]}") == []
    portal.page.reload()
    portal.expect_step(STEP_1)


def test_an_unknown_number_sees_the_same_screens_until_the_code_proves_it(
    portal: Portal, demo_phone: DemoPhone
) -> None:
    stranger = fresh_phone()
    portal.open_recovery().begin(stranger)
    expect(portal.page.get_by_role("status").filter(has_text="Звонок дошёл")).to_be_visible()
    expect(portal.page.get_by_text("не привязан")).to_have_count(0)

    portal.submit_code(demo_phone.code(stranger))

    portal.expect_step(NO_ACCOUNT)
    portal.look("no account")
    portal.button("Указать другой номер").click()
    portal.expect_step(STEP_1)


def test_a_number_without_telegram_gets_a_call_instead_at_once(
    portal: Portal, new_patient: NewPatient, demo_phone: DemoPhone
) -> None:
    patient = new_patient("0001")
    portal.open_recovery().begin(patient.phone, TELEGRAM)

    expect(portal.main).to_contain_text("Этот номер не зарегистрирован в Telegram")
    portal.look("no Telegram")
    portal.button("Получить код звонком").click()

    expect(portal.main).to_contain_text("Вам поступит звонок")
    portal.confirm(demo_phone.code(patient.phone, "call"))


def test_with_all_providers_down_the_patient_is_told_what_to_do(portal: Portal, new_patient: NewPatient) -> None:
    portal.open_recovery().begin(new_patient("0003").phone, CALL)
    expect(portal.main).to_contain_text("Звонки сейчас не работают")

    portal.button("Получить код в Telegram").click()

    expect(portal.main).to_contain_text("Отправка через Telegram сейчас не работает")
    portal.expect_step(STEP_2)
    expect(portal.field("Проверочный код")).to_have_count(0)
    expect(portal.main).not_to_contain_text("Вам поступит звонок")
    expect(portal.button("Войти через Госуслуги")).to_be_visible()
    expect(portal.main).to_contain_text("Обратитесь в регистратуру")
    portal.look("all providers down")
    portal.button("Изменить").click()
    portal.expect_step(STEP_1)
