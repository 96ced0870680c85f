"""Failed sign-in through Gosuslugi: each failure has its own sentence, and a way to continue."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from tests.e2e.gosuslugi_in_browser import BY_NAME, CONSENT, SMIRNOV, Gosuslugi, press_gosuslugi
from tests.e2e.patients import DemoPhone
from tests.e2e.portal_in_browser import LOGIN, Portal
from tests.e2e.server import Server
from tests.e2e.watching import Watch

FAILED = "Войти через Госуслуги не получилось"
CANNOT_CHECK = "Портал не смог проверить ответ Госуслуг"
DOWN = "Госуслуги сейчас не отвечают"
FAULTS = {
    "html_500": DOWN,
    "slow": DOWN,
    "oversized": DOWN,
    "rotated_key": CANNOT_CHECK,
    "wrong_issuer": CANNOT_CHECK,
    "wrong_audience": CANNOT_CHECK,
    "expired_token": CANNOT_CHECK,
    "unsigned": CANNOT_CHECK,
    "code_used": "уже использован",
}


@pytest.fixture
def server(server_of_profile: Callable[[str], Server], profile: str) -> Server:
    return server_of_profile(profile)


@pytest.fixture
def gosuslugi(portal: Portal, demo_phone: DemoPhone) -> Iterator[Gosuslugi]:
    gosuslugi = Gosuslugi(portal, demo_phone)
    yield gosuslugi
    gosuslugi.switch("none")


def expect_refusal(portal: Portal, text: str) -> None:
    expect(portal.heading(FAILED)).to_be_visible()
    expect(portal.page.get_by_role("alert").filter(has_text=text)).to_be_visible()
    cookies = [cookie["name"] for cookie in portal.page.context.cookies()]
    assert "medonline_session" not in cookies


@pytest.mark.parametrize(("fault", "text"), FAULTS.items(), ids=FAULTS)
def test_a_provider_that_fails_or_lies_lets_nobody_in(gosuslugi: Gosuslugi, fault: str, text: str) -> None:
    portal = gosuslugi.portal
    before = gosuslugi.sent_to(SMIRNOV)
    press_gosuslugi(portal, gosuslugi.phone).enter(SMIRNOV)
    gosuslugi.switch(fault)
    gosuslugi.confirm(SMIRNOV, before + 1)
    expect(gosuslugi.heading(CONSENT).or_(portal.heading(FAILED))).to_be_visible()
    if gosuslugi.heading(CONSENT).is_visible():
        gosuslugi.decide()

    expect_refusal(portal, text)
    portal.look(f"refusal {fault}")


def test_a_closed_provider_says_so_before_anything_is_typed(gosuslugi: Gosuslugi) -> None:
    portal = gosuslugi.portal
    gosuslugi.switch("unavailable")
    portal.open().header.get_by_role("button", name="Войти", exact=True).click()
    portal.dialog(LOGIN).get_by_role("button", name="Войти через Госуслуги").click()

    expect_refusal(portal, DOWN)


def test_after_a_refusal_another_try_succeeds(gosuslugi: Gosuslugi) -> None:
    portal = gosuslugi.portal
    gosuslugi.switch("html_500")
    press_gosuslugi(portal, gosuslugi.phone).identify(SMIRNOV)
    expect_refusal(portal, DOWN)
    gosuslugi.switch("none")
    portal.button("Попробовать ещё раз").click()

    portal.expect_cards()  # Gosuslugi still knows the person


@pytest.mark.parametrize(
    ("last_name", "text"),
    [
        ("Новикова", "не подтверждена"),
        ("Лебедев", "учётная запись ребёнка"),
        ("Павлов", "учётная запись на Госуслугах удалена"),
        ("Орлова", "Вы отказались передать данные"),
    ],
)
def test_whoever_may_not_come_in_is_told_why(gosuslugi: Gosuslugi, last_name: str, text: str, watch: Watch) -> None:
    portal, person = gosuslugi.portal, BY_NAME[last_name]
    press_gosuslugi(portal, gosuslugi.phone).identify(person)
    expect(gosuslugi.heading(CONSENT).or_(portal.heading(FAILED))).to_be_visible()
    if gosuslugi.heading(CONSENT).is_visible():
        gosuslugi.decide("Отказаться" if person.denies else "Предоставить")

    expect_refusal(portal, text)
    portal.look(f"refusal {last_name}")


def test_without_a_verified_phone_there_the_account_has_none(gosuslugi: Gosuslugi) -> None:
    portal = gosuslugi.portal
    press_gosuslugi(portal, gosuslugi.phone).sign_in(BY_NAME["Морозова"])
    portal.button("Да, я согласен").click()
    portal.expect_cards()
    portal.open("/settings")

    expect(portal.field("Телефон:")).to_have_value("")
    expect(portal.main).to_contain_text("Номер нужен, чтобы входить по телефону и паролю")


def test_an_answer_that_is_used_again_lets_nobody_in(gosuslugi: Gosuslugi, new_portal: Callable[[], Portal]) -> None:
    portal = gosuslugi.portal
    returns: list[str] = []
    portal.page.on(
        "request", lambda request: returns.append(request.url) if "/gosuslugi/return" in request.url else None
    )
    press_gosuslugi(portal, gosuslugi.phone).sign_in(SMIRNOV)
    portal.expect_cards()
    (address,) = returns
    thief = new_portal()
    thief.page.goto(address)
    expect_refusal(thief, "Начните вход заново")
    portal.page.goto(address)

    expect(portal.heading(FAILED)).to_be_visible()
    portal.open("/cards")
    portal.expect_cards()  # a person who was signed in stays signed in


def test_a_refusal_leads_to_the_other_ways(gosuslugi: Gosuslugi) -> None:
    portal = gosuslugi.portal
    portal.open("/login-failed?reason=unavailable")
    expect(portal.page.get_by_role("link", name="Восстановить пароль по телефону")).to_be_visible()
    portal.page.get_by_role("link", name="Войти по телефону и паролю").click()

    expect(portal.dialog(LOGIN)).to_be_visible()
    expect(portal.field("Пароль")).to_be_visible()


@pytest.mark.parametrize("reason", ["", "nothing-known", "<script>alert(1)</script>", "x" * 3000])
def test_an_unknown_reason_is_a_plain_sentence(portal: Portal, reason: str) -> None:
    portal.open(f"/login-failed?reason={reason}")

    expect(portal.page.get_by_role("alert").filter(has_text="Попробуйте ещё раз")).to_be_visible()
