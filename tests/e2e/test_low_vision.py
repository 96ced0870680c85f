"""«Версия для слабовидящих»: one key away on every page, at once, without losing what was typed, and there in the first paint."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.e2e.conftest import NewPortal
from tests.e2e.portal_in_browser import Portal

PHONE = "Номер сотового телефона"
SWITCH, BACK = "Версия для слабовидящих", "Обычная версия"
# Of what is seen: the ground, the letters, their size.
_SEEN = """() => {
  const { backgroundColor, color } = getComputedStyle(document.body);
  return [backgroundColor, color, getComputedStyle(document.documentElement).fontSize];
}"""
BLACK, WHITE = "rgb(0, 0, 0)", "rgb(255, 255, 255)"
ORDINARY_SIZE = 18


def seen(page: Page) -> tuple[str, str, float]:
    ground, letters, size = page.evaluate(_SEEN)
    return ground, letters, float(size.removesuffix("px"))


def scripts_are_there(portal: Portal) -> None:
    """The page's own, which come after the first frame: they note the step of the recovery, once the server has said it."""
    portal.page.wait_for_function("() => sessionStorage.getItem('medonline.step') === 'phone'")


def test_the_keyboard_switches_it_and_nothing_typed_is_lost(portal: Portal) -> None:
    portal.open_recovery()
    scripts_are_there(portal)  # before that a press loads the page in the other look
    portal.field(PHONE).fill("+7 900 1")
    portal.main.evaluate("() => document.activeElement.blur()")
    portal.page.keyboard.press("Home")
    ordinary = seen(portal.page)

    portal.header.get_by_role("button", name=SWITCH).press("Enter")

    panel = portal.header.get_by_text("Настройки вида")
    expect(panel).to_be_focused()
    assert seen(portal.page) == (WHITE, BLACK, ORDINARY_SIZE * 1.5)
    portal.tab_to("200 %")
    portal.page.keyboard.press("Enter")
    expect(portal.button("200 %")).to_have_attribute("aria-pressed", "true")
    expect(portal.button("150 %")).to_have_attribute("aria-pressed", "false")
    portal.tab_to("Белым по чёрному")
    portal.page.keyboard.press("Space")
    expect(portal.button("Белым по чёрному")).to_have_attribute("aria-pressed", "true")
    assert seen(portal.page) == (BLACK, WHITE, ORDINARY_SIZE * 2)
    expect(portal.field(PHONE)).to_have_value("+7 900 1")
    portal.look("low vision panel")

    portal.page.reload()
    portal.expect_step("ШАГ 1. УКАЖИТЕ ТЕЛЕФОН")
    assert seen(portal.page) == (BLACK, WHITE, ORDINARY_SIZE * 2)
    portal.expect_connected()
    portal.page.get_by_role("link", name="О доступности").click()  # inside the app: the page is not loaded again
    expect(portal.heading("О доступности")).to_be_focused()
    assert seen(portal.page) == (BLACK, WHITE, ORDINARY_SIZE * 2)
    expect(portal.main).to_contain_text("Обратитесь в регистратуру своей поликлиники.")  # the region names no address
    portal.look("accessibility")

    portal.button(BACK).press("Enter")
    expect(portal.header.get_by_role("button", name=SWITCH)).to_be_focused()
    assert seen(portal.page) == ordinary


def test_it_works_and_is_kept_without_any_script(new_portal: NewPortal) -> None:
    portal = new_portal(java_script_enabled=False)
    portal.open("/recovery").header.get_by_role("button", name=SWITCH).click()

    expect(portal.page.locator("html")).to_have_attribute("data-vision-scheme", "black")
    expect(portal.page).to_have_url(re.compile("/recovery$"))
    expect(portal.page.locator("body")).to_have_css("background-color", WHITE)
    portal.header.get_by_text("Настройки вида").click()
    portal.button("Синим по голубому").click()
    expect(portal.page.locator("body")).to_have_css("background-color", "rgb(157, 209, 255)")
    portal.open("/region").button(BACK).click()
    expect(portal.page.locator("html")).not_to_have_attribute("data-vision-scheme", re.compile(".*"))
