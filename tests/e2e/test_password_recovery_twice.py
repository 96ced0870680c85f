"""The same step twice: double click, Enter and click, Back, Forward, a second tab."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import WebSocketRoute, expect

from tests.e2e.conftest import NewPatient
from tests.e2e.patients import DemoPhone, Patient
from tests.e2e.portal_in_browser import DONE, NEW_PASSWORD, STEP_1, STEP_2, STEP_3, Portal

ARRIVED = "Звонок дошёл"


def second_tab(portal: Portal) -> Portal:
    return Portal(portal.page.context.new_page(), portal.url)


def test_a_double_click_on_each_button_counts_once(portal: Portal, patient: Patient, demo_phone: DemoPhone) -> None:
    portal.open_recovery().fill_phone(patient.phone)
    portal.button("ДАЛЕЕ").dblclick()
    portal.expect_step(STEP_2)
    expect(portal.main).to_contain_text(ARRIVED)

    portal.field("Проверочный код").fill(demo_phone.code(patient.phone))
    portal.button("ОТПРАВИТЬ").dblclick()
    portal.expect_step(STEP_3)
    expect(portal.error).to_have_count(0)

    portal.field("Новый пароль").fill(NEW_PASSWORD)
    portal.button("СМЕНИТЬ ПАРОЛЬ").dblclick()
    portal.expect_step(DONE)
    expect(portal.error).to_have_count(0)
    expect(portal.page).to_have_title(re.compile(f"^{DONE}"))
    assert len(demo_phone.codes(patient.phone)) == 1
    portal.log_in(patient.phone, NEW_PASSWORD)


def test_enter_together_with_a_click_counts_once(portal: Portal, patient: Patient, demo_phone: DemoPhone) -> None:
    portal.open_recovery().fill_phone(patient.phone)
    portal.button("ДАЛЕЕ").evaluate("(button) => { button.form.requestSubmit(); button.click(); }")
    portal.expect_step(STEP_2)
    expect(portal.main).to_contain_text(ARRIVED)

    assert len(demo_phone.codes(patient.phone)) == 1


def test_what_is_sent_before_the_mark_of_the_answer_is_back_is_not_lost(
    portal: Portal, patient: Patient, demo_phone: DemoPhone
) -> None:
    """The error is on the screen, but the page still counts the form as in progress. On a busy server this lasts as long as a patient
    types."""
    marks = MarksHeldBack(portal)
    portal.open_recovery().begin(patient.phone)
    expect(portal.main).to_contain_text(ARRIVED)
    marks.hold()
    portal.submit_code("0000")
    portal.expect_error("Осталось 2 попытки")
    portal.button("ОТПРАВИТЬ").dblclick()  # the same code again is another attempt, once the first was answered
    expect(portal.button("ОТПРАВИТЬ")).to_have_attribute("aria-busy", "true")
    marks.let_go()
    portal.expect_error("Осталась 1 попытка")
    expect(portal.page.locator("[aria-busy]")).to_have_count(0)

    marks.hold()
    portal.submit_code("")
    portal.expect_error("цифрами")
    portal.submit_code(demo_phone.code(patient.phone))
    marks.let_go()
    portal.expect_step(STEP_3)


class MarksHeldBack:
    """The connection of one tab. It can hold back the marks that a press was handled, while the answers pass."""

    def __init__(self, portal: Portal) -> None:
        self._holds = False
        self._kept: list[Callable[[], None]] = []
        portal.page.route_web_socket("**/_event/**", self._join)

    def _join(self, page: WebSocketRoute) -> None:
        server = page.connect_to_server()
        server.on_message(lambda frame: self._pass(page, frame))

    def _pass(self, page: WebSocketRoute, frame: str | bytes) -> None:
        if self._holds and '"answered' in str(frame):
            self._kept.append(lambda: page.send(frame))
        else:
            page.send(frame)

    def hold(self) -> None:
        self._holds = True

    def let_go(self) -> None:
        self._holds = False
        while self._kept:
            self._kept.pop(0)()


def test_a_double_click_on_another_call_is_one_call(portal: Portal, patient: Patient, demo_phone: DemoPhone) -> None:
    portal.open_recovery().begin(patient.phone)
    portal.button("Позвонить ещё раз").dblclick()

    demo_phone.code(patient.phone, number=2)
    expect(portal.main).to_contain_text(ARRIVED)
    assert len(demo_phone.codes(patient.phone)) == 2


def test_back_never_resurrects_a_finished_step(portal: Portal, patient: Patient, demo_phone: DemoPhone) -> None:
    portal.open()
    portal.button("Забыли пароль?").click()
    portal.page.get_by_role("link", name="Ручной ввод данных").click()
    portal.begin(patient.phone)

    portal.page.go_back()
    expect(portal.page.get_by_role("status").filter(has_text="Вы не закончили восстановление пароля")).to_be_visible()
    portal.page.get_by_role("link", name="Продолжить").click()
    portal.expect_step(STEP_2)
    portal.confirm(demo_phone.code(patient.phone))
    portal.page.reload()
    portal.expect_step(STEP_3)
    portal.set_password()

    portal.page.go_back()
    expect(portal.page.get_by_text("Вы не закончили восстановление пароля")).to_have_count(0)
    portal.page.go_forward()
    portal.expect_step(DONE)
    portal.submit_login(patient.phone, NEW_PASSWORD)
    portal.expect_cards()
    portal.page.go_back()
    expect(portal.heading(STEP_2)).to_have_count(0)
    expect(portal.heading(STEP_3)).to_have_count(0)
    assert len(demo_phone.codes(patient.phone)) == 1


def test_the_patient_can_go_back_to_another_number_from_each_step(
    portal: Portal, new_patient: NewPatient, demo_phone: DemoPhone
) -> None:
    mistaken, patient = new_patient(), new_patient()
    portal.open_recovery().begin(mistaken.phone)
    portal.button("Изменить").click()
    portal.expect_step(STEP_1)

    portal.begin(patient.phone)
    portal.confirm(demo_phone.code(patient.phone))
    portal.button("Назад").click()

    portal.expect_step(STEP_1)


def test_a_second_tab_resumes_at_the_same_step(portal: Portal, patient: Patient, demo_phone: DemoPhone) -> None:
    portal.open_recovery().begin(patient.phone)
    second = second_tab(portal)

    second.open("/recovery").expect_step(STEP_2)
    second.confirm(demo_phone.code(patient.phone))

    # The first tab is still at the code. What it sends leads on, and costs nothing.
    portal.submit_code("0000")
    portal.expect_step(STEP_3)
    expect(portal.error).to_have_count(0)
    assert len(demo_phone.codes(patient.phone)) == 1


def test_a_tab_left_behind_says_calmly_that_the_password_is_set(
    portal: Portal, patient: Patient, demo_phone: DemoPhone
) -> None:
    portal.open_recovery().begin(patient.phone)
    second = second_tab(portal)
    second.open("/recovery").confirm(demo_phone.code(patient.phone))
    second.set_password()

    portal.submit_code("0000")

    portal.expect_step(DONE)
    expect(portal.page).to_have_title(re.compile(f"^{DONE}"))
    portal.submit_login(patient.phone, NEW_PASSWORD)
    portal.expect_cards()
