"""«Позвоните нам»: the patient dials a number on the demo phone, the page goes on by itself, and the birth date follows."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import SHORT_PAUSES, StartServer
from tests.e2e.patients import Patient, fresh_phone
from tests.e2e.portal_in_browser import BIRTH_DATE, STEP_1, Portal
from tests.e2e.server import Server
from tests.e2e.ways_in_browser import CALL_TO_US, begin_by, choose, dial, number_to_call, switch, time_is_over

STEP = "ШАГ 2. ПОЗВОНИТЕ НАМ"
TEN_SECONDS_MS = 10_000


@pytest.fixture(scope="module")
def calls_server(start_server: StartServer) -> Server:
    return start_server("calls", CODE_CHANNELS="flash_call,telegram,inbound_call", **SHORT_PAUSES)


@pytest.fixture
def server(calls_server: Server) -> Server:
    calls_server.assert_alive()
    return calls_server


def to_the_number(portal: Portal, phone: str) -> str:
    """The number on the screen of step 2."""
    begin_by(portal, CALL_TO_US, phone)
    return number_to_call(portal)


@pytest.mark.parametrize("profile", ["desktop", "360"])
def test_a_call_leads_to_the_birth_date(portal: Portal, patient: Patient, profile: str) -> None:
    choose(portal.open_recovery(), CALL_TO_US)
    portal.look("step 1 with further ways")
    number = to_the_number(portal, patient.phone)
    portal.look("step 2, a call to us")
    expect(portal.page).to_have_title(re.compile("^Шаг 2 из 3: звонок с телефона"))
    expect(portal.heading(STEP)).to_be_focused()
    expect(portal.main.locator(".countdown")).to_have_text(re.compile(r"^, осталось [0-5]:\d\d$"))
    expect(portal.main).to_contain_text("Звонок на номер 8-800 бесплатный.")
    picture = portal.main.get_by_role("img", name="QR-код с номером, на который позвонить")
    expect(picture).to_be_visible(visible=profile == "desktop")
    expect(portal.main.get_by_role("textbox")).to_have_count(0)
    portal.page.reload()  # the same wait, no other number
    portal.expect_step(STEP)
    expect(portal.main.get_by_role("link", name=number)).to_be_visible()

    dial(portal, patient.phone, number)
    portal.expect_step(BIRTH_DATE)
    expect(portal.main).to_contain_text("Звонок с вашего номера есть.")
    expect(portal.button("Получить код в Telegram")).to_be_visible()
    portal.look("birth date after a call to us")


def test_a_call_from_another_or_a_hidden_number_is_not_counted(portal: Portal, patient: Patient) -> None:
    number = to_the_number(portal, patient.phone)
    for button in ("Позвонить с другого номера", "Позвонить, скрыв номер"):
        dial(portal, patient.phone, number, button)
    portal.button("Проверить звонок").click()
    portal.expect_error("Звонка с вашего номера пока не видно.")
    portal.look("step 2, no call seen")
    portal.page.wait_for_timeout(TEN_SECONDS_MS / 2)
    portal.expect_step(STEP)
    dial(portal, patient.phone, number)
    portal.expect_step(BIRTH_DATE)


def test_reports_that_are_lost_forged_or_come_twice_change_nothing(portal: Portal, server: Server) -> None:
    for fault in ("lost", "forged", "twice", "untold"):
        switch(server, sms_ru=fault)
        phone = fresh_phone()
        dial(portal, phone, to_the_number(portal, phone))
        if fault == "untold":
            portal.page.wait_for_timeout(TEN_SECONDS_MS)
            portal.expect_step(STEP)
            switch(server, sms_ru="none")
        portal.expect_step(BIRTH_DATE)
        portal.button("Назад").click()
        portal.expect_step(STEP_1)


def test_a_vendor_without_money_offers_another_way(portal: Portal) -> None:
    begin_by(portal, CALL_TO_US, fresh_phone("0002"))
    expect(portal.main).to_contain_text("Подтверждение звонком сейчас не работает.")
    portal.look("step 2, no number to call")
    expect(portal.button("Получить код звонком")).to_be_visible()


def test_a_wait_ends_with_something_to_do(portal: Portal, patient: Patient, server: Server) -> None:
    number = to_the_number(portal, patient.phone)
    time_is_over(server, patient.phone)
    expect(portal.main).to_contain_text("Время для звонка вышло")
    expect(portal.main.get_by_role("link", name=number)).to_have_count(0)
    expect(portal.button("Получить код звонком")).to_be_visible()
    portal.look("step 2, the call is late")
    portal.button("Получить номер ещё раз").click()
    expect(portal.main.get_by_role("link", name=number)).to_be_visible()
    dial(portal, patient.phone, number)
    portal.expect_step(BIRTH_DATE)
