"""Every screen at three widths: nothing scrolls sideways, targets are large enough, the keyboard reaches all, dark works."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import NewPortal
from tests.e2e.patients import DemoPhone, Patient
from tests.e2e.portal_in_browser import DONE, NEW_PASSWORD, STEP_1, STEP_2, STEP_3, Portal
from tests.e2e.watching import Watch

BROWSERS = frozenset({"HeadlessChrome", "Chrome", "Linux", "Android"})  # in the list of sign-ins
TARGET = 44  # CSS pixels
# A radio button is as large as the card around it, which is its label.
_SMALL_TARGETS = """(least) => [...document.querySelectorAll("a[href], button, summary, input:not([type=hidden], [type=radio])")]
  .filter((e) => e.checkVisibility({ visibilityProperty: true }) && e.getBoundingClientRect().bottom > 0)
  .filter((e) => !e.matches(".visually-hidden") && (!document.querySelector("dialog[open]") || e.closest("dialog[open]")))
  .map((e) => [e.getBoundingClientRect(), e.innerText || e.ariaLabel || e.id])
  .filter(([box]) => box.width < least || box.height < least)
  .map(([box, name]) => `${name}: ${Math.round(box.width)}x${Math.round(box.height)}`)"""
_CONTRAST = """(element) => {
  const channels = (colour) => colour.match(/[\\d.]+/g).slice(0, 3).map(Number);
  const luminance = (colour) => channels(colour)
    .map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  let behind = element;
  while (behind && /rgba\\(.*, 0\\)|transparent/.test(getComputedStyle(behind).backgroundColor)) behind = behind.parentElement;
  const [a, b] = [getComputedStyle(element).color, getComputedStyle(behind ?? document.body).backgroundColor]
    .map(luminance).sort((x, y) => y - x);
  return (a + 0.05) / (b + 0.05);
}"""


ACCOUNT_PAGES = {
    "/settings": "Отредактируйте настройки и сохраните изменения",
    "/sessions": "Мои входы",
    "/journal": "Журнал",
    "/not-me": "Пароль, номер или вход через Госуслуги меняли не вы?",
    "/register": "Регистрация: согласие на обработку персональных данных",
    "/region": "Выберите регион",
    "/login-failed?reason=child": "Войти через Госуслуги не получилось",
}
# Words of a button that had to be broken, and buttons that stand over the brand.
_BROKEN = """() => {
  const seen = (e) => e.checkVisibility({ visibilityProperty: true });
  const words = [...document.querySelectorAll(".button")].filter(seen).flatMap((button) => {
    const walker = document.createTreeWalker(button, NodeFilter.SHOW_TEXT);
    const broken = [];
    for (let text = walker.nextNode(); text; text = walker.nextNode()) {
      for (const word of text.data.matchAll(/[^\\s]+/g)) {
        const range = document.createRange();
        range.setStart(text, word.index); range.setEnd(text, word.index + word[0].length);
        if (new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size > 1) broken.push(word[0]);
      }
    }
    return broken;
  });
  const brand = document.querySelector(".brand-name"), button = document.querySelector(".site-header .bar:not(.vision) button");
  const covered = brand && button && seen(brand) && getComputedStyle(brand).position !== "absolute"
    && brand.getBoundingClientRect().right > button.getBoundingClientRect().left;
  return covered ? [...words, "the brand"] : words;
}"""


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


@pytest.mark.parametrize(
    ("profile", "low_vision"), [("320", ""), ("375", ""), ("412", ""), ("1280", ""), ("360", LARGEST)]
)
def test_every_screen_fits_and_can_be_touched(
    portal: Portal, patient: Patient, demo_phone: DemoPhone, watch: Watch, profile: str, low_vision: str
) -> None:
    watch.allow_missing_page()
    portal.see_as(low_vision)
    touch = int(profile) < 800
    small: dict[str, list[str]] = {}

    def look(name: str) -> None:
        portal.look(name, BROWSERS)
        small[name] = portal.page.evaluate(_SMALL_TARGETS, TARGET) if touch else []
        # Words of letters five times as wide do not fit on a phone whole.
        small[name] += [] if low_vision else portal.page.evaluate(_BROKEN)

    walk_all_screens(portal, patient, demo_phone, look)

    assert {name: targets for name, targets in small.items() if targets} == {}


def test_dark_screens_are_dark_and_readable(
    new_portal: NewPortal, patient: Patient, demo_phone: DemoPhone, watch: Watch
) -> None:
    watch.allow_missing_page()
    portal = new_portal(color_scheme="dark")
    pale: dict[str, list[str]] = {}

    def look(name: str) -> None:
        portal.look(f"dark {name}", BROWSERS)
        top = portal.page.locator("dialog[open]").or_(portal.main).last
        texts = top.locator("h1, h2, p, button, label, a").filter(visible=True).all()
        pale[name] = [text.inner_text() for text in texts if text.evaluate(_CONTRAST) < 4.5]

    walk_all_screens(portal, patient, demo_phone, look)

    assert {name: texts for name, texts in pale.items() if texts} == {}
    background = portal.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert sum(int(part) for part in background.removeprefix("rgb(").rstrip(")").split(",")) < 150


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
    """Taps, and texts as a keyboard on the screen gives them: whole, without keys."""

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
    type_into("Пароль", NEW_PASSWORD)
    portal.main.get_by_role("button", name="Войти", exact=True).tap()
    portal.expect_cards()


def test_the_skip_link_leads_to_the_content(portal: Portal) -> None:
    portal.open_recovery()
    portal.page.keyboard.press("Tab")
    skip = portal.page.get_by_role("link", name="Перейти к содержанию")
    expect(skip).to_be_focused()

    portal.page.keyboard.press("Enter")

    expect(portal.main).to_be_focused()
    expect(portal.page).to_have_url(f"{portal.url}/recovery")
