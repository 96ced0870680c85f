"""A person who comes from Gosuslugi and seems to have an account by phone: proof, refusal of another person's account, a new account."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from tests.e2e.conftest import GUIDE_PROFILES, NewPortal
from tests.e2e.gosuslugi_in_browser import IVANOVA, SMIRNOV, VOLKOV, Gosuslugi, full_name, press_gosuslugi
from tests.e2e.patients import DemoPhone
from tests.e2e.portal_in_browser import Portal
from tests.e2e.server import Server

pytestmark = pytest.mark.parametrize("profile", GUIDE_PROFILES)
IS_IT_YOURS = "Это ваш личный кабинет?"
IVANOVAS_PASSWORD, KUZNETSOVAS_PASSWORD = "Zdorovie2026", "Vrach12345"


@pytest.fixture
def server(server_of_profile: Callable[[str], Server], profile: str) -> Server:
    return server_of_profile(profile)


@pytest.fixture
def gosuslugi(portal: Portal, demo_phone: DemoPhone) -> Gosuslugi:
    return press_gosuslugi(portal, demo_phone)


def prove_by_password(portal: Portal, phone: str, password: str) -> None:
    portal.field("Телефон кабинета").fill(phone)
    portal.field("Пароль кабинета").fill(password)
    portal.button("Подтвердить паролем").click()


def test_a_proved_phone_and_the_same_person_are_linked_at_once(gosuslugi: Gosuslugi) -> None:
    gosuslugi.sign_in(SMIRNOV)

    gosuslugi.portal.expect_cards()
    expect(gosuslugi.portal.header).to_contain_text(full_name(SMIRNOV))


def test_another_persons_account_is_not_handed_over_and_a_new_one_is_offered(
    gosuslugi: Gosuslugi, new_portal: NewPortal
) -> None:
    """The number belonged to another patient. Not even that patient's password opens their account to this identity."""
    portal = gosuslugi.portal
    gosuslugi.sign_in(VOLKOV)
    expect(portal.heading(IS_IT_YOURS)).to_be_visible()
    assert "Кузнецова" not in portal.page.content()
    prove_by_password(portal, VOLKOV.phone, KUZNETSOVAS_PASSWORD)
    expect(portal.error.first).to_be_visible()
    assert "Кузнецова" not in portal.page.content()
    portal.look("link another's")
    portal.button("Это не мой кабинет, открыть новый").click()
    portal.button("Да, я согласен").click()

    portal.expect_cards()
    expect(portal.header).to_contain_text(full_name(VOLKOV))
    hers = new_portal()
    hers.log_in(VOLKOV.phone, KUZNETSOVAS_PASSWORD)
    expect(hers.header).to_contain_text("Кузнецова Ольга Сергеевна")


def test_an_account_not_proved_before_is_linked_by_its_password(gosuslugi: Gosuslugi, new_portal: NewPortal) -> None:
    portal = gosuslugi.portal
    gosuslugi.sign_in(IVANOVA)
    expect(portal.heading(IS_IT_YOURS)).to_be_visible()
    portal.look("link proof")
    prove_by_password(portal, IVANOVA.phone, "Nepravilniy1")
    expect(portal.error.first).to_contain_text("Телефон или пароль не подошли")
    expect(portal.field("Телефон кабинета")).to_have_value(IVANOVA.phone)
    prove_by_password(portal, IVANOVA.phone, IVANOVAS_PASSWORD)

    portal.expect_cards()
    expect(portal.header).to_contain_text(full_name(IVANOVA))
    again = new_portal()
    press_gosuslugi(again, gosuslugi.phone).sign_in(IVANOVA)
    again.expect_cards()  # from now on at once


def test_an_account_is_linked_by_a_code_to_its_phone(
    new_portal: NewPortal, start_server: Callable[..., Server], profile: str
) -> None:
    server = start_server(f"link-code-{profile}", RESEND_PAUSES="6 s, 6 s")
    portal, phone = new_portal(), DemoPhone(server.url)
    portal.url = server.url
    press_gosuslugi(portal, phone).sign_in(IVANOVA)
    expect(portal.heading(IS_IT_YOURS)).to_be_visible()
    portal.page.get_by_text("Не помню пароль, подтвердить кодом").click()
    portal.field("Номер сотового телефона кабинета").fill(IVANOVA.phone)
    portal.page.get_by_role("radio", name="Проверочный звонок").check()
    portal.button("Получить код").click()
    expect(portal.heading("Введите проверочный код")).to_be_visible()
    portal.look("link code")
    portal.page.reload()
    expect(portal.heading("Введите проверочный код")).to_be_visible()
    portal.submit_code(phone.code(IVANOVA.phone))

    portal.expect_cards()
    expect(portal.header).to_contain_text(full_name(IVANOVA))


def test_who_agrees_before_the_consent_has_loaded_is_asked_nothing_again(
    new_portal: NewPortal, start_server: Callable[..., Server], profile: str
) -> None:
    """The app goes to the consent at once. Only then does its page ask the server who is waiting for it."""
    server = start_server(f"early-consent-{profile}")
    portal = new_portal()
    portal.url = server.url
    let_it_load = hold_the_load_of(portal.page, "/register")
    press_gosuslugi(portal, DemoPhone(server.url)).sign_in(VOLKOV)
    portal.button("Это не мой кабинет, открыть новый").click()
    portal.page.wait_for_url("**/register")
    portal.button("Да, я согласен").click()
    let_it_load()

    portal.expect_cards()
    expect(portal.header).to_contain_text(full_name(VOLKOV))


def hold_the_load_of(page: Page, path: str) -> Callable[[], None]:
    """Hold back the app's request to the server for this page, and everything sent after it, until the returned function is called."""
    held: list[Callable[[], None]] = []
    going = threading.Event()

    def carry(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def send(message: str | bytes) -> None:
            begins = "on_load" in str(message) and f'"pathname":"{path}"' in str(message)
            if not going.is_set() and (held or begins):
                held.append(lambda: server.send(message))
            else:
                server.send(message)

        socket.on_message(send)

    page.route_web_socket("**/_event/**", carry)

    def let() -> None:
        assert held, f"nothing was asked for {path}"
        going.set()
        for send in held:
            send()

    return let
