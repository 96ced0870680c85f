"""The account's pages in the patient's words: the settings and the list of sign-ins."""

from __future__ import annotations

from datetime import timedelta

from playwright.sync_api import Locator, expect
from sqlmodel import col, select, update

from medonline.bootstrap import Portal as Services
from medonline.storage.tables.login import AccountSession
from medonline.storage.tables.patients import Patient as PatientRow
from tests.e2e.patients import Patient
from tests.e2e.portal_in_browser import Portal
from tests.e2e.server import Server

SETTINGS = "Отредактируйте настройки и сохраните изменения"
SESSIONS = "Мои входы"
_LABELS = {
    "phone": "Телефон:",
    "email": "Электронная почта:",
    "last_name": "Фамилия:",
    "first_name": "Имя:",
    "password": "Пароль:",
    "password_confirmation": "Повторите пароль:",
}


def choose_in_menu(portal: Portal, link: str) -> None:
    """Choose a line of the menu under the patient's name."""
    portal.header.locator("[data-menu]").click()
    portal.header.get_by_role("link", name=link, exact=True).click()


def end_other_sessions(portal: Portal) -> None:
    """End every sign-in of this patient except the one in this browser."""
    portal.open("/sessions")
    portal.button("Завершить все остальные входы").click()
    expect(portal.main.get_by_role("listitem")).to_have_count(1)


def proved_long_ago(server: Server, phone: str) -> None:
    """Make the sign-ins of this phone so old that the portal asks for proof again. Until then no time passes in the test."""

    async def happened(services: Services) -> None:
        long_ago = services.clock() - services.config.reauthentication_window - timedelta(minutes=1)
        patients = select(PatientRow.id).where(PatientRow.phone == phone)
        with services.database.writing() as session:
            mine = col(AccountSession.patient_id).in_(patients)
            aged = session.exec(update(AccountSession).where(mine).values(authenticated_at=long_ago))
            assert aged.rowcount > 0, f"nobody is signed in as {phone}"

    server.operate(happened)


class Settings:
    """The settings of the signed-in patient."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal
        expect(portal.heading(SETTINGS)).to_be_visible()
        expect(self.save_button).to_be_visible()

    @classmethod
    def open(cls, portal: Portal, patient: Patient) -> Settings:
        """Sign in and open the settings through the menu."""
        portal.log_in(patient.phone, patient.password)
        choose_in_menu(portal, "Настройки")
        return cls(portal)

    @property
    def save_button(self) -> Locator:
        return self.portal.button("Сохранить")

    def fill(self, **values: str) -> None:
        """Fill fields by their names. A password is repeated unless the repetition is given."""
        if "password" in values:
            values.setdefault("password_confirmation", values["password"])
        for name, value in values.items():
            self.portal.field(_LABELS[name]).fill(value)

    def save(self) -> None:
        self.save_button.click()

    def expect_saved(self, what: str) -> None:
        expect(self.portal.page.get_by_role("status").filter(has_text=f"Сохранено: {what}.")).to_be_visible()

    def expect_refused(self, name: str, text: str) -> None:
        """The field shows the error, and the summary says that nothing was saved."""
        field = self.portal.field(_LABELS[name])
        expect(field).to_have_attribute("aria-invalid", "true")
        expect(self.portal.main).to_contain_text(text)
        expect(self.portal.error.first).to_contain_text("Ничего не сохранено")

    def value(self, name: str) -> str:
        return self.portal.field(_LABELS[name]).input_value()

    @property
    def identities(self) -> Locator:
        """The section with the accounts at Gosuslugi that open this account."""
        return self.portal.page.get_by_role("region", name="Учётные записи Госуслуг")
