"""Sign-in and sign-out: the dialog, its tabs, refusals that reveal nothing, and what stays in a tab."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Route, WebSocket, expect

from tests.e2e.patients import Patient, fresh_phone
from tests.e2e.portal_in_browser import Portal
from tests.e2e.watching import Watch
from tests.patience import PATIENCE

LOGIN = "ВХОД В ЛИЧНЫЙ КАБИНЕТ"


# The patient presses «Выйти», looks at another tab and comes back, again and again.
SHOWN_AGAIN = """
document.addEventListener("portal:leave", () => setInterval(() => document.dispatchEvent(new Event("visibilitychange")), 300));
"""


def test_a_patient_signs_in_and_out(portal: Portal, patient: Patient) -> None:
    portal.log_in(patient.phone, patient.password)
    expect(portal.page).to_have_title(re.compile("^Мои карты"))
    portal.header.get_by_role("button", name=patient.full_name).click()
    portal.look("menu")
    portal.page.keyboard.press("Escape")
    expect(portal.button("Выйти")).to_have_count(0)

    portal.log_out()

    expect(portal.page).to_have_url(f"{portal.url}/?login=left")
    expect(portal.main).to_contain_text("Вы вышли из личного кабинета")
    assert "medonline_session" not in [cookie["name"] for cookie in portal.page.context.cookies()]


def test_who_signs_out_is_not_told_to_sign_in_again_however_long_the_answer_takes(
    portal: Portal, patient: Patient, watch: Watch
) -> None:
    """The page checks whether the session is still open, as when its tab is shown again. Here it checks after the end but before the
    answer about it."""
    watch.allow_lost_connection()
    portal.page.add_init_script(SHOWN_AGAIN)

    def slowly(route: Route) -> None:
        answer = route.fetch(max_redirects=0)
        with portal.page.expect_response("**/session/left"):
            pass
        portal.page.wait_for_timeout(500)
        route.fulfill(response=answer)

    portal.log_in(patient.phone, patient.password)
    portal.page.route("**/session/close", slowly)
    portal.log_out()

    expect(portal.page).to_have_url(f"{portal.url}/?login=left")
    expect(portal.main).to_contain_text("Вы вышли из личного кабинета")


def test_who_signs_out_is_not_led_to_the_sign_in_over_a_new_connection(
    portal: Portal, patient: Patient, watch: Watch
) -> None:
    """A page that leaves ends its socket. Shown again, it opens another one, over which it would learn that nobody is signed in."""
    watch.allow_lost_connection()
    portal.page.add_init_script(SHOWN_AGAIN)
    sockets: list[WebSocket] = []
    addresses: list[str] = []

    def slowly(route: Route) -> None:
        before = len(sockets)
        answer = route.fetch(max_redirects=0)
        deadline = time.monotonic() + PATIENCE
        while len(sockets) == before:
            assert time.monotonic() < deadline, "the app opens no other socket"
            portal.page.wait_for_timeout(50)
        portal.page.wait_for_timeout(1500)
        route.fulfill(response=answer)

    portal.page.on("websocket", lambda socket: sockets.append(socket))
    portal.log_in(patient.phone, patient.password)
    portal.page.on("framenavigated", lambda frame: addresses.append(frame.url))
    portal.page.route("**/session/close", slowly)
    portal.log_out()

    expect(portal.main).to_contain_text("Вы вышли из личного кабинета")
    assert [address for address in addresses if "login=again" in address] == []


def test_tabs_are_chosen_with_arrow_keys(portal: Portal) -> None:
    portal.open().header.get_by_role("button", name="Войти", exact=True).click()
    gosuslugi = portal.page.get_by_role("tab", name="ГОСУСЛУГИ")
    password = portal.page.get_by_role("tab", name="ЛОГИН/ПАРОЛЬ")
    expect(portal.heading(LOGIN)).to_be_focused()
    portal.page.keyboard.press("Tab")
    expect(gosuslugi).to_be_focused()

    gosuslugi.press("ArrowRight")

    expect(password).to_be_focused()
    expect(password).to_have_attribute("aria-selected", "true")
    expect(gosuslugi).to_have_attribute("aria-selected", "false")
    expect(portal.field("Пароль")).to_be_visible()
    password.press("Home")
    expect(gosuslugi).to_be_focused()
    expect(portal.field("Пароль")).to_be_hidden()


@pytest.mark.parametrize("close", ["Escape", "×", "browser's Back"])
def test_a_closed_dialog_gives_the_focus_back(portal: Portal, close: str) -> None:
    portal.open()
    opener = portal.header.get_by_role("button", name="Войти", exact=True)
    opener.click()
    expect(portal.dialog(LOGIN)).to_be_visible()

    if close == "Escape":
        portal.page.keyboard.press("Escape")
    elif close == "×":
        portal.button("Закрыть").click()
    else:
        portal.page.go_back()

    expect(portal.dialog()).to_have_count(0)
    expect(opener).to_be_focused()


def test_a_wrong_password_and_an_unknown_phone_are_answered_alike(portal: Portal, patient: Patient) -> None:
    portal.open().open_login()
    portal.submit_login(patient.phone, "Chuzhoy12345")
    expect(portal.error).to_be_focused()
    refusal = portal.error.inner_text()

    portal.open().open_login()
    portal.submit_login(fresh_phone(), "Chuzhoy12345")

    expect(portal.error).to_have_text(refusal)
    portal.look("login refused")


def test_missing_and_impossible_fields_are_named(portal: Portal) -> None:
    portal.open().open_login()
    portal.submit_login("8 495 123 45 67", "Chuzhoy12345")
    expect(portal.error).to_contain_text("Это городской телефон. В личный кабинет входят по сотовому номеру")
    portal.submit_login(fresh_phone(), "")
    expect(portal.error).to_contain_text("Введите пароль")
    portal.error.get_by_role("link").click()

    expect(portal.field("Пароль")).to_be_focused()


def test_the_cards_of_nobody_lead_to_the_login_dialog(portal: Portal) -> None:
    portal.open("/cards")

    expect(portal.dialog(LOGIN)).to_be_visible()
    expect(portal.field("Пароль")).to_be_visible()


def test_a_stale_tab_shows_nothing_of_the_patient_after_a_sign_out_elsewhere(portal: Portal, patient: Patient) -> None:
    portal.log_in(patient.phone, patient.password)
    stale = Portal(portal.page.context.new_page(), portal.url)
    stale.open("/cards").expect_cards()

    portal.log_out()
    expect(stale.dialog(LOGIN)).to_be_visible()
    stale.open("/cards")

    expect(stale.dialog(LOGIN)).to_be_visible()
    assert patient.last_name not in stale.page.content()
    assert patient.first_name not in stale.page.content()


def test_a_password_is_never_part_of_an_address(portal: Portal, patient: Patient) -> None:
    addresses: list[str] = []
    portal.page.context.on("request", lambda request: addresses.append(request.url))
    portal.page.on("framenavigated", lambda frame: addresses.append(frame.url))

    portal.open().open_login()
    portal.submit_login(patient.phone, "Chuzhoy12345")
    expect(portal.error).to_be_visible()
    portal.submit_login(patient.phone, patient.password)
    portal.expect_cards()

    assert not [address for address in addresses if patient.password in address or "Chuzhoy" in address]


def test_a_form_sent_before_the_scripts_arrived_waits_for_them(portal: Portal, patient: Patient) -> None:
    held: list[Route] = []
    addresses: list[str] = []
    holding = True
    portal.page.on("framenavigated", lambda frame: addresses.append(frame.url))
    portal.page.route("**/assets/*.js", lambda route: held.append(route) if holding else route.continue_())
    portal.page.goto(portal.url, wait_until="commit")

    portal.open_login()
    portal.submit_login(patient.phone, patient.password)
    portal.look("before the scripts")
    expect(portal.dialog(LOGIN)).to_be_visible()
    assert held, "no script was held back"
    holding = False
    for route in held:
        route.continue_()

    portal.expect_cards()
    assert not [address for address in addresses if patient.password in address]


def test_an_unknown_address_leads_back_to_the_main_page(portal: Portal, watch: Watch) -> None:
    watch.allow_missing_page()
    portal.open("/no-such-page")

    expect(portal.heading("Такой страницы нет")).to_be_visible()
    portal.look("not found")
    portal.page.get_by_role("link", name="На главную", exact=True).click()
    expect(portal.page).to_have_url(f"{portal.url}/")


def test_a_double_click_leaves_for_gosuslugi_once(portal: Portal) -> None:
    """The second request would still have the old visitor cookie, and would carry nothing along."""
    sent: list[str] = []
    portal.page.on(
        "request", lambda request: sent.append(request.method) if "/gosuslugi/start" in request.url else None
    )
    portal.open().header.get_by_role("button", name="Войти", exact=True).click()
    portal.button("Войти через Госуслуги").dblclick()
    expect(portal.page.get_by_role("heading", name="ГОСУСЛУГИ", exact=True)).to_be_visible()

    assert sent == ["POST"]
