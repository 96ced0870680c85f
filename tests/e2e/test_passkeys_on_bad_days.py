"""Sign-in by fingerprint, face or PIN when the browser lacks something, the patient changes their mind, or something fails. Every
message has a next action, and only one question waits at a time."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest
from playwright.sync_api import Locator, Route, expect

from tests.e2e.account_in_browser import Settings
from tests.e2e.authenticator import Authenticator
from tests.e2e.conftest import GUIDE_PROFILES, NewPortal
from tests.e2e.passkeys_in_browser import ADD, BY_PASSKEY, OFFER, add, by_name, section
from tests.e2e.patients import Patient
from tests.e2e.portal_in_browser import LOGIN, Portal
from tests.e2e.watching import Watch

# A browser that asks its devices for nothing and keeps what the page asked it for; the test says how each question ends.
QUESTIONS = """
window.asked = [];
const ask = (kind) => ({ signal, mediation = "" }) => new Promise((resolve, reject) => {
  const one = { kind, mediation, end: "" };
  window.asked.push(one);
  window.fail = (name) => { one.end = name; reject(new DOMException("", name)); };
  window.answer = () => resolve({ toJSON: () => ({}) });
  signal.addEventListener("abort", () => { one.end ||= "aborted"; reject(signal.reason); });
});
navigator.credentials.get = ask("get");
navigator.credentials.create = ask("create");
PublicKeyCredential.isConditionalMediationAvailable = async () => true;
"""
# Timers of minutes go off when the test says so.
LATE_TIMERS = """
const timers = new Map(), later = window.setTimeout, never = window.clearTimeout;
window.setTimeout = (act, ms, ...rest) => {
  const number = later(act, ms, ...rest);
  if (ms > 60000) timers.set(number, act);
  return number;
};
window.clearTimeout = (number) => { timers.delete(number); never(number); };
window.minutesLater = () => { for (const act of timers.values()) act(); };
"""
# A browser that takes its time to say whether it offers keys in a field.
SLOW_TO_SAY = """
PublicKeyCredential.isConditionalMediationAvailable = () => new Promise((resolve) => { window.say = () => resolve(true); });
"""
CANCELLED = "Вы отменили, или время вышло."
FAILED = {
    "NotAllowedError": CANCELLED,
    "SecurityError": "На этом устройстве так войти не получилось. Выберите другой способ.",
    "NotSupportedError": "На этом устройстве так войти не получилось. Выберите другой способ.",
    "OperationError": "На этом устройстве так войти не получилось. Выберите другой способ.",
    "UnknownError": "На этом устройстве так войти не получилось. Выберите другой способ.",
}
NOT_ADDED = {
    "NotAllowedError": "Вы отменили, или время вышло. Ничего не добавлено.",
    "InvalidStateError": "На этом устройстве такой вход уже добавлен.",
    "ConstraintError": "Проверьте, что на устройстве включена блокировка экрана",
    "NotReadableError": "Проверьте, что на устройстве включена блокировка экрана",
    "UnknownError": "Проверьте, что на устройстве включена блокировка экрана",
}


@pytest.fixture
def portal(new_portal: NewPortal) -> Portal:
    return by_name(new_portal())


@pytest.fixture
def asked(portal: Portal) -> Portal:
    portal.page.add_init_script(QUESTIONS)
    return portal


def ends(portal: Portal) -> list[str]:
    """How each question to the browser ended. Empty: it is still waiting."""
    ended: list[str] = portal.page.evaluate("window.asked.map(({ end }) => end)")
    return ended


def expect_ends(portal: Portal, *wanted: str) -> None:
    portal.page.wait_for_function(
        "wanted => JSON.stringify(window.asked.map(({ end }) => end)) === wanted",
        arg=json.dumps(wanted).replace(" ", ""),
    )


def said(portal: Portal) -> Locator:
    return portal.dialog(LOGIN).get_by_role("status")


def test_one_question_waits_while_the_dialog_is_open(asked: Portal) -> None:
    asked.open().open_login()
    expect_ends(asked, "")
    asked.page.keyboard.press("Escape")
    expect_ends(asked, "aborted")
    asked.open_login()
    expect_ends(asked, "aborted", "")

    assert asked.page.evaluate("window.asked.every(({ mediation }) => mediation === 'conditional')")


def test_nothing_waits_any_more_where_a_code_is_awaited(asked: Portal) -> None:
    asked.open().open_login().get_by_role("link", name="Забыли пароль?").click()
    expect(asked.heading("ШАГ 1. УКАЖИТЕ ТЕЛЕФОН")).to_be_visible()

    assert "" not in ends(asked)


def test_a_question_that_waits_is_asked_anew_before_its_challenge_ends(asked: Portal) -> None:
    asked.page.add_init_script(LATE_TIMERS)
    asked.open().open_login()
    expect_ends(asked, "")
    asked.page.evaluate("window.minutesLater()")

    expect_ends(asked, "aborted", "")


def test_who_is_slow_with_a_press_is_not_interrupted(asked: Portal) -> None:
    asked.page.add_init_script(LATE_TIMERS)
    asked.open().open_login()
    expect_ends(asked, "")
    asked.button(BY_PASSKEY).click()
    expect_ends(asked, "aborted", "")
    with asked.page.expect_response("**/passkeys/host"):  # whatever the timers began has been sent by then
        asked.page.evaluate("window.minutesLater(); void fetch('/passkeys/host')")

    assert ends(asked) == ["aborted", ""]
    assert asked.page.evaluate("window.asked[1].mediation") == ""


def browser_says(portal: Portal) -> None:
    """The browser says that it offers keys in a field. When this returns, the page's next request to the server has been sent."""
    with portal.page.expect_response("**/passkeys/host"):
        portal.page.evaluate("window.say(); setTimeout(() => fetch('/passkeys/host'))")


