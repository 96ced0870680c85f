"""«Мои карты»: adding, taking off, asking the registry again, and the registry that does not answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, expect

from medonline.sandbox.people import PEOPLE
from tests.e2e.conftest import GUIDE_PROFILES, NewPortal
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
STATEMENT = "Я законный представитель ребёнка"
CHILDS_BIRTHDAY = f"{CHILD.birth_date:%d.%m.%Y}"


@pytest.fixture
def server(server_of_profile: Callable[[str], Server], profile: str) -> Server:
    return server_of_profile(profile)


@pytest.fixture
def registry(server: Server) -> Iterator[Callable[[str], None]]:
    yield lambda fault: switch_registry(server.url, fault)
    switch_registry(server.url, "none")


# Each time that another of these texts is on the page or gone, those that are there.
NOTE_WHAT_IS_SAID = """texts => {
  window.said = [];
  new MutationObserver(() => {
    const there = texts.filter(text => document.body.innerText.includes(text)).join(", ");
    if (there && said.at(-1) !== there) said.push(there);
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""


def card(portal: Portal, number: str) -> Locator:
    return portal.main.get_by_role("listitem").filter(has_text=number)


def fill(portal: Portal, policy: str, birth_date: str, *, representative: bool = False) -> None:
    form = portal.page.get_by_text("Добавить карту: свою, ребёнка или родственника")
    if not portal.field("Номер полиса ОМС").is_visible():
        form.click()
    portal.field("Номер полиса ОМС").fill(policy)
    portal.field("Дата рождения владельца полиса").fill(birth_date)
    portal.field(STATEMENT).set_checked(representative)


def add(portal: Portal, policy: str, birth_date: str, *, representative: bool = False) -> None:
    fill(portal, policy, birth_date, representative=representative)
    portal.button("Добавить карту").click()


def said(portal: Portal, text: str) -> Locator:
    return portal.page.get_by_role("status").filter(has_text=text)


@pytest.mark.parametrize("profile", GUIDE_PROFILES)
def test_a_childs_card_is_added_by_its_representative_and_taken_off(portal: Portal, patient: Patient) -> None:
    portal.log_in(patient.phone, patient.password)
    spaced = " ".join(CHILD.policy[at : at + 4] for at in range(0, 16, 4))
    add(portal, spaced, CHILDS_BIRTHDAY)
    portal.expect_error("Владельцу полиса нет 15 лет")
    expect(portal.field(STATEMENT)).to_have_attribute("aria-invalid", "true")
    portal.look("card of a child without the statement")

    add(portal, spaced, CHILDS_BIRTHDAY, representative=True)
    expect(card(portal, "МК-001012")).to_contain_text("Соколова Анна")
    expect(card(portal, "МК-001012")).to_contain_text("Карта ребёнка")
    expect(said(portal, "Карта добавлена")).to_be_visible()
    portal.look("card of a child")

    portal.button("Убрать карту МК-001012").click()
    portal.button("Оставить").click()
    portal.button("Убрать карту МК-001012").click()
    portal.button("Да, убрать").click()

    expect(card(portal, "МК-001012")).to_have_count(0)
    expect(said(portal, "Карта убрана из кабинета")).to_be_visible()
    portal.page.reload()
    expect(portal.heading("Карт пока нет")).to_be_visible()


@pytest.mark.parametrize("profile", GUIDE_PROFILES)
def test_an_adult_is_asked_agrees_in_their_own_account_and_takes_it_back(
    portal: Portal, new_portal: NewPortal, patient: Patient, demo_phone: DemoPhone
) -> None:
    holder = new_portal()
    sign_in_through_gosuslugi(holder, demo_phone, SMIRNOV)
    expect(card(holder, "МК-001003")).to_be_visible()
    portal.log_in(patient.phone, patient.password)
    add(portal, SMIRNOV.policy, f"{SMIRNOV.birth_date:%d.%m.%Y}")
    expect(said(portal, "Запрос отправлен")).to_be_visible()
    waiting = portal.main.get_by_role("region", name="Ждут согласия")
    expect(waiting).to_contain_text(SMIRNOV.policy[-4:])
    for hidden in (SMIRNOV.last_name, SMIRNOV.first_name, "МК-001003", "поликлиника № 1"):
        expect(portal.main).not_to_contain_text(hidden)
    portal.look("card waits for consent")
    assert not any(patient.last_name in text for text in demo_phone.notices(SMIRNOV.phone))

    holder.page.reload()
    expect(holder.heading("Вас просят показать карты")).to_be_visible()
    expect(holder.main).to_contain_text(f"{patient.full_name}, номер телефона оканчивается на {patient.phone[-2:]}")
    holder.look("asked to show a card")
    holder.button(f"Разрешить: {patient.full_name}").click()
    expect(said(holder, "Доступ открыт")).to_be_visible()
    holder.look("card is shown to somebody")

    portal.page.reload()
    expect(card(portal, "МК-001003")).to_contain_text("Карта другого человека")
    expect(waiting).to_have_count(0)
    portal.look("card by consent")

    holder.button(f"Убрать доступ: {patient.full_name}").click()
    holder.button("Да, убрать доступ").click()
    expect(said(holder, "Доступ убран")).to_be_visible()
    expect(holder.heading("Кто видит ваши карты")).to_have_count(0)
    portal.page.reload()
    expect(portal.heading("Карт пока нет")).to_be_visible()
    expect(card(portal, "МК-001003")).to_have_count(0)


def test_a_request_is_withdrawn_or_refused(
    portal: Portal, new_portal: NewPortal, patient: Patient, demo_phone: DemoPhone
) -> None:
    portal.log_in(patient.phone, patient.password)
    add(portal, SMIRNOV.policy, f"{SMIRNOV.birth_date:%d.%m.%Y}")
    expect(said(portal, "Запрос отправлен")).to_be_visible()
    add(portal, SMIRNOV.policy, f"{SMIRNOV.birth_date:%d.%m.%Y}")
    expect(portal.error.first).to_contain_text("Вы уже попросили показать эту карту")
    withdraw = portal.page.get_by_role("button", name="Отозвать запрос")
    withdraw.click()
    expect(said(portal, "Запрос отозван")).to_be_visible()
    expect(withdraw).to_have_count(0)
    add(portal, SMIRNOV.policy, f"{SMIRNOV.birth_date:%d.%m.%Y}")
    expect(withdraw).to_be_visible()

    holder = new_portal()
    sign_in_through_gosuslugi(holder, demo_phone, SMIRNOV)
    holder.button(f"Отказать: {patient.full_name}").click()
    expect(said(holder, "Вы отказали")).to_be_visible()
    portal.page.reload()
    expect(withdraw).to_be_visible()


@pytest.mark.parametrize(
    ("policy", "birth_date", "text"),
    [
        ("12", HER_BIRTHDAY, "16 цифр"),
        (NINA.policy, "19 февраля", "дат"),
        (NINA.policy, "19.02.2154", "дат"),
        (CHILD.policy, f"{CHILD.birth_date.replace(day=6):%d.%m.%Y}", "не найдена"),
        ("7707000000000000", CHILDS_BIRTHDAY, "не найдена"),
    ],
    ids=["short policy", "no date", "unborn", "another's birth date", "unknown policy"],
)
def test_what_does_not_fit_is_named_and_stays_in_the_fields(
    portal: Portal, patient: Patient, policy: str, birth_date: str, text: str
) -> None:
    portal.log_in(patient.phone, patient.password)
    add(portal, policy, birth_date, representative=True)

    expect(portal.error.first).to_contain_text(text)
    expect(portal.error.first).to_be_focused()
    expect(portal.field("Номер полиса ОМС")).to_have_value(policy)
    expect(portal.field("Дата рождения владельца полиса")).to_have_value(birth_date)
    expect(portal.field(STATEMENT)).to_be_checked()
    expect(portal.heading("Карт пока нет")).to_be_visible()


def test_pressed_again_at_once_refresh_says_when_it_may_be_pressed(portal: Portal, patient: Patient) -> None:
    portal.log_in(patient.phone, patient.password)
    expect(portal.heading("Карт пока нет")).to_be_visible()
    portal.page.evaluate(NOTE_WHAT_IS_SAID, ["Обновляем…"])
    portal.button("Обновить").click()
    portal.page.wait_for_function("() => said.length > 0")  # the registry was asked
    expect(portal.button("Обновить")).to_be_enabled()  # and has answered
    portal.button("Обновить").click()

    expect(said(portal, "Обновить ещё раз можно через")).to_be_visible()


@pytest.mark.parametrize("profile", GUIDE_PROFILES)
def test_without_the_registry_its_last_good_answer_is_shown_with_its_time(
    portal: Portal, demo_phone: DemoPhone, registry: Callable[[str], None]
) -> None:
    sign_in_through_gosuslugi(portal, demo_phone, SMIRNOV)
    expect(card(portal, "МК-001003")).to_be_visible()
    for fault in ("down", "html", "garbage", "slow"):
        registry(fault)
        portal.page.reload()
        expect(card(portal, "МК-001003")).to_be_visible()
        expect(said(portal, "не отвечает")).to_have_count(0)
        portal.button("Обновить").click()

        expect(said(portal, "Реестр медицинских карт сейчас не отвечает")).to_be_visible()
        expect(portal.main).to_contain_text("Показываем то, что он сообщил")
        expect(card(portal, "МК-001003")).to_be_visible()
        portal.look(f"cards registry {fault}")
    registry("none")
    portal.button("Обновить").click()
    expect(said(portal, "не отвечает")).to_have_count(0)


def test_a_record_that_cannot_be_read_is_told_of_and_hides_nothing(
    portal: Portal, patient: Patient, registry: Callable[[str], None]
) -> None:
    portal.log_in(patient.phone, patient.password)
    registry("part")
    add(portal, CHILD.policy, CHILDS_BIRTHDAY, representative=True)
    expect(portal.error.first).to_contain_text("прочитать его ответ портал не смог")

    registry("none")
    portal.button("Добавить карту").click()
    expect(card(portal, "МК-001012")).to_be_visible()
    registry("part")
    portal.button("Обновить").click()

    expect(said(portal, "Показаны не все карты")).to_be_visible()
    expect(portal.main).to_contain_text("исправлять ничего не нужно")
    expect(card(portal, "МК-001012")).to_be_visible()
    expect(card(portal, "Больше не числится в реестре")).to_have_count(0)
    portal.look("cards in part")
    portal.page.reload()
    expect(said(portal, "Показаны не все карты")).to_be_visible()


def test_a_slow_registry_holds_back_no_form(
    portal: Portal, demo_phone: DemoPhone, registry: Callable[[str], None]
) -> None:
    sign_in_through_gosuslugi(portal, demo_phone, SMIRNOV)
    expect(card(portal, "МК-001003")).to_be_visible()
    fill(portal, "1", CHILDS_BIRTHDAY)
    registry("slow")
    portal.page.evaluate(NOTE_WHAT_IS_SAID, ["Карта не добавлена", "Обновляем…"])
    portal.button("Обновить").evaluate("button => button.click()")
    portal.button("Добавить карту").evaluate("button => button.click()")

    expect(portal.error.first).to_contain_text("Карта не добавлена")
    # Whether both are there at one moment depends on how soon the question ends on this machine.
    assert "Обновляем…" in ", ".join(portal.page.evaluate("said"))


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
    add(portal, CHILD.policy, CHILDS_BIRTHDAY, representative=True)
    expect(portal.error.first).to_contain_text("Реестр медицинских карт сейчас не отвечает")
    expect(portal.field("Номер полиса ОМС")).to_have_value(CHILD.policy)
