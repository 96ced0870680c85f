"""Every screen in the largest text, by keyboard, by touch. The ordinary views are judged wherever a test looks (tests/e2e/looking.py)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.e2e.looking import SMALL_TARGETS, TARGET
from tests.e2e.patients import DemoPhone, Patient
from tests.e2e.portal_in_browser import DONE, NEW_PASSWORD, STEP_1, STEP_2, STEP_3, Portal
from tests.e2e.watching import Watch, overflow

BROWSERS = frozenset({"HeadlessChrome", "Chrome", "Linux", "Android"})  # in the list of sign-ins
ACCOUNT_PAGES = {
    "/settings": "Отредактируйте настройки и сохраните изменения",
    "/sessions": "Мои входы",
    "/journal": "Журнал",
    "/not-me": "В личный кабинет вошли или изменили его не вы?",
    "/register": "Регистрация: согласие на обработку персональных данных",
    "/region": "Выберите регион",
    "/login-failed?reason=child": "Войти через Госуслуги не получилось",
}


def walk_all_screens(portal: Portal, patient: Patient, demo_phone: DemoPhone, look: Callable[[str], None]) -> None:
    portal.open()
    look("main page")
    portal.header.get_by_role("button", name="Войти", exact=True).click()
    look("gosuslugi")
    portal.page.get_by_role("tab", name="ЛОГИН/ПАРОЛЬ").click()
    look("login")
    portal.page.get_by_role("link", name="Не могу войти", exact=True).click()
    look("trouble picker")
    portal.button("Не приходит код").click()
    look("advice")
    portal.button("Назад").click()
    portal.button("Не помню пароль").click()
    look("way of recovery")
    portal.page.get_by_role("link", name="Ручной ввод данных").click()
    portal.expect_step(STEP_1)
    look("step 1")
    portal.button("ДАЛЕЕ").click()
    expect(portal.error).to_be_visible()
    look("step 1 error")
    portal.begin(patient.phone)
    look("step 2")
    portal.page.get_by_text("Код не приходит?").click()
    look("step 2 help")
    portal.confirm(demo_phone.code(patient.phone))
    look("step 3")
    portal.submit_password("пароль")
    expect(portal.error).to_be_visible()
    look("step 3 error")
    portal.set_password()
    look("success")
    portal.submit_login(patient.phone, NEW_PASSWORD)
    portal.expect_cards()
    look("cards")
    portal.header.locator("[data-menu]").click()
    look("menu")
    for path, heading in ACCOUNT_PAGES.items():
        portal.open(path)
        expect(portal.heading(heading)).to_be_visible()
        expect(portal.main.get_by_role("button").or_(portal.main.get_by_role("listitem")).first).to_be_visible()
        look(f"page {path[1:]}")
    portal.open("/no-such-page")
    expect(portal.heading("Такой страницы нет")).to_be_visible()
    expect(portal.header.locator("[data-menu]")).to_be_visible()  # of the patient's own menu: the page is connected
    look("not found")


LARGEST = "200.blue.widest.on"  # of the low-vision version: more than the ordinary one comes to when a browser's text is doubled


@pytest.mark.parametrize("profile", ["360"])
def test_every_screen_fits_and_can_be_touched_in_the_largest_text(
    portal: Portal, patient: Patient, demo_phone: DemoPhone, watch: Watch
) -> None:
    watch.allow_missing_page()
    portal.see_as(LARGEST)
    small: dict[str, list[str]] = {}

    def look(name: str) -> None:
        portal.look(name, BROWSERS)
        small[name] = portal.page.evaluate(SMALL_TARGETS, TARGET)

    walk_all_screens(portal, patient, demo_phone, look)

    assert {name: targets for name, targets in small.items() if targets} == {}


def test_the_recovery_can_be_walked_with_the_keyboard_alone(
    portal: Portal, patient: Patient, demo_phone: DemoPhone
) -> None:
    portal.open()
    keys = portal.page.keyboard
    portal.tab_to("Войти")
    keys.press("Enter")
    portal.tab_to("ГОСУСЛУГИ")
    keys.press("ArrowRight")
    portal.tab_to("Не могу войти")
    keys.press("Enter")
    portal.tab_to("Не помню пароль")
    keys.press("Enter")
    portal.tab_to("Ручной ввод данных")
    keys.press("Enter")
    portal.expect_step(STEP_1)
    portal.tab_to("phone")
    keys.type(patient.phone)
    portal.tab_to("channel-flash_call")
    keys.press("ArrowDown")
    expect(portal.page.get_by_role("radio", name="Код в Telegram")).to_be_checked()
    keys.press("Enter")
    portal.expect_step(STEP_2)
    portal.tab_to("code")
    keys.type(demo_phone.code(patient.phone, "telegram"))
    keys.press("Enter")
    portal.expect_step(STEP_3)
    portal.tab_to("new_password")
    keys.type(NEW_PASSWORD)
    keys.press("Enter")
    expect(portal.heading("Новый пароль установлен")).to_be_visible()
    portal.tab_to("login-password")
    keys.type(NEW_PASSWORD)
    keys.press("Enter")
    portal.expect_cards()


@pytest.mark.parametrize("profile", ["pixel"])
def test_the_recovery_can_be_walked_by_touch_alone(portal: Portal, patient: Patient, demo_phone: DemoPhone) -> None:
    """The test uses taps, and texts as an on-screen keyboard enters them: as a whole, without key presses."""

    def type_into(label: str, text: str) -> None:
        portal.field(label).filter(visible=True).tap()
        portal.page.keyboard.insert_text(text)

    portal.open().header.get_by_role("button", name="Войти", exact=True).tap()
    portal.page.get_by_role("tab", name="ЛОГИН/ПАРОЛЬ").tap()
    portal.page.get_by_role("link", name="Не могу войти", exact=True).tap()
    portal.button("Не помню пароль").tap()
    portal.page.get_by_role("link", name="Ручной ввод данных").tap()
    portal.expect_step(STEP_1)
    type_into("Номер сотового телефона", patient.phone)
    portal.page.get_by_text("Проверочный звонок", exact=True).tap()
    portal.button("ДАЛЕЕ").tap()
    portal.expect_step(STEP_2)
    type_into("Проверочный код", demo_phone.code(patient.phone))
    portal.button("ОТПРАВИТЬ").tap()
    portal.expect_step(STEP_3)
    type_into("Новый пароль", NEW_PASSWORD)
    portal.button("СМЕНИТЬ ПАРОЛЬ").tap()
    portal.expect_step(DONE)
    portal.main.get_by_role("button", name="Войти", exact=True).tap()
    portal.expect_cards()


@pytest.mark.parametrize("scripts", ["all", "early"])
def test_the_skip_link_leads_to_the_content(portal: Portal, scripts: str) -> None:
    """The link loads nothing, or the typed text would be gone. It works even before the other scripts and the app have arrived."""
    if scripts == "early":
        portal.page.route("**/*.js", lambda _route: None)  # on their way for ever
        portal.page.goto(f"{portal.url}/recovery", wait_until="commit")
        portal.expect_step(STEP_1)
    else:
        portal.open_recovery().expect_connected()
    portal.page.keyboard.press("Tab")
    skip = portal.page.get_by_role("link", name="Перейти к содержанию")
    expect(skip).to_be_focused()

    portal.page.keyboard.press("Enter")

    expect(portal.main).to_be_focused()
    expect(portal.page).to_have_url(f"{portal.url}/recovery")


@pytest.mark.parametrize("profile", ["360", "1280"])
@pytest.mark.parametrize("path", ["/sandbox/code-faults", "/sandbox/fhir-faults"])
def test_a_fault_of_the_demo_is_chosen_beside_its_words(portal: Portal, path: str) -> None:
    """Measures the distance between the middle of each radio button and of its words, in pixels, and the height of the line that can be
    pressed."""
    portal.open(path)
    lines = portal.page.locator("fieldset label")
    assert lines.count() > 5
    apart, high = portal.page.evaluate("""() => {
      const middle = ({ top, bottom }) => (top + bottom) / 2, lines = [...document.querySelectorAll("fieldset label")];
      const words = (line) => {
        const range = document.createRange();
        range.selectNodeContents(line.lastChild);
        return range.getBoundingClientRect();
      };
      return [
        lines.map((line) => Math.abs(middle(line.querySelector("input").getBoundingClientRect()) - middle(words(line)))),
        lines.map((line) => line.getBoundingClientRect().height),
      ];
    }""")

    assert max(apart) <= 3
    assert min(high) >= TARGET
    assert overflow(portal.page) <= 0
