"""Values that people paste, typed into the real pages: many spellings in one walk. The whole table is in `tests/real_world/`."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect

from medonline.sandbox.people import PEOPLE
from medonline.services.desk.accounts import NewAccount
from tests.e2e.conftest import NewPortal, StartServer
from tests.e2e.patients import DemoPhone, Patient, fresh_phone, patient_with
from tests.e2e.portal_in_browser import STEP_2, Portal
from tests.e2e.watching import Watch

CHILD = next(person for person in PEOPLE if person.first_name == "Анна")


def test_every_spelling_of_the_number_signs_in(portal: Portal, patient: Patient) -> None:
    tail = patient.phone[2:]
    written = (
        f"tel:{patient.phone}",
        f"моб. {patient.phone}",
        f"\u202a+7 {tail[:3]} {tail[3:6]}\u2011{tail[6:8]}\u2011{tail[8:]}\u202c",
        f"+7\u200c{tail}",
        f"+7{tail[:3]}\ufe0d{tail[3:]}",
        f"+7·{tail[:3]}·{tail[3:6]}·{tail[6:8]}·{tail[8:]}",
    )
    for typed in written:
        portal.log_in(typed, f" {patient.password} ")
        portal.log_out()


def test_two_numbers_in_one_field_are_not_cut_to_one(portal: Portal, patient: Patient, demo_phone: DemoPhone) -> None:
    portal.open_recovery().fill_phone(f"{patient.phone}, {patient.phone[:-1]}0")
    portal.button("ДАЛЕЕ").click()
    portal.expect_error("Это не похоже на номер телефона")
    portal.fill_phone(f"\u202aмоб. {patient.phone}\u202c")
    portal.button("ДАЛЕЕ").click()

    portal.expect_step(STEP_2)
    assert demo_phone.code(patient.phone)


def test_a_card_is_added_by_a_pasted_policy_and_a_date_in_words(portal: Portal, patient: Patient) -> None:
    portal.log_in(patient.phone, patient.password)
    portal.page.get_by_text("Добавить карту: свою, ребёнка или родственника").click()
    policy, born = portal.field("Номер полиса ОМС"), portal.field("Дата рождения владельца полиса")
    policy.fill(f"\u202a№ {CHILD.policy[:8]}\u200b{CHILD.policy[8:]}\u202c")
    portal.field("Я законный представитель ребёнка").check()

    born.fill("9.6.20")
    portal.button("Добавить карту").click()
    portal.expect_error("Введите год рождения четырьмя цифрами")
    born.fill(f"\u200e{CHILD.birth_date:%d\u2013%m\u2013%Y} г.")
    portal.button("Добавить карту").click()

    expect(portal.main.get_by_role("listitem").filter(has_text="Соколова Анна")).to_be_visible()


def test_the_settings_say_what_is_in_the_way_and_fill_in_a_password_at_one_tap(
    portal: Portal, patient: Patient
) -> None:
    portal.log_in(patient.phone, patient.password)
    portal.open("/settings")
    password, again = portal.field("Пароль:"), portal.field("Повторите пароль:")
    for field in (password, again):
        expect(field).to_have_attribute(
            "passwordrules", "minlength: 6; required: lower; required: upper; required: digit;"
        )
        field.fill("rokvu5-Hyzcan-ruqsyd")
    portal.button("Сохранить").click()
    expect(portal.error).to_contain_text("Вы ввели «-»")

    portal.button("Подставить надёжный пароль").click()

    expect(portal.page.get_by_text("Пароль подставлен и показан")).to_be_visible()
    expect(password).to_have_attribute("type", "text")
    suggested = password.input_value()
    expect(again).to_have_value(suggested)
    portal.look("settings with a suggested password")
    portal.button("Сохранить").click()
    expect(portal.page.get_by_role("status").filter(has_text="Сохранено: пароль")).to_be_visible()
    portal.log_out()
    portal.log_in(patient.phone, suggested)


def test_step_3_of_a_recovery_does_the_same(portal: Portal, patient: Patient, demo_phone: DemoPhone) -> None:
    portal.open_recovery().begin(patient.phone)
    portal.confirm(demo_phone.code(patient.phone))
    field = portal.field("Новый пароль")
    expect(field).to_have_attribute("passwordrules", "minlength: 8; required: lower; required: upper; required: digit;")
    portal.submit_password("rokvu5-Hyzcan-ruqsyd")
    portal.expect_error("Вы ввели «-»")
    portal.button("Подставить надёжный пароль").click()
    expect(portal.page.get_by_text("Пароль подставлен и показан")).to_be_visible()

    portal.set_password(field.input_value())


def test_without_scripts_a_form_gets_a_page_that_says_what_to_do(new_portal: NewPortal, watch: Watch) -> None:
    watch.allow_form_not_taken()
    portal = new_portal(java_script_enabled=False)
    portal.open("/recovery")
    portal.field("Номер сотового телефона").fill("+79000001001")
    portal.button("ДАЛЕЕ").click()

    expect(portal.heading("Форма не отправлена")).to_be_visible()
    expect(portal.main).to_contain_text("ничего не изменил")
    portal.page.get_by_role("link", name="Открыть страницу снова").click()
    expect(portal.field("Номер сотового телефона")).to_be_visible()


def test_where_signs_are_allowed_the_hint_says_so_and_a_browsers_password_is_taken(
    start_server: StartServer, new_context: Any
) -> None:
    server = start_server("signs", PASSWORD_CHARACTERS="ascii")
    made = patient_with(fresh_phone())
    server.add_account(
        NewAccount(made.phone, made.password, made.last_name, made.first_name, made.patronymic, made.born)
    )
    portal = Portal(new_context().new_page(), server.url)
    portal.log_in(made.phone, made.password)
    portal.open("/settings")
    expect(portal.main).to_contain_text("буквы латинского алфавита, цифры и знаки")
    for field in (portal.field("Пароль:"), portal.field("Повторите пароль:")):
        field.fill("rokvu5-Hyzcan-ruqsyd")
    portal.button("Сохранить").click()
    expect(portal.page.get_by_role("status").filter(has_text="Сохранено: пароль")).to_be_visible()
