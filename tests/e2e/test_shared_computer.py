"""A computer in the clinic, a phone that a family shares: what the next person can see of a recovery."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import WebSocket, expect

from tests.e2e.patients import DemoPhone, Patient
from tests.e2e.portal_in_browser import STEP_1, STEP_3, Portal
from tests.patience import PATIENCE

FORGET = "Прервать и забыть меня здесь"


def at_step_3(portal: Portal, patient: Patient, demo_phone: DemoPhone) -> None:
    portal.open_recovery().begin(patient.phone)
    portal.confirm(demo_phone.code(patient.phone))


def expect_nothing_of_it(portal: Portal, load: Callable[[], object]) -> None:
    """The recovery begins at step 1 in the record too. The screen alone proves nothing: the built page shows step 1 before it has asked."""
    heard: list[str] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framereceived", lambda frame: heard.append(str(frame)))

    portal.page.on("websocket", listen)
    load()
    deadline = time.monotonic() + PATIENCE
    while not any(re.search(r'"is_hydrated_rx_state_":\s*true', frame) for frame in heard):
        assert time.monotonic() < deadline, "the page was not answered"
        portal.page.wait_for_timeout(50)
    portal.page.remove_listener("websocket", listen)

    steps = re.findall(r'"step":\s*"(\w+)"', "".join(heard))
    assert steps[-1:] in ([], ["phone"])  # the tab's own earlier step may come first and is then corrected
    portal.expect_step(STEP_1)


def test_closing_the_wizard_ends_the_proof(portal: Portal, patient: Patient, demo_phone: DemoPhone) -> None:
    at_step_3(portal, patient, demo_phone)
    portal.page.get_by_role("link", name="Закрыть").click()
    expect(portal.heading("Личный кабинет пациента")).to_be_visible()
    expect(portal.page.get_by_text("Вы не закончили восстановление пароля")).to_have_count(0)

    expect_nothing_of_it(portal, lambda: portal.open("/recovery"))


def test_back_to_the_start_page_and_forward_again_is_no_way_to_step_3(
    portal: Portal, patient: Patient, demo_phone: DemoPhone
) -> None:
    portal.open()
    at_step_3(portal, patient, demo_phone)
    portal.page.go_back()
    expect(portal.heading("Личный кабинет пациента")).to_be_visible()
    expect_nothing_of_it(portal, portal.page.go_forward)


def test_a_browser_that_was_closed_has_no_proof(portal: Portal, patient: Patient, demo_phone: DemoPhone) -> None:
    at_step_3(portal, patient, demo_phone)
    portal.page.reload()
    portal.expect_step(STEP_3)
    context = portal.page.context
    kept = [cookie for cookie in context.cookies() if cookie["expires"] != -1]
    context.clear_cookies()
    context.add_cookies(kept)  # type: ignore[arg-type]
    expect_nothing_of_it(portal, lambda: portal.open("/recovery"))


def test_on_a_wide_screen_there_is_a_way_to_leave_nothing(
    portal: Portal, patient: Patient, demo_phone: DemoPhone
) -> None:
    at_step_3(portal, patient, demo_phone)
    portal.look("step 3 on a shared computer")
    portal.button(FORGET).click()
    expect(portal.heading("Личный кабинет пациента")).to_be_visible()

    expect_nothing_of_it(portal, lambda: portal.open("/recovery"))
    expect(portal.field("Номер сотового телефона")).to_have_value("")


@pytest.mark.parametrize("profile", ["390"])
def test_a_phone_does_not_ask_whose_it_is(portal: Portal, patient: Patient, demo_phone: DemoPhone) -> None:
    at_step_3(portal, patient, demo_phone)

    expect(portal.button(FORGET)).to_have_count(0)
