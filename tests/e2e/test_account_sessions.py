"""The list of own sign-ins, ending them, and the end of an idle session."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.account_in_browser import SESSIONS, choose_in_menu
from tests.e2e.conftest import GUIDE_PROFILES, NewPortal, StartServer
from tests.e2e.patients import Patient
from tests.e2e.portal_in_browser import LOGIN, Portal
from tests.e2e.watching import Watch

WARNING = "Вы ещё здесь?"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 "
    "Mobile/15E148 Safari/604.1"
)


@pytest.mark.parametrize("profile", GUIDE_PROFILES)
def test_own_sign_ins_are_listed_with_device_way_time_and_network(
    portal: Portal, new_portal: NewPortal, patient: Patient
) -> None:
    other = new_portal()
    other.page.route("**/*", lambda route: route.continue_(headers={**route.request.headers, "user-agent": IPHONE}))
    other.log_in(patient.phone, patient.password)
    portal.log_in(patient.phone, patient.password)
    choose_in_menu(portal, SESSIONS)
    rows = portal.main.get_by_role("listitem")

    expect(rows).to_have_count(2)
    expect(rows.filter(has_text="Это устройство")).to_have_count(1)
    expect(rows.filter(has_text="iPhone")).to_contain_text("по телефону и паролю")
    expect(rows.first).to_contain_text("адрес в интернете начинается с 127.0.0")
    assert "127.0.0.1" not in portal.main.inner_text()
    portal.look("sessions", names={"Chrome", "HeadlessChrome", "Linux", "Android", "Safari", "iPhone"})
    rows.filter(has_text="iPhone").get_by_role("button").click()
    expect(rows).to_have_count(1)
    expect(other.dialog(LOGIN)).to_be_visible()  # its page closes by itself
    assert patient.last_name not in other.page.inner_text("body")


@pytest.mark.parametrize("phone_is", ["older", "newer"])
def test_a_row_that_was_pressed_without_a_connection_is_no_other_row_afterwards(
    portal: Portal, new_portal: NewPortal, patient: Patient, watch: Watch, phone_is: str
) -> None:
    """The sign-in that was to be ended ends by itself meanwhile, and another one takes its place in the list."""
    watch.allow_lost_connection()
    phone, computer = new_portal(), new_portal()
    phone.page.route("**/*", lambda route: route.continue_(headers={**route.request.headers, "user-agent": IPHONE}))
    for other in (phone, computer) if phone_is == "older" else (computer, phone):
        other.log_in(patient.phone, patient.password)
    portal.log_in(patient.phone, patient.password)
    choose_in_menu(portal, SESSIONS)
    rows = portal.main.get_by_role("listitem")
    expect(rows).to_have_count(3)
    portal.expect_connected()
    portal.page.context.set_offline(True)
    portal.page.evaluate("window.medonlineSocket.joined?.close()")
    portal.page.wait_for_function("() => window.medonlineSocket.joined === null")
    rows.filter(has_text="iPhone").get_by_role("button").click()
    phone.log_out()
    portal.page.context.set_offline(False)

    expect(rows).to_have_count(2)
    expect(portal.page.get_by_text("Посмотрите, что теперь на странице")).to_be_visible()
    computer.open("/cards").expect_cards()


def test_all_other_sign_ins_end_at_once(portal: Portal, new_portal: NewPortal, patient: Patient) -> None:
    others = [new_portal(), new_portal()]
    for other in others:
        other.log_in(patient.phone, patient.password)
    portal.log_in(patient.phone, patient.password)
    choose_in_menu(portal, SESSIONS)
    portal.button("Завершить все остальные входы").click()

    expect(portal.main.get_by_role("listitem")).to_have_count(1)
    for other in others:
        expect(other.dialog(LOGIN)).to_be_visible()
    portal.page.reload()
    expect(portal.heading(SESSIONS)).to_be_visible()


@pytest.mark.parametrize("profile", GUIDE_PROFILES)
def test_two_minutes_before_the_end_a_warning_comes_and_the_session_can_be_kept(
    new_portal: NewPortal, start_server: StartServer, profile: str
) -> None:
    server = start_server(f"idle-{profile}", SESSION_IDLE="126 s")
    portal = new_portal()
    portal.url = server.url
    portal.log_in("+79000001001", "Zdorovie2026")
    warning = portal.page.get_by_role("alertdialog", name=WARNING)
    expect(warning).to_be_visible()
    expect(warning).to_contain_text("Вход завершится через 1:")
    portal.look("idle warning")
    warning.get_by_role("button", name="Остаться").click()

    expect(warning).to_be_hidden()
    left = portal.page.evaluate("fetch('/session/left').then((answer) => answer.json())")
    assert left["idle"] > 120

    calm = new_portal()
    calm.url = server.url
    calm.see_as("200.white.widest.off")
    calm.log_in("+79000001002", "Poliklinika7")
    expect(calm.page.get_by_role("alertdialog", name=WARNING)).to_contain_text(
        re.compile(r"Вход завершится в \d\d:\d\d\.")
    )


def test_an_idle_session_ends_with_a_sentence_and_nothing_of_the_patient_stays(
    new_portal: NewPortal, start_server: StartServer
) -> None:
    server = start_server("idle-over", SESSION_IDLE="12 s")
    portal = new_portal()
    portal.url = server.url
    portal.log_in("+79000001001", "Zdorovie2026")

    portal.page.wait_for_url("**/?login=over")
    expect(portal.page.get_by_text("Вход завершён: вы долго ничего не делали")).to_be_visible()
    assert "Иванова" not in portal.page.inner_text("body")


def test_the_start_page_says_why_one_is_there_before_its_header_is_the_right_one(portal: Portal) -> None:
    portal.open("/?login=over")
    said = portal.page.get_by_text("Вход завершён: вы долго ничего не делали")
    expect(said).to_be_visible()
    asked: list[str] = []
    portal.page.on("request", lambda request: asked.append(request.url))
    portal.page.evaluate(
        """async () => {
            const header = document.createElement("i");  // as the page before it had one
            header.dataset.sessionLeft = "/session/left";
            document.body.append(header);
            document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
            await fetch("/session/left");
            await fetch("/session/left");
            header.remove();
        }"""
    )

    assert sum(url.endswith("/session/left") for url in asked) == 3
    assert not any("login=again" in url for url in asked)
    expect(said).to_be_visible()


def test_a_page_that_learns_that_its_session_ended_early_does_not_call_it_idle(
    portal: Portal, patient: Patient
) -> None:
    portal.log_in(patient.phone, patient.password)
    asked = "() => fetch('/session/left').then((answer) => answer.json()).then((left) => left.idle)"
    assert portal.page.evaluate(asked) > 0

    with portal.page.expect_request(lambda request: "login=again" in request.url):
        portal.page.evaluate(
            """() => {
                window.fetch = async () => new Response('{"idle": 0, "absolute": 0}');
                document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
            }"""
        )


def test_a_session_that_idles_out_without_a_connection_leaves_nothing_on_the_screen(
    new_portal: NewPortal, start_server: StartServer, watch: Watch
) -> None:
    watch.allow_lost_connection()
    server = start_server("idle-offline", SESSION_IDLE="12 s")
    portal = new_portal()
    portal.url = server.url
    with portal.page.expect_response("**/session/left") as left:  # its page has asked how long the session lives
        portal.log_in("+79000001001", "Zdorovie2026")
    left.value.finished()
    name = portal.page.get_by_text("Иванова")
    expect(name.first).to_be_visible()
    portal.page.context.set_offline(True)

    expect(name).to_have_count(0, timeout=40_000)
