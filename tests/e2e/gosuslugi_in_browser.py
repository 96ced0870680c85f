"""Gosuslugi as a patient sees it: the stand-in's pages in the portal's tab."""

from __future__ import annotations

import re

import httpx
from playwright.sync_api import Locator, Page, expect

from medonline.sandbox.people import PASSWORD, PEOPLE, DemoPerson
from tests.e2e.patients import DemoPhone
from tests.e2e.portal_in_browser import Portal

BY_NAME = {person.last_name: person for person in PEOPLE}
SOKOLOV, SMIRNOV, IVANOVA, VOLKOV = (BY_NAME[name] for name in ("Соколов", "Смирнов", "Иванова", "Волков"))
LOGIN_FIELD = "Телефон / Email / СНИЛС"
CODE_FIELD = "Код подтверждения"
CODE_PAGE = "Подтвердите вход"
CONSENT = "Передача данных"


class Gosuslugi:
    """The tab after a press on «Войти через Госуслуги»."""

    def __init__(self, portal: Portal, phone: DemoPhone) -> None:
        self.portal = portal
        self.page: Page = portal.page
        self.phone = phone

    def heading(self, name: str) -> Locator:
        return self.page.get_by_role("heading", name=name, exact=True)

    def expect_sign_in(self) -> None:
        expect(self.heading("ГОСУСЛУГИ")).to_be_visible()

    def look(self, name: str) -> None:
        """Check the screen like the portal's own. The permanent banner says that this is not the real service."""
        expect(self.page.get_by_text("Учебный стенд").first).to_be_visible()
        self.portal.look(f"gosuslugi {name}")

    def enter(self, person: DemoPerson, login: str = "", password: str = PASSWORD) -> None:
        self.expect_sign_in()
        self.page.get_by_label(LOGIN_FIELD).fill(login or person.phone or person.email)
        self.page.get_by_label("Пароль", exact=True).fill(password)
        self.page.get_by_role("button", name="Войти", exact=True).click()

    def confirm(self, person: DemoPerson, number: int) -> None:
        """Type the `number`-th SMS code that this person received."""
        expect(self.heading(CODE_PAGE)).to_be_visible()
        self.page.get_by_label(CODE_FIELD).fill(self.phone.code(person.phone, "sms", number=number))
        self.page.get_by_role("button", name="Продолжить", exact=True).click()

    def sent_to(self, person: DemoPerson) -> int:
        """How many SMS this person has received so far."""
        if not person.phone:
            return 0
        return len(self.phone.with_codes(person.phone, "sms"))

    def identify(self, person: DemoPerson, login: str = "") -> None:
        """Enter login, password and, if the person has a phone there, the code. It ends at the question whether data may be shared."""
        before = self.sent_to(person)
        self.enter(person, login)
        if person.phone:
            self.confirm(person, before + 1)

    def decide(self, button: str = "Предоставить") -> None:
        expect(self.heading(CONSENT)).to_be_visible()
        self.page.get_by_role("button", name=button, exact=True).click()

    def give_data(self) -> None:
        """Press «Предоставить» if the page asks. It asks only on a person's first visit."""
        there = re.compile(f"^{re.escape(self.portal.url)}/(?!sandbox)")
        expect(self.heading(CONSENT).or_(self.portal.header)).to_be_visible()
        if not there.match(self.page.url):
            self.decide()
        self.page.wait_for_url(there)

    def sign_in(self, person: DemoPerson, login: str = "") -> None:
        self.identify(person, login)
        self.give_data()

    def switch(self, fault: str) -> None:
        """Switch this fault of the stand-in on."""
        _switch(f"{self.portal.url}/sandbox/gosuslugi/faults.json", self.portal.url, fault)


def switch_registry(url: str, fault: str) -> None:
    """Switch this fault of the registry of cards on."""
    _switch(f"{url}/sandbox/fhir-faults.json", url, fault)


def _switch(address: str, origin: str, fault: str) -> None:
    httpx.put(address, json={"fault": fault}, headers={"Origin": origin}, trust_env=False).raise_for_status()


def press_gosuslugi(portal: Portal, phone: DemoPhone) -> Gosuslugi:
    """«Войти» → «ГОСУСЛУГИ» → «Войти через Госуслуги»."""
    portal.open()
    portal.header.get_by_role("button", name="Войти", exact=True).click()
    dialog = portal.dialog("ВХОД В ЛИЧНЫЙ КАБИНЕТ")
    expect(dialog.get_by_role("tab", name="ГОСУСЛУГИ")).to_have_attribute("aria-selected", "true")
    dialog.get_by_role("button", name="Войти через Госуслуги").click()
    gosuslugi = Gosuslugi(portal, phone)
    gosuslugi.expect_sign_in()
    return gosuslugi


def sign_in_through_gosuslugi(portal: Portal, phone: DemoPhone, person: DemoPerson) -> None:
    """Take a person who has an account from the main page to «Мои карты»."""
    press_gosuslugi(portal, phone).sign_in(person)
    portal.expect_cards()


def full_name(person: DemoPerson) -> str:
    return f"{person.last_name} {person.first_name} {person.patronymic}"


def masked(person: DemoPerson) -> re.Pattern[str]:
    """The policy's last four digits after a mask."""
    return re.compile(rf"[•*]+.*{person.policy[-4:]}")
