"""The first frame of a page is usable: it comes without any other file, and a tap on it is not lost."""

from __future__ import annotations

import threading

import pytest
from playwright.sync_api import Route, expect

from tests.e2e.conftest import NewPortal
from tests.e2e.patients import Patient
from tests.e2e.portal_in_browser import LOGIN, STEP_1, STEP_2, Portal

_WATCH_SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries())
    window.shifts.push([entry.value, ...entry.sources.map((one) => one.node?.className ?? String(one.node))]);
}).observe({ type: "layout-shift", buffered: true });
"""


def test_the_dialog_opens_and_closes_without_any_script(new_portal: NewPortal) -> None:
    portal = new_portal(java_script_enabled=False).open()
    dialog = portal.page.locator("dialog#login")
    portal.header.get_by_role("button", name="Войти", exact=True).click()

    expect(dialog).to_be_visible()
    expect(dialog.get_by_role("button", name="Войти через Госуслуги")).to_be_visible()
    dialog.get_by_role("button", name="Закрыть").click()
    expect(dialog).to_be_hidden()


def test_all_of_the_dialog_works_while_every_other_file_is_still_on_its_way(portal: Portal) -> None:
    held: list[Route] = []
    arrive = threading.Event()
    portal.page.route("**/*.{js,css}", lambda route: route.continue_() if arrive.is_set() else held.append(route))
    portal.page.goto(portal.url, wait_until="commit")
    dialog = portal.open_login()
    dialog.get_by_label("Пароль", exact=True).fill("Poliklinika7")
    dialog.get_by_role("button", name="Показать пароль").click()
    expect(dialog.get_by_label("Пароль", exact=True)).to_have_attribute("type", "text")
    assert held, "nothing was asked for after the first frame"

    arrive.set()
    for route in held:
        route.continue_()
    expect(portal.page.locator("main")).to_have_js_property("isConnected", True)
    portal.page.wait_for_function(
        "() => Object.keys(document.querySelector('main')).some((k) => k.startsWith('__react'))"
    )
    portal.page.wait_for_load_state("networkidle")
    expect(portal.dialog(LOGIN)).to_be_visible()
    expect(dialog.get_by_label("Пароль", exact=True)).to_have_value("Poliklinika7")
    portal.page.go_back()
    expect(portal.dialog(LOGIN)).to_be_hidden()


def test_a_reload_at_step_2_does_not_show_step_1(portal: Portal, patient: Patient) -> None:
    portal.open_recovery().begin(patient.phone)
    held: list[Route] = []
    arrive = threading.Event()
    portal.page.route("**/*.js", lambda route: route.continue_() if arrive.is_set() else held.append(route))
    portal.page.add_init_script(_WATCH_SHIFTS)
    portal.page.reload(wait_until="commit")
    expect(portal.page.locator("#main")).to_be_visible()
    expect(portal.page.locator("#step-title")).to_be_hidden()
    expect(portal.page.locator("#step-title")).to_have_text(STEP_1)

    arrive.set()
    for route in held:
        route.continue_()
    portal.expect_step(STEP_2)
    assert portal.page.evaluate("window.shifts") == []


@pytest.mark.parametrize("profile", ["desktop", "pixel"])
def test_nothing_moves_when_the_app_takes_a_page_over(portal: Portal, profile: str) -> None:
    portal.page.add_init_script(_WATCH_SHIFTS)
    for path in ("/", "/recovery"):
        portal.open(path)
        portal.page.wait_for_load_state("networkidle")

        # Browsers report shifts in thousandths; a smaller shift is a part of a pixel.
        shifts = portal.page.evaluate("window.shifts")
        assert round(sum(shift[0] for shift in shifts), 3) == 0, (path, shifts)
