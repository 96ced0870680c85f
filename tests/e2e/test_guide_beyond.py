"""The guide's part E, on a desktop and a phone: registration by consent and Gosuslugi, the region, the phone as login."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.config.region_files import ORYOL, TULA
from tests.e2e.account_in_browser import Settings, choose_in_menu
from tests.e2e.conftest import GUIDE_PROFILES, NewPortal, StartServer
from tests.e2e.gosuslugi_in_browser import BY_NAME, SMIRNOV, SOKOLOV, Gosuslugi, full_name, press_gosuslugi
from tests.e2e.patients import DemoPhone
from tests.e2e.portal_in_browser import LOGIN, Portal
from tests.e2e.server import Server

pytestmark = pytest.mark.parametrize("profile", GUIDE_PROFILES)
AGREE, REFUSE = "Да, я согласен", "Нет, я отказываюсь"
CONSENT = "Регистрация: согласие на обработку персональных данных"
NEW_PASSWORD = "Vesna2026pribyla"


@pytest.fixture
def server(server_of_profile: Callable[[str], Server], profile: str) -> Server:
    return server_of_profile(profile)


def test_e_a_new_patient_registers_sets_a_password_and_signs_in_with_it(
    portal: Portal, demo_phone: DemoPhone, server: Server
) -> None:
    """The whole demo in one session, beginning at the main page."""
    portal.open().page.get_by_role("link", name="Зарегистрироваться").click()
    expect(portal.heading(CONSENT)).to_be_visible()
    portal.look("E consent")
    portal.button(REFUSE).click()
    expect(portal.heading("Регистрация остановлена")).to_be_visible()
    portal.look("E refused")
    portal.page.get_by_role("link", name="На главную").click()
    portal.page.get_by_role("link", name="Зарегистрироваться").click()
    portal.button(AGREE).click()
    gosuslugi = Gosuslugi(portal, demo_phone)
    gosuslugi.identify(SOKOLOV)
    gosuslugi.look("E data")
    gosuslugi.decide()

    portal.expect_cards()
    expect(portal.header).to_contain_text(full_name(SOKOLOV))
    expect(portal.main.get_by_role("listitem").filter(has_text="МК-001001")).to_contain_text("Действует")
    expect(portal.main.get_by_role("listitem").filter(has_text="МК-001002")).to_contain_text("Закрыта")
    portal.look("E cards")
    choose_in_menu(portal, "Настройки")
    settings = Settings(portal)
    settings.fill(password=NEW_PASSWORD)
    settings.save()
    settings.expect_saved("пароль")
    portal.log_out()
    portal.log_in(SOKOLOV.phone, NEW_PASSWORD)


def test_e_whoever_refuses_after_gosuslugi_leaves_nothing_behind(
    portal: Portal, new_portal: NewPortal, demo_phone: DemoPhone, server: Server
) -> None:
    person = BY_NAME["Фёдоров"]
    press_gosuslugi(portal, demo_phone).sign_in(person)
    expect(portal.heading(CONSENT)).to_be_visible()
    expect(portal.main).to_contain_text(full_name(person))
    portal.look("E consent after")
    portal.button(REFUSE).click()
    expect(portal.heading("Регистрация остановлена")).to_be_visible()
    expect(portal.main).to_contain_text("Ничего из ваших данных на портале не осталось")

    portal.page.reload()
    expect(portal.heading(CONSENT)).to_be_visible()
    assert person.last_name not in portal.page.inner_text("body")
    assert not _kept_in(server, person.last_name)
    again = new_portal()
    press_gosuslugi(again, demo_phone).sign_in(person)
    again.button(AGREE).click()  # the page asks again, because nothing was remembered
    again.expect_cards()
    expect(again.header).to_contain_text(full_name(person))


def test_e_the_sign_in_name_is_the_phone_alone(portal: Portal) -> None:
    portal.open().open_login()
    portal.submit_login("smirnov@example.com", "Poliklinika7")

    portal.expect_error("номер")
    expect(portal.field("Телефон")).to_have_value("smirnov@example.com")


@pytest.fixture
def regional(start_server: StartServer, profile: str, tmp_path: Path) -> Server:
    regions = tmp_path / "regions.toml"
    wording = (
        'booking_url = "https://zapis.example.ru/"\nsupport_phone = "8 (800) 000-00-57"\ndesk = "справочную области"\n'
        'accessibility_email = "dostupnost@example.ru"\n'
        'data_policy = "https://example.ru/politika"\n'
    )
    regions.write_text(TULA + ORYOL + wording, encoding="utf-8")
    return start_server(f"regions-{profile}", REGIONS_FILE=str(regions))


def test_e_with_several_regions_the_start_page_asks_first_and_remembers(
    new_portal: NewPortal, regional: Server
) -> None:
    portal = new_portal()
    portal.url = regional.url
    portal.open()
    expect(portal.heading("Выберите регион")).to_be_visible()
    portal.look("E regions")
    portal.button("Орловская область").click()
    booking = portal.main.get_by_role("link", name="Записаться к врачу")
    expect(booking).to_have_attribute("href", "https://zapis.example.ru/")

    expect(portal.header.get_by_role("button", name="Войти", exact=True)).to_be_visible()
    footer = portal.page.get_by_role("contentinfo")
    expect(footer).to_contain_text("Орловская область")
    expect(footer).to_contain_text("Оператор персональных данных: учебный стенд")
    policy = footer.get_by_role("link", name="Политика обработки персональных данных")
    expect(policy).to_have_attribute("href", "https://example.ru/politika")
    footer.get_by_role("link", name="О доступности").click()
    letters = portal.main.get_by_role("link", name="dostupnost@example.ru")
    expect(letters).to_have_attribute("href", "mailto:dostupnost@example.ru")
    portal.open()
    expect(portal.heading("Выберите регион")).to_have_count(0)
    portal.open_login().get_by_role("link", name="Не могу войти", exact=True).click()
    portal.button("Нет личного кабинета").click()
    dialog = portal.dialog("Нет личного кабинета")
    expect(dialog.get_by_role("link", name="8 (800) 000-00-57")).to_have_attribute("href", "tel:88000000057")
    expect(dialog).to_contain_text("справочную области")


def test_e_with_one_region_the_main_page_comes_at_once(portal: Portal) -> None:
    portal.open()

    expect(portal.header.get_by_role("button", name="Войти", exact=True)).to_be_visible()
    expect(portal.heading("Выберите регион")).to_have_count(0)
    expect(portal.page.get_by_role("link", name="Политика обработки персональных данных")).to_have_count(0)


def test_e_signing_out_ends_the_session_at_gosuslugi_too(portal: Portal, demo_phone: DemoPhone, server: Server) -> None:
    press_gosuslugi(portal, demo_phone).sign_in(SMIRNOV)
    portal.expect_cards()
    portal.log_out()
    portal.header.get_by_role("button", name="Войти", exact=True).click()
    portal.dialog(LOGIN).get_by_role("button", name="Войти через Госуслуги").click()

    Gosuslugi(portal, demo_phone).expect_sign_in()  # the person must identify themselves again


def _kept_in(server: Server, text: str) -> list[str]:
    """The portal's own files that contain this text. The stand-ins' store is left out, because it plays the outside."""
    files = [path for path in server.data_dir.rglob("*") if path.is_file() and not path.name.startswith("sandbox.")]
    return [path.name for path in files if text.encode() in path.read_bytes()]
