"""The app handles presses from before its start as soon as it has started, so a patient with a slow phone loses nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from playwright.sync_api import Route, expect

from tests.e2e.patients import Patient
from tests.e2e.portal_in_browser import CALL, STEP_2, Portal


@pytest.fixture
def let_the_app_start(portal: Portal) -> Callable[[], None]:
    """The app's modules arrive only when this is called. The pages arrive before."""
    held: list[Route] = []
    open_ = threading.Event()

    def hold(route: Route) -> None:
        if open_.is_set():
            route.continue_()
        else:
            held.append(route)

    portal.page.route("**/assets/**/*.js", hold)
    portal.page.route("**/assets/*.js", hold)

    def let() -> None:
        open_.set()
        for route in held:
            route.continue_()

    return let


def _open(portal: Portal, path: str) -> None:
    """Open a page without waiting for everything that it loads, because the app is held back."""
    portal.page.goto(f"{portal.url}{path}", wait_until="commit")


def test_a_form_sent_before_the_app_is_there_is_sent_once_with_what_was_typed(
    portal: Portal, patient: Patient, let_the_app_start: Callable[[], None]
) -> None:
    loads: list[str] = []
    portal.page.on("request", lambda request: loads.append(request.url) if request.is_navigation_request() else None)
    _open(portal, "/recovery")
    portal.fill_phone(patient.phone, CALL)
    portal.button("ДАЛЕЕ").click()
    portal.button("ДАЛЕЕ").click()
    let_the_app_start()

    portal.expect_step(STEP_2)
    expect(portal.main).to_contain_text("Вам поступит звонок")
    assert len(loads) == 1  # the browser itself posted nothing


def test_a_button_pressed_before_the_app_is_there_works(portal: Portal, let_the_app_start: Callable[[], None]) -> None:
    _open(portal, "/register")
    portal.button("Нет, я отказываюсь").click()
    let_the_app_start()

    expect(portal.heading("Регистрация остановлена")).to_be_visible()
