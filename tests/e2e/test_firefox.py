"""The recovery in Firefox, once from the start to «Мои карты»: Chromium drives all other browser tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.firefox import FIREFOX, firefox
from tests.e2e.patients import DemoPhone, Patient
from tests.e2e.portal_in_browser import DONE, NEW_PASSWORD, STEP_1, STEP_2, STEP_3
from tests.e2e.server import Server


@pytest.mark.skipif(FIREFOX is None, reason="Firefox is not installed (Debian: apt install firefox-esr)")
def test_a_password_is_recovered_in_firefox(
    server: Server, patient: Patient, demo_phone: DemoPhone, tmp_path: Path
) -> None:
    with firefox(tmp_path) as browser:
        browser.open(f"{server.url}/recovery")
        browser.wait_for("heading", STEP_1)
        browser.type_into("Номер сотового телефона", patient.phone)
        browser.press("button", "ДАЛЕЕ")
        browser.wait_for("heading", STEP_2)
        browser.type_into("Проверочный код", demo_phone.code(patient.phone))
        browser.press("button", "ОТПРАВИТЬ")
        browser.wait_for("heading", STEP_3)
        browser.type_into("Новый пароль", NEW_PASSWORD)
        browser.press("button", "СМЕНИТЬ ПАРОЛЬ")
        browser.wait_for("heading", DONE)
        browser.press("button", "Войти")

        browser.wait_for_path("/cards")
        browser.wait_for("heading", "Мои карты")
