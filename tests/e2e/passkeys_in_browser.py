"""Sign-in by fingerprint, face or PIN in the patient's words: the buttons, and the section in the settings."""

from __future__ import annotations

from playwright.sync_api import Locator, expect

from tests.e2e.account_in_browser import Settings
from tests.e2e.patients import Patient
from tests.e2e.portal_in_browser import Portal

OFFER = "Вход по отпечатку, лицу или PIN телефона"
SECTION = "Вход по отпечатку, лицу или PIN"
BY_PASSKEY = "Войти по отпечатку, лицу или PIN"
ADD = "Добавить вход на этом устройстве"
# The names that the list may give to a device.
NAMES = frozenset({"Chrome", "HeadlessChrome", "Linux", "Android", "Safari"})
ADDED = "Готово: теперь на этом устройстве можно входить по отпечатку, лицу или PIN."


def by_name(portal: Portal) -> Portal:
    """The portal under a host name, because no device makes a passkey for a bare IP address."""
    portal.url = portal.url.replace("127.0.0.1", "localhost")
    return portal


def section(portal: Portal) -> Locator:
    return portal.page.get_by_role("region", name=SECTION, exact=True)


def add(portal: Portal, patient: Patient) -> Settings:
    """The patient signs in and adds a passkey in the settings."""
    settings = Settings.open(portal, patient)
    section(portal).get_by_role("button", name=ADD).click()
    expect(section(portal).get_by_role("listitem")).to_have_count(1)
    expect(section(portal)).to_contain_text(ADDED)
    return settings