def test_who_presses_before_the_browser_offers_keys_is_not_interrupted(asked: Portal) -> None:
    asked.page.add_init_script(SLOW_TO_SAY)
    asked.open().open_login()
    asked.page.wait_for_function("() => window.say !== undefined")
    asked.button(BY_PASSKEY).click()
    expect_ends(asked, "")
    browser_says(asked)

    assert ends(asked) == [""]


def test_a_dialog_closed_before_the_browser_offers_keys_asks_for_none(asked: Portal) -> None:
    begun: list[str] = []
    asked.page.on("request", lambda request: begun.append(request.url) if "/passkeys/login" in request.url else None)
    asked.page.add_init_script(SLOW_TO_SAY)
    asked.open().open_login()
    asked.page.wait_for_function("() => window.say !== undefined")
    asked.page.keyboard.press("Escape")
    expect(asked.dialog(LOGIN)).to_have_count(0)
    browser_says(asked)

    assert begun == []


def test_a_page_that_comes_back_as_it_was_left_asks_again(asked: Portal) -> None:
    asked.open().open_login()
    expect_ends(asked, "")
    asked.page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")

    expect_ends(asked, "aborted", "")


@pytest.mark.parametrize("name", FAILED)
def test_a_sign_in_that_fails_says_what_to_do(asked: Portal, name: str) -> None:
    asked.open().open_login()
    expect_ends(asked, "")
    asked.button(BY_PASSKEY).click()
    expect_ends(asked, "aborted", "")
    asked.page.evaluate("name => window.fail(name)", name)

    expect(said(asked).filter(has_text=FAILED[name])).to_be_visible()
    expect(asked.button(BY_PASSKEY)).to_be_focused()
    expect_ends(asked, "aborted", name, "")  # the field of the telephone offers keys again


@pytest.mark.parametrize("name", NOT_ADDED)
def test_adding_that_fails_says_what_to_do(asked: Portal, patient: Patient, name: str) -> None:
    Settings.open(asked, patient)
    section(asked).get_by_role("button", name=ADD).click()
    expect_ends(asked, "")
    asked.page.evaluate("name => window.fail(name)", name)

    expect(section(asked).get_by_role("status")).to_contain_text(NOT_ADDED[name])
    expect(section(asked).get_by_role("button", name=ADD)).to_be_focused()


@pytest.mark.parametrize("answer", [None, (500, "fault"), (429, ""), (200, "<html>")])
def test_a_server_that_does_not_answer_is_told(asked: Portal, watch: Watch, answer: tuple[int, str] | None) -> None:
    watch.allow_lost_connection()
    watch.allow_failing_server()
    asked.open().open_login()
    expect_ends(asked, "")

    def fail(route: Route) -> None:
        route.fulfill(status=answer[0], body=answer[1]) if answer else route.abort()

    asked.page.route("**/passkeys/login/begin", fail)
    asked.button(BY_PASSKEY).click()

    expect(said(asked).filter(has_text="Проверьте интернет и нажмите ещё раз.")).to_be_visible()


@pytest.mark.parametrize("profile", GUIDE_PROFILES)
def test_an_offer_that_was_left_for_long_leads_to_the_settings(portal: Portal, patient: Patient) -> None:
    Authenticator(portal.page)
    refused = {"refused": "Подтвердите, что это вы.", "why": "prove"}
    portal.page.route("**/passkeys/add/begin", lambda route: route.fulfill(json=refused))
    portal.log_in(patient.phone, patient.password)
    portal.button("Добавить").click()

    expect(portal.main).to_contain_text("С вашего входа прошло много времени. Добавьте такой вход в настройках")
    expect(portal.main.get_by_role("link", name="настройках")).to_be_visible()
    portal.look("passkey offer late", names={"PIN"})


