"""The recovery in Firefox, once from the start to «Мои карты», and sign-in by passkey. All other browser tests use Chromium."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.firefox import FIREFOX, firefox
from tests.e2e.passkeys_in_browser import ADD, BY_PASSKEY
from tests.e2e.patients import DemoPhone, Patient
from tests.e2e.portal_in_browser import DONE, NEW_PASSWORD, STEP_1, STEP_2, STEP_3
from tests.e2e.server import Server

ENTER = "\ue007"  # WebDriver's code for the key

pytestmark = pytest.mark.skipif(FIREFOX is None, reason="Firefox is not installed (Debian: apt install firefox-esr)")


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


@pytest.mark.parametrize("in_the_field", [True, False])
def test_passkeys_in_firefox_leave_dialog_and_settings_in_order(
    server: Server, patient: Patient, tmp_path: Path, in_the_field: bool
) -> None:
    """No device can answer. It runs with and without passkey offers in the phone field."""
    preferences = {
        "security__webauthn__enable_conditional_mediation": in_the_field,
        "security__webauth__webauthn_enable_usbtoken": False,
    }
    with firefox(tmp_path, **preferences) as browser:
        browser.open(f"{server.url.replace('127.0.0.1', 'localhost')}/")
        browser.press("button", "Войти")
        browser.press("tab", "ЛОГИН/ПАРОЛЬ")
        browser.press("button", BY_PASSKEY)
        browser.wait_for_text("Вы отменили, или время вышло.")
        browser.type_into("Телефон", patient.phone)
        browser.type_into("Пароль", patient.password + ENTER)
        browser.wait_for_path("/cards")
        browser.open(f"{server.url.replace('127.0.0.1', 'localhost')}/settings")
        browser.press("button", ADD)
        browser.wait_for_text("Ничего не добавлено.")

        assert not browser.shows("button", "Убрать")
