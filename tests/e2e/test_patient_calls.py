"""«Позвоните нам»: the patient dials a number on the demo phone, the page goes on by itself, and the birth date follows."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import GUIDE_PROFILES, SHORT_PAUSES, StartServer
from tests.e2e.patients import DemoPhone, Patient, fresh_phone
from tests.e2e.portal_in_browser import BIRTH_DATE, NEW_PASSWORD, STEP_1, STEP_3, Portal
from tests.e2e.server import Server

WAY = "Позвоните нам"
STEP = "ШАГ 2. ПОЗВОНИТЕ НАМ"
WAITING = "Ждём вашего звонка"
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
    portal.open_recovery()
    portal.page.get_by_text("Другие способы").click()
    portal.fill_phone(phone, WAY)
    portal.look("step 1 with a call to us")
    portal.button("ДАЛЕЕ").click()
    portal.expect_step(STEP)
    expect(portal.main).to_contain_text(WAITING)
    link = portal.main.get_by_role("link", name=re.compile(r"^\+7 \d{3} \d{3}-\d\d-\d\d$"))
    number = link.inner_text()
    expect(link).to_have_attribute("href", f"tel:{re.sub('[ -]', '', number)}")
    return number


def dial(portal: Portal, server: Server, phone: str, number: str, button: str = "Позвонить") -> None:
    """On the dialler of this phone."""
    dialler: Page = portal.page.context.new_page()
    dialler.goto(f"{server.url}/sandbox/phone?number={phone.replace('+', '%2B')}")
    dialler.get_by_role("link", name="Позвонить на номер…").click()
    dialler.get_by_label("На какой номер").fill(number)
    dialler.get_by_role("button", name=button, exact=True).click()
    expect(dialler.get_by_role("status")).to_contain_text("сброшен")
    dialler.close()


def switch(server: Server, fault: str) -> None:
    """What goes wrong at SMS.ru."""
    address, origin = f"{server.url}/sandbox/code-faults.json", {"Origin": server.url}
    httpx.put(address, json={"sms_ru": fault}, headers=origin, trust_env=False).raise_for_status()


@pytest.mark.parametrize("profile", [*GUIDE_PROFILES, "360"])
def test_a_call_and_the_birth_date_lead_to_a_new_password(
    portal: Portal, server: Server, patient: Patient, demo_phone: DemoPhone, profile: str
) -> None:
    number = to_the_number(portal, patient.phone)
    expect(portal.page).to_have_title(re.compile("^Шаг 2 из 3: звонок с телефона"))
    expect(portal.heading(STEP)).to_be_focused()
    expect(portal.main.locator(".countdown")).to_have_text(re.compile(r"^, осталось [0-5]:\d\d$"))
    expect(portal.main).to_contain_text("Звонок на номер 8-800 бесплатный.")
    picture = portal.main.get_by_role("img", name="QR-код с номером, на который позвонить")
    expect(picture).to_be_visible(visible=profile == "desktop")
    expect(portal.main.get_by_role("textbox")).to_have_count(0)
    portal.look("step 2, a call to us")
    portal.page.reload()  # the same wait, no other number
    portal.expect_step(STEP)
    expect(portal.main.get_by_role("link", name=number)).to_be_visible()

    dial(portal, server, patient.phone, number)
    portal.expect_step(BIRTH_DATE)
    expect(portal.main).to_contain_text("Звонок с вашего номера есть.")
    expect(portal.button("Получить код в Telegram")).to_be_visible()
    portal.look("birth date after a call to us")
    portal.submit_birth_date("9.4.1951")
    portal.expect_step(STEP_3)
    portal.set_password()
    portal.log_in(patient.phone, NEW_PASSWORD)
    portal.expect_cards()
    assert demo_phone.events(patient.phone) != []  # the owner is told of the new password


def test_a_call_from_another_or_a_hidden_number_is_not_counted(
    portal: Portal, server: Server, patient: Patient
) -> None:
    number = to_the_number(portal, patient.phone)
    for button in ("Позвонить с другого номера", "Позвонить, скрыв номер"):
        dial(portal, server, patient.phone, number, button)
    portal.button("Проверить звонок").click()
    portal.expect_error("Звонка с вашего номера пока не видно.")
    portal.look("step 2, no call seen")
    portal.page.wait_for_timeout(TEN_SECONDS_MS / 2)
    portal.expect_step(STEP)
    dial(portal, server, patient.phone, number)
    portal.expect_step(BIRTH_DATE)


def test_reports_that_are_lost_forged_or_come_twice_change_nothing(portal: Portal, server: Server) -> None:
    for fault in ("lost", "forged", "twice", "untold"):
        switch(server, fault)
        phone = fresh_phone()
        dial(portal, server, phone, to_the_number(portal, phone))
        if fault == "untold":
            portal.page.wait_for_timeout(TEN_SECONDS_MS)
            portal.expect_step(STEP)
            switch(server, "none")
        portal.expect_step(BIRTH_DATE)
        portal.button("Назад").click()
        portal.expect_step(STEP_1)


def test_a_vendor_without_money_offers_another_way(portal: Portal, server: Server, demo_phone: DemoPhone) -> None:
    phone = fresh_phone("0002")
    portal.open_recovery()
    portal.page.get_by_text("Другие способы").click()
    portal.fill_phone(phone, WAY)
    portal.button("ДАЛЕЕ").click()
    expect(portal.main).to_contain_text("Подтверждение звонком сейчас не работает.")
    portal.look("step 2, no number to call")
    expect(portal.button("Получить код звонком")).to_be_visible()


class TestAShortWait:
    @pytest.fixture
    def server(self, start_server: StartServer) -> Server:
        return start_server(
            "short-calls", CODE_CHANNELS="flash_call,inbound_call", CODE_LIFE_INBOUND_CALL="6 s", **SHORT_PAUSES
        )

    def test_it_ends_with_something_to_do(self, portal: Portal, server: Server, patient: Patient) -> None:
        number = to_the_number(portal, patient.phone)
        expect(portal.main).to_contain_text("Время для звонка вышло")
        expect(portal.main.get_by_role("link", name=number)).to_have_count(0)
        expect(portal.button("Получить код звонком")).to_be_visible()
        portal.look("step 2, the call is late")
        portal.button("Получить номер ещё раз").click()
        expect(portal.main.get_by_role("link", name=number)).to_be_visible()
        dial(portal, server, patient.phone, number)
        portal.expect_step(BIRTH_DATE)