def test_another_key_may_be_chosen_after_one_that_opens_nothing(portal: Portal, patient: Patient) -> None:
    authenticator = Authenticator(portal.page)
    add(portal, patient)
    portal.log_out()
    (good,) = authenticator.keys
    unknown, other = b64encode(bytes(32)).decode(), b64encode(bytes(16)).decode()
    authenticator.take(good, credentialId=unknown, userHandle=other)  # chosen first, as the newest
    portal.header.get_by_role("button", name="Войти", exact=True).click()

    portal.expect_cards()
    assert [key["credentialId"] for key in authenticator.keys] == [good["credentialId"]]


def lacking(what: str) -> str:
    return f"delete PublicKeyCredential.{what}; delete PublicKeyCredential.prototype.{what};"


def test_without_an_offer_in_the_field_the_button_works(asked: Portal) -> None:
    asked.page.add_init_script(lacking("isConditionalMediationAvailable"))
    asked.open().open_login()
    asked.button(BY_PASSKEY).click()

    expect_ends(asked, "")


@pytest.mark.parametrize("what", ["parseCreationOptionsFromJSON", "parseRequestOptionsFromJSON", "toJSON"])
def test_a_browser_that_knows_too_little_shows_no_dead_button(asked: Portal, patient: Patient, what: str) -> None:
    asked.page.add_init_script(lacking(what))
    asked.log_in(patient.phone, patient.password)
    expect(asked.heading(OFFER)).to_be_hidden()
    asked.open("/settings")

    expect(asked.page.get_by_text("В этом браузере или по этому адресу портала так войти нельзя")).to_be_visible()
    expect(asked.button(ADD)).to_be_hidden()
    assert ends(asked) == []


def test_a_slow_network_leaves_the_dialog_in_order(asked: Portal) -> None:
    held: list[Any] = []
    asked.page.route("**/passkeys/login/begin", lambda route: held.append(route))
    asked.open()
    with asked.page.expect_request("**/passkeys/login/begin"):
        asked.open_login()
    asked.page.keyboard.press("Escape")
    with asked.page.expect_request("**/passkeys/login/begin"):
        asked.open_login()
    for one in held:
        one.continue_()

    expect_ends(asked, "")  # of the dialog that was closed nothing is asked


def test_who_signs_out_is_not_told_to_sign_in_again(portal: Portal, patient: Patient) -> None:
    """The server's answer to the passkey arrives after the press on «Выйти», and before the answer to that press."""
    held: list[Route] = []

    def leave(route: Route) -> None:
        answer = route.fetch(max_redirects=0)
        with portal.page.expect_response("**/passkeys/add/begin"):
            held[0].continue_()
        portal.page.wait_for_timeout(500)
        route.fulfill(response=answer)

    Settings.open(portal, patient)
    portal.page.route("**/passkeys/add/begin", lambda route: held.append(route))
    portal.page.route("**/session/close", leave)
    with portal.page.expect_request("**/passkeys/add/begin"):
        section(portal).get_by_role("button", name=ADD).click()
    portal.log_out()

    expect(portal.page).to_have_url(f"{portal.url}/?login=left")
    expect(portal.main).to_contain_text("Вы вышли из личного кабинета")


def test_the_last_press_wins_over_a_late_sign_in(asked: Portal) -> None:
    """«Войти через Госуслуги» goes to Gosuslugi, even if the answer to the key that was chosen before arrives meanwhile."""
    asked.page.add_init_script("document.addEventListener('portal:leave', () => window.answer())")
    answered: list[Route] = []
    opened: list[str] = []

    def answer(route: Route) -> None:
        route.fulfill(json={"ticket": "0" * 64})
        answered.append(route)

    def leave(route: Route) -> None:
        while not answered:
            asked.page.wait_for_timeout(50)
        asked.page.wait_for_timeout(500)
        route.continue_()

    asked.page.on("request", lambda request: opened.extend([request.url] if "/session/open" in request.url else []))
    asked.page.route("**/passkeys/login", answer)
    asked.page.route("**/gosuslugi/start", leave)
    asked.open().open_login()
    expect_ends(asked, "")
    asked.button(BY_PASSKEY).click()
    expect_ends(asked, "aborted", "")
    asked.page.get_by_role("tab", name="ГОСУСЛУГИ").click()
    asked.dialog(LOGIN).get_by_role("button", name="Войти через Госуслуги").click()

    asked.page.wait_for_url("**/sandbox/gosuslugi/**")
    assert opened == []


def test_what_was_typed_is_there_after_a_sign_in_that_a_passkey_asked_for(portal: Portal, patient: Patient) -> None:
    settings = Settings.open(portal, patient)
    settings.fill(last_name="Новикова")
    # The page's own look at the session, which would lead to the sign-in first, sees one.
    portal.page.route("**/session/left", lambda route: route.fulfill(json={"idle": 1800, "absolute": 43_200}))
    portal.page.context.clear_cookies(name="medonline_session")
    section(portal).get_by_role("button", name=ADD).click()
    portal.page.wait_for_url("**/?login=asked")
    portal.submit_login(patient.phone, patient.password)

    Settings(portal)
    assert settings.value("last_name") == "Новикова"
