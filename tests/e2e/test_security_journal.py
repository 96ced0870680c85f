"""«Журнал» and «это не я»: what patients read about their account, and how the link of a notice closes it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Request, expect

from tests.e2e.account_in_browser import choose_in_menu
from tests.e2e.conftest import GUIDE_PROFILES, NewPortal
from tests.e2e.patients import DemoPhone, Patient
from tests.e2e.portal_in_browser import NEW_PASSWORD, TELEGRAM, Portal

JOURNAL = "Журнал"
STOPPED = "Восстановление по телефону остановлено"
NAMES = {"Chrome", "HeadlessChrome", "Linux", "Android"}


def link_in(text: str) -> str:
    found = re.search(r"Это не вы\? (\S+)$", text)
    assert found is not None, text
    return found[1]


@pytest.mark.parametrize("profile", GUIDE_PROFILES)
def test_a_patient_reads_what_happened_to_the_account(
    portal: Portal, new_portal: NewPortal, patient: Patient, demo_phone: DemoPhone
) -> None:
    other = new_portal()
    other.open().open_login()
    other.submit_login(patient.phone, "NotMyPassword1")
    expect(other.error).to_be_visible()
    other.open_recovery()
    other.begin(patient.phone)
    other.confirm(demo_phone.code(patient.phone))
    other.set_password(NEW_PASSWORD)
    portal.log_in(patient.phone, NEW_PASSWORD)
    choose_in_menu(portal, JOURNAL)
    rows = portal.main.get_by_role("listitem")

    expect(rows).to_have_text(
        [
            re.compile("Вход по телефону и паролю"),
            re.compile("Установлен новый пароль по проверочному звонку"),
            re.compile("При восстановлении пароля введён верный код"),
            re.compile("На ваш номер запросили проверочный звонок, чтобы восстановить пароль"),
            re.compile("Кто-то ввёл для входа ваш номер и неверный пароль"),
            re.compile("Личный кабинет открыт сотрудником регистратуры"),
        ]
    )
    expect(rows.first).to_contain_text("адрес в интернете начинается с 127.0.0")
    assert patient.phone[2:] not in portal.main.inner_text()
    portal.look("journal", names=NAMES)


def test_a_long_journal_is_read_on(portal: Portal, patient: Patient) -> None:
    for _ in range(4):
        portal.log_in(patient.phone, patient.password)
        portal.log_out()
    portal.log_in(patient.phone, patient.password)
    choose_in_menu(portal, JOURNAL)

    expect(portal.main.get_by_role("listitem").filter(has_text="Выход.")).to_have_count(4)
    expect(portal.button("Показать более ранние")).to_have_count(0)


def test_without_a_session_the_journal_is_not_shown(portal: Portal) -> None:
    portal.open("/journal")
    expect(portal.dialog()).to_be_visible()
    assert portal.page.get_by_role("heading", name="Журнал").count() == 0
    assert portal.page.locator(".journal-row").count() == 0


@pytest.mark.parametrize("profile", GUIDE_PROFILES)
def test_whoever_did_not_change_the_password_closes_the_account_by_the_link(
    portal: Portal, new_portal: NewPortal, patient: Patient, demo_phone: DemoPhone
) -> None:
    thief = new_portal()
    thief.open_recovery()
    thief.begin(patient.phone)
    thief.confirm(demo_phone.code(patient.phone))
    thief.set_password(NEW_PASSWORD)
    thief.submit_login(patient.phone, NEW_PASSWORD)
    thief.expect_cards()
    text = demo_phone.notice(patient.phone)
    assert "установлен новый пароль" in text
    link = link_in(text)
    token = link.partition("#")[2]
    sent: list[str] = []

    def remember(request: Request) -> None:
        sent.append(f"{request.url} {request.headers.get('referer', '')} {request.post_data or ''}")

    frames: list[str] = []
    portal.page.on("request", remember)
    portal.page.on("websocket", lambda socket: socket.on("framesent", lambda frame: frames.append(str(frame))))
    portal.page.goto(link)
    expect(portal.heading("В личный кабинет вошли или изменили его не вы?")).to_be_visible()
    assert "#" not in portal.page.url
    portal.look("not-me", names=NAMES)
    portal.page.reload()  # nothing was done yet, and the link still works
    portal.button("Это не я, закрыть кабинет").click()
    expect(portal.heading("Личный кабинет закрыт от посторонних")).to_be_visible()
    portal.look("not-me-done", names=NAMES)

    assert not any(token in one for one in sent)  # never in an address
    assert sum(token in frame for frame in frames) == 1  # once, in the form
    expect(thief.dialog()).to_be_visible()  # the page of the intruder closes by itself
    assert patient.last_name not in thief.page.inner_text("body")
    thief.open().open_login()
    thief.submit_login(patient.phone, NEW_PASSWORD)
    expect(thief.error).to_contain_text("не подошли")
    portal.page.goto(link)
    portal.button("Это не я, закрыть кабинет").click()
    expect(portal.error).to_contain_text("больше не действует")
    thief.page.wait_for_timeout(6_500)  # the pause between two codes to one phone (SHORT_PAUSES)
    again = new_portal()
    again.open_recovery()
    again.begin(patient.phone, TELEGRAM)
    again.submit_code(demo_phone.code(patient.phone, "telegram"))
    expect(again.heading(STOPPED)).to_be_visible()
    assert re.search(r"можно будет после \d\d:\d\d \d+ [а-я]+\.", again.main.inner_text())  # it is visible
    again.look("recovery-stopped", names=NAMES)
    again.page.reload()
    expect(again.heading(STOPPED)).to_be_visible()


def test_a_link_that_nobody_sent_closes_nothing(portal: Portal, patient: Patient) -> None:
    portal.open(f"/not-me#{'0' * 64}")
    portal.button("Это не я, закрыть кабинет").click()
    expect(portal.error).to_contain_text("больше не действует")
    portal.open("/not-me")
    portal.button("Это не я, закрыть кабинет").click()
    expect(portal.error).to_contain_text("больше не действует")
    expect(portal.button("Это не я, закрыть кабинет")).to_have_count(0)  # it would have no effect
    expect(portal.main.get_by_role("link", name="На главную")).to_be_visible()
    portal.log_in(patient.phone, patient.password)
