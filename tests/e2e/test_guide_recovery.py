"""The guide's part D, row by row, on a desktop and a phone: recovery by phone, and its first way through Gosuslugi."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.account_in_browser import SETTINGS, Settings
from tests.e2e.conftest import GUIDE_PROFILES
from tests.e2e.gosuslugi_in_browser import SMIRNOV, Gosuslugi
from tests.e2e.patients import DemoPhone, Patient, spelled
from tests.e2e.portal_in_browser import CALL, DONE, NEW_PASSWORD, STEP_1, TELEGRAM, Portal

pytestmark = pytest.mark.parametrize("profile", GUIDE_PROFILES)
PICKER, WAY = "Не могу войти", "Как восстановить пароль?"


@pytest.fixture
def picker(portal: Portal) -> Locator:
    portal.open().open_login().get_by_role("link", name=PICKER, exact=True).click()
    return portal.dialog(PICKER)


def test_g13_not_being_able_to_sign_in_opens_a_list_of_problems(portal: Portal, picker: Locator) -> None:
    expect(picker).to_be_visible()
    expect(picker.get_by_role("button", name="Не помню пароль")).to_be_visible()
    assert picker.get_by_role("listitem").count() > 3
    portal.look("G13")


def test_g14_a_forgotten_password_is_recovered_by_one_of_two_ways(portal: Portal, picker: Locator) -> None:
    picker.get_by_role("button", name="Не помню пароль").click()
    way = portal.dialog(WAY)
    expect(way.get_by_role("button", name="Госуслуги")).to_be_visible()
    expect(way.get_by_role("link", name="Ручной ввод данных")).to_be_visible()
    portal.look("G14")
    way.get_by_role("link", name="Ручной ввод данных").click()

    portal.expect_step(STEP_1)


def test_g14_through_gosuslugi_it_ends_at_the_new_password_in_the_settings(
    portal: Portal, picker: Locator, demo_phone: DemoPhone
) -> None:
    picker.get_by_role("button", name="Не помню пароль").click()
    portal.dialog(WAY).get_by_role("button", name="Госуслуги").click()
    Gosuslugi(portal, demo_phone).sign_in(SMIRNOV)

    expect(portal.heading(SETTINGS)).to_be_visible()
    expect(portal.field("Пароль:")).to_be_focused()
    expect(portal.field("Пароль:")).to_be_in_viewport()
    portal.look("G14 settings")
    settings = Settings(portal)
    settings.fill(password="Snova2026voshel")
    settings.save()
    settings.expect_saved("пароль")
    portal.log_out()
    portal.log_in(SMIRNOV.phone, "Snova2026voshel")


def test_g15_step_one_asks_for_the_phone_and_the_way(portal: Portal) -> None:
    portal.open_recovery()

    expect(portal.field("Номер сотового телефона")).to_be_visible()
    expect(portal.page.get_by_role("group", name="Способ получения кода")).to_be_visible()
    for way in (CALL, TELEGRAM):
        expect(portal.page.get_by_role("radio", name=way)).to_be_visible()
    expect(portal.main.locator("details")).not_to_have_attribute(
        "open", ""
    )  # ways that the guide does not name are folded away
    expect(portal.main.get_by_role("radio")).to_have_count(2)
    expect(portal.button("ДАЛЕЕ")).to_be_visible()
    expect(portal.main).to_contain_text("на который зарегистрирован личный кабинет")
    portal.look("G15")


def test_g16_the_last_four_digits_of_the_calling_number_are_the_code(
    portal: Portal, patient: Patient, demo_phone: DemoPhone
) -> None:
    portal.open_recovery().begin(patient.phone, CALL)
    expect(portal.main).to_contain_text("последние 4 цифры")
    expect(portal.field("Проверочный код")).to_be_visible()
    expect(portal.button("ОТПРАВИТЬ")).to_be_visible()
    portal.look("G16")
    portal.page.get_by_text("Код не приходит?").click()
    portal.look("G16 help")
    code = demo_phone.code(patient.phone)
    assert demo_phone.events(patient.phone)[0]["from"].endswith(code)

    assert len(code) == 4
    portal.confirm(code)


def test_g17_the_telegram_message_reads_your_code_is(portal: Portal, patient: Patient, demo_phone: DemoPhone) -> None:
    portal.open_recovery().begin(patient.phone, TELEGRAM)
    expect(portal.main).to_contain_text(
        "Откройте Telegram и укажите код, который поступил в канал «Коды подтверждения»"
    )
    expect(portal.button("ОТПРАВИТЬ")).to_be_visible()
    portal.look("G17")
    code = demo_phone.code(patient.phone, "telegram")
    assert f"Your code is {code}" in demo_phone.events(patient.phone)[0]["text"]

    portal.confirm(code)


def test_g18_step_three_asks_for_the_new_password(portal: Portal, patient: Patient, demo_phone: DemoPhone) -> None:
    portal.open_recovery().begin(patient.phone)
    portal.confirm(demo_phone.code(patient.phone))

    expect(portal.main).to_contain_text("Укажите новый пароль для входа в личный кабинет")
    expect(portal.main).to_contain_text("латинск")
    expect(portal.main).to_contain_text("8")
    expect(portal.field("Новый пароль")).to_be_visible()
    expect(portal.button("СМЕНИТЬ ПАРОЛЬ")).to_be_visible()
    portal.look("G18")
    portal.submit_password("Abc1234")
    portal.expect_error("8 символов")


def test_g19_success_is_said_and_the_new_password_signs_in_at_once(
    portal: Portal, patient: Patient, demo_phone: DemoPhone
) -> None:
    portal.open_recovery().begin(spelled(patient.phone))
    portal.confirm(demo_phone.code(patient.phone))
    portal.set_password()
    expect(portal.page.get_by_role("status").filter(has_text=DONE)).to_be_visible()
    portal.look("G19")
    expect(portal.field("Телефон")).to_have_value(spelled(patient.phone))
    portal.submit_login(patient.phone, NEW_PASSWORD)

    portal.expect_cards()
