"""«Мои карты»: adding, taking off, asking the registry again, and the registry that does not answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, expect

from medonline.sandbox.people import PEOPLE
from tests.e2e.conftest import GUIDE_PROFILES
from tests.e2e.gosuslugi_in_browser import (
    BY_NAME,
    SMIRNOV,
    press_gosuslugi,
    sign_in_through_gosuslugi,
    switch_registry,
)
from tests.e2e.patients import DemoPhone, Patient
from tests.e2e.portal_in_browser import Portal
from tests.e2e.server import Server

NINA = next(person for person in PEOPLE if person.first_name == "Нина")
CHILD = next(person for person in PEOPLE if person.first_name == "Анна")
HER_BIRTHDAY = "19.02.1954"


@pytest.fixture
def server(server_of_profile: Callable[[str], Server], profile: str) -> Server:
    return server_of_profile(profile)


@pytest.fixture
def registry(server: Server) -> Iterator[Callable[[str], None]]:
    yield lambda fault: switch_registry(server.url, fault)
    switch_registry(server.url, "none")


def card(portal: Portal, number: str) -> Locator:
    return portal.main.get_by_role("listitem").filter(has_text=number)


def add(portal: Portal, policy: str, birth_date: str) -> None:
    form = portal.page.get_by_text("Добавить карту: свою, ребёнка или родственника")
    if not portal.field("Номер полиса ОМС").is_visible():
        form.click()
    portal.field("Номер полиса ОМС").fill(policy)
    portal.field("Дата рождения владельца полиса").fill(birth_date)
    portal.button("Добавить карту").click()


@pytest.mark.parametrize("profile", GUIDE_PROFILES)
def test_a_relatives_card_is_added_by_policy_and_birth_date_and_taken_off(portal: Portal, patient: Patient) -> None:
    portal.log_in(patient.phone, patient.password)
    spaced = " ".join(NINA.policy[at : at + 4] for at in range(0, 16, 4))
    add(portal, spaced, HER_BIRTHDAY)
    expect(card(portal, "МК-001013")).to_contain_text("Карта другого человека")
    expect(portal.page.get_by_role("status").filter(has_text="Карта добавлена")).to_be_visible()
    add(portal, CHILD.policy, f"{CHILD.birth_date:%d.%m.%Y}")
    expect(card(portal, "МК-001012")).to_contain_text("Соколова Анна")
    portal.look("cards of relatives")

    portal.button("Убрать карту МК-001013").click()
    portal.button("Оставить").click()
    portal.button("Убрать карту МК-001013").click()
    portal.button("Да, убрать").click()

    expect(card(portal, "МК-001013")).to_have_count(0)
    expect(portal.page.get_by_role("status").filter(has_text="Карта убрана из кабинета")).to_be_visible()
    portal.page.reload()
    expect(card(portal, "МК-001012")).to_be_visible()
    expect(card(portal, "МК-001013")).to_have_count(0)


@pytest.mark.parametrize(
    ("policy", "birth_date", "text"),
    [
        ("12", HER_BIRTHDAY, "16 цифр"),
        (NINA.policy, "19 февраля", "дат"),
        (NINA.policy, "19.02.2154", "дат"),
        (NINA.policy, "20.02.1954", "не найдена"),
        ("7707000000000000", HER_BIRTHDAY, "не найдена"),
    ],
    ids=["short policy", "no date", "unborn", "another's birth date", "unknown policy"],
)
def test_what_does_not_fit_is_named_and_stays_in_the_fields(
    portal: Portal, patient: Patient, policy: str, birth_date: str, text: str
) -> None:
    portal.log_in(patient.phone, patient.password)
    add(portal, policy, birth_date)

    expect(portal.error.first).to_contain_text(text)
    expect(portal.field("Номер полиса ОМС")).to_have_value(policy)
    expect(portal.field("Дата рождения владельца полиса")).to_have_value(birth_date)
    expect(portal.heading("Карт пока нет")).to_be_visible()


@pytest.mark.parametrize("profile", GUIDE_PROFILES)
@pytest.mark.parametrize("fault", ["down", "html", "garbage", "slow"])
def test_without_the_registry_its_last_good_answer_is_shown_with_its_time(
    portal: Portal, demo_phone: DemoPhone, registry: Callable[[str], None], fault: str
) -> None:
    sign_in_through_gosuslugi(portal, demo_phone, SMIRNOV)
    expect(card(portal, "МК-001003")).to_be_visible()
    registry(fault)
    portal.button("Обновить").click()

    expect(
        portal.page.get_by_role("status").filter(has_text="Реестр медицинских карт сейчас не отвечает")
    ).to_be_visible()
    expect(portal.main).to_contain_text("Показываем то, что он сообщил")
    expect(card(portal, "МК-001003")).to_be_visible()
    portal.look(f"cards registry {fault}")
    registry("none")
    portal.button("Обновить").click()
    expect(portal.page.get_by_role("status").filter(has_text="не отвечает")).to_have_count(0)


def test_with_the_registry_down_from_the_start_nothing_is_said_to_be_missing(
    portal: Portal, demo_phone: DemoPhone, registry: Callable[[str], None]
) -> None:
    registry("down")
    person = BY_NAME["Фёдоров"]

    press_gosuslugi(portal, demo_phone).sign_in(person)
    portal.button("Да, я согласен").click()
    portal.expect_cards()

    expect(portal.main).to_contain_text("Карты появятся, когда он заработает")
    expect(portal.heading("Карт пока нет")).to_have_count(0)
    add(portal, NINA.policy, HER_BIRTHDAY)
    expect(portal.error.first).to_contain_text("Реестр медицинских карт сейчас не отвечает")
    expect(portal.field("Номер полиса ОМС")).to_have_value(NINA.policy)
