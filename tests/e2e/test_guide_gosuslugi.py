"""The guide's part B, row by row, on a desktop and a phone: the stand-in of Gosuslugi."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.conftest import GUIDE_PROFILES
from tests.e2e.gosuslugi_in_browser import CODE_FIELD, LOGIN_FIELD, SMIRNOV, Gosuslugi, press_gosuslugi
from tests.e2e.patients import DemoPhone, spelled
from tests.e2e.portal_in_browser import Portal
from tests.e2e.watching import Watch

pytestmark = pytest.mark.parametrize("profile", GUIDE_PROFILES)
LOGINS = {
    "phone": spelled(SMIRNOV.phone),
    "e-mail": SMIRNOV.email,
    "СНИЛС": f"{SMIRNOV.snils[:3]}-{SMIRNOV.snils[3:6]}-{SMIRNOV.snils[6:9]} {SMIRNOV.snils[9:]}",
}


@pytest.fixture
def gosuslugi(portal: Portal, demo_phone: DemoPhone) -> Gosuslugi:
    return press_gosuslugi(portal, demo_phone)


def test_g05_the_sign_in_page_has_its_fields_and_links(gosuslugi: Gosuslugi) -> None:
    page = gosuslugi.page
    for field in (LOGIN_FIELD, "Пароль"):
        expect(page.get_by_label(field, exact=True)).to_be_visible()
    for link in ("Восстановить", "QR-код", "Эл. подпись", "Не удаётся войти?"):
        expect(page.get_by_role("link", name=link, exact=True)).to_be_visible()
    expect(page.get_by_text("Войти другим способом")).to_be_visible()
    expect(page.get_by_role("button", name="Войти", exact=True)).to_be_visible()
    gosuslugi.look("G05")


@pytest.mark.parametrize("login", LOGINS.values(), ids=LOGINS)
def test_g05_phone_e_mail_and_snils_name_the_same_person(gosuslugi: Gosuslugi, login: str) -> None:
    gosuslugi.sign_in(SMIRNOV, login)

    gosuslugi.portal.expect_cards()


def test_g05_a_qr_code_is_approved_on_the_demo_phone(gosuslugi: Gosuslugi) -> None:
    gosuslugi.page.get_by_role("link", name="QR-код", exact=True).click()
    expect(gosuslugi.page.get_by_role("img", name="QR-код для входа")).to_be_visible()
    gosuslugi.look("G05 QR")
    phone = gosuslugi.page.context.new_page()
    phone.goto(f"{gosuslugi.portal.url}/sandbox/phone?number=%2B{SMIRNOV.phone[1:]}")
    phone.get_by_role("link", name="Подтвердить вход по QR-коду").last.click()
    phone.get_by_role("button", name="Подтвердить вход", exact=True).click()
    expect(phone.get_by_role("status")).to_contain_text(SMIRNOV.last_name)
    phone.close()

    gosuslugi.give_data()
    gosuslugi.portal.expect_cards()


def test_g05_an_electronic_signature_is_a_choice_of_test_certificates(gosuslugi: Gosuslugi) -> None:
    gosuslugi.page.get_by_role("link", name="Эл. подпись", exact=True).click()
    gosuslugi.look("G05 certificate")
    gosuslugi.page.get_by_role("radio", name=re.compile(SMIRNOV.last_name)).check()
    gosuslugi.page.get_by_role("button", name="Продолжить", exact=True).click()

    gosuslugi.give_data()
    gosuslugi.portal.expect_cards()


def test_g05_restoring_the_password_leads_back_to_the_sign_in(gosuslugi: Gosuslugi) -> None:
    gosuslugi.page.get_by_role("link", name="Восстановить", exact=True).click()
    expect(gosuslugi.page.get_by_role("heading", level=1)).to_contain_text("Восстановление")
    gosuslugi.look("G05 restore")
    gosuslugi.page.get_by_role("link", name="Вернуться ко входу").click()

    gosuslugi.expect_sign_in()


def test_g06_who_cannot_sign_in_is_told_what_to_check_and_where_to_go(gosuslugi: Gosuslugi) -> None:
    dialog = open_help(gosuslugi, "Не удаётся войти?")
    for fact in ("дефис", "пробел", "язык", "Caps Lock", "документ, удостоверяющий личность, и СНИЛС"):
        expect(dialog).to_contain_text(re.compile(fact.replace(" ", r"\s+")))
    for link in ("восстановлением пароля", "в службу поддержки", "центр обслуживания"):
        expect(dialog.get_by_role("link", name=link)).to_be_visible()
    gosuslugi.look("G06")
    dialog.get_by_role("link", name="центр обслуживания").click()

    expect(gosuslugi.page.get_by_role("heading", level=1)).to_contain_text(re.compile("центр", re.I))


def test_g07_the_code_is_asked_for_with_a_masked_number(gosuslugi: Gosuslugi, watch: Watch) -> None:
    watch.allow_refused_form()
    before = gosuslugi.sent_to(SMIRNOV)
    gosuslugi.enter(SMIRNOV)

    expect(gosuslugi.heading("Подтвердите вход")).to_be_visible()
    expect(gosuslugi.page.get_by_text("Код подтверждения отправлен на номер +7 ***_***_**_**")).to_be_visible()
    expect(gosuslugi.page.get_by_role("link", name="Не приходит смс", exact=True)).to_be_visible()
    assert SMIRNOV.phone[-4:] not in gosuslugi.page.inner_text("main")
    gosuslugi.look("G07")
    gosuslugi.page.get_by_label(CODE_FIELD).fill("000000")
    gosuslugi.page.get_by_role("button", name="Продолжить", exact=True).click()
    expect(gosuslugi.page.get_by_role("alert")).to_be_visible()
    gosuslugi.confirm(SMIRNOV, before + 1)
    gosuslugi.give_data()
    gosuslugi.portal.expect_cards()


def test_g08_whoever_gets_no_message_is_told_why_it_may_be(gosuslugi: Gosuslugi) -> None:
    gosuslugi.enter(SMIRNOV)
    dialog = open_help(gosuslugi, "Не приходит смс")
    for fact in (
        "нынешний номер",
        "через банк",
        "Обновите страницу",
        "технические работы",
        "Настройки связи",
        "24 часа",
        "номер телефона указан правильно",
        "режим полёта",
        "баланс",
        "не блокирует ли он",
    ):
        expect(dialog).to_contain_text(re.compile(fact.replace(" ", r"\s+")))
    expect(dialog.get_by_role("link", name="в службу поддержки")).to_be_visible()
    gosuslugi.look("G08")


def test_g09_the_return_lands_on_the_cards(gosuslugi: Gosuslugi) -> None:
    gosuslugi.sign_in(SMIRNOV)

    gosuslugi.portal.expect_cards()
    assert gosuslugi.page.url == f"{gosuslugi.portal.url}/cards"  # neither code nor state stays in the address


def open_help(gosuslugi: Gosuslugi, name: str) -> Locator:
    link = gosuslugi.page.get_by_role("link", name=name, exact=True)
    expect(link).to_have_attribute("aria-haspopup", "dialog")  # until its script has loaded, the link leads to a page
    link.click()
    dialog = gosuslugi.page.get_by_role("dialog", name=name)
    expect(dialog).to_be_visible()
    return dialog
