"""A computer of the clinic, a phone of the family: what the next person finds of a recovery."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.patients import DemoPhone, Patient
from tests.e2e.portal_in_browser import STEP_1, STEP_3, Portal

FORGET = "Прервать и забыть меня здесь"


def at_step_3(portal: Portal, patient: Patient, demo_phone: DemoPhone) -> None:
    portal.open_recovery().begin(patient.phone)
    portal.confirm(demo_phone.code(patient.phone))


def test_closing_the_wizard_ends_the_proof(portal: Portal, patient: Patient, demo_phone: DemoPhone) -> None:
    at_step_3(portal, patient, demo_phone)
    portal.page.get_by_role("link", name="Закрыть").click()
    expect(portal.heading("Запись к врачу и ваш личный кабинет")).to_be_visible()
    expect(portal.page.get_by_text("Вы не закончили восстановление пароля")).to_have_count(0)

    portal.open("/recovery")
    portal.expect_step(STEP_1)


def test_back_to_the_start_page_and_forward_again_is_no_way_to_step_3(
    portal: Portal, patient: Patient, demo_phone: DemoPhone
) -> None:
    portal.open()
    at_step_3(portal, patient, demo_phone)
    portal.page.go_back()
    expect(portal.heading("Запись к врачу и ваш личный кабинет")).to_be_visible()
    portal.page.go_forward()

    portal.expect_step(STEP_1)


def test_a_browser_that_was_closed_has_no_proof(portal: Portal, patient: Patient, demo_phone: DemoPhone) -> None:
    at_step_3(portal, patient, demo_phone)
    portal.page.reload()
    portal.expect_step(STEP_3)
    context = portal.page.context
    kept = [cookie for cookie in context.cookies() if cookie["expires"] != -1]
    context.clear_cookies()
    context.add_cookies(kept)  # type: ignore[arg-type]
    portal.open("/recovery")

    portal.expect_step(STEP_1)


def test_on_a_wide_screen_there_is_a_way_to_leave_nothing(
    portal: Portal, patient: Patient, demo_phone: DemoPhone
) -> None:
    at_step_3(portal, patient, demo_phone)
    portal.look("step 3 on a shared computer")
    portal.button(FORGET).click()
    expect(portal.heading("Запись к врачу и ваш личный кабинет")).to_be_visible()

    portal.open("/recovery")
    portal.expect_step(STEP_1)
    expect(portal.field("Номер сотового телефона")).to_have_value("")


@pytest.mark.parametrize("profile", ["390"])
def test_a_phone_does_not_ask_whose_it_is(portal: Portal, patient: Patient, demo_phone: DemoPhone) -> None:
    at_step_3(portal, patient, demo_phone)

    expect(portal.button(FORGET)).to_have_count(0)
