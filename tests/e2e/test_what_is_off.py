"""No screen promises what an installation lacks or has switched off, and each screen says what is left."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Page, expect

from medonline.domain.codes.channels import ChannelName
from tests.e2e.account_in_browser import Settings
from tests.e2e.conftest import NewPortal, StartServer
from tests.e2e.gosuslugi_in_browser import IVANOVA, press_gosuslugi
from tests.e2e.patients import DemoPhone, fresh_phone
from tests.e2e.portal_in_browser import Portal
from tests.e2e.server import Server
from tests.patience import PATIENCE

NO_CODES = "Сейчас коды не отправляются. Обратитесь в регистратуру"
REASON = "идут работы у операторов"
PROBLEMS = (
    "Не помню пароль",
    "Не помню, какой номер указан",
    "Номер телефона сменился",
    "Не получается войти через Госуслуги",
    "Нет личного кабинета",
)


def switch_off(server: Server, page: Page, channel: ChannelName) -> None:
    """Switch a way off like an operator. `page` is a recovery page, which is reloaded until it shows the change."""
    server.operate(lambda portal: portal.switches.switch_off(channel, REASON, calls_alone=True))
    deadline = time.monotonic() + PATIENCE
    radio = page.locator(f"#channel-{channel}")
    while radio.count():
        assert time.monotonic() < deadline, f"{channel} is still offered"
        page.reload()
        expect(page.locator("[data-loaded=yes]")).to_have_count(1)


def test_without_a_way_of_getting_a_code_no_screen_offers_one(start_server: StartServer, new_portal: NewPortal) -> None:
    server = start_server("no-ways")
    portal, linking = new_portal(), new_portal()
    portal.url = linking.url = server.url
    press_gosuslugi(linking, DemoPhone(server.url)).sign_in(IVANOVA)
    expect(linking.heading("Это ваш личный кабинет?")).to_be_visible()
    linking.page.get_by_text("Не помню пароль, подтвердить кодом").click()
    linking.field("Номер сотового телефона кабинета").fill(IVANOVA.phone)
    linking.page.get_by_role("radio", name="Проверочный звонок").check()

    portal.open_recovery()
    switch_off(server, portal.page, ChannelName.FLASH_CALL)
    linking.button("Получить код").click()
    expect(linking.error).to_contain_text(f"«Проверочный звонок» временно отключён: {REASON}. Выберите другой способ.")
    expect(linking.page.get_by_role("radio", name="Проверочный звонок")).to_have_count(0)
    assert linking.main.inner_text().count(REASON) == 2  # above the form and at the field, not a third time as a hint

    for channel in ChannelName:
        if channel is not ChannelName.FLASH_CALL:
            switch_off(server, portal.page, channel)
    expect(portal.main).to_contain_text(NO_CODES)
    expect(portal.button("Войти через Госуслуги")).to_be_visible()
    linking.button("Получить код").click()
    expect(linking.main).to_contain_text(NO_CODES)
    expect(linking.main.get_by_role("radio")).to_have_count(0)
    linking.look("link without codes")

    portal.log_in("+79000001002", "Poliklinika7")
    portal.open("/settings")
    settings = Settings(portal)
    portal.page.get_by_text("Меняете номер? Выберите, как получить код на новый").click()
    expect(portal.main).to_contain_text(NO_CODES)
    settings.fill(phone=fresh_phone())
    settings.save()
    expect(portal.error).to_contain_text(f"временно отключён: {REASON}.")
    expect(portal.error).not_to_contain_text("другой способ")
    expect(portal.main.get_by_role("radio")).to_have_count(0)
    portal.look("settings without codes")


@pytest.mark.parametrize("profile", ["360"])
def test_without_gosuslugi_no_screen_sends_there(start_server: StartServer, new_portal: NewPortal) -> None:
    server = start_server("no-gosuslugi", IDENTITY_PROVIDER="none")
    portal: Portal = new_portal()
    portal.url = server.url
    portal.open()
    expect(portal.main).not_to_contain_text("Госуслуги", use_inner_text=True)
    portal.open_login().get_by_role("link", name="Не могу войти", exact=True).click()
    for problem in PROBLEMS:
        portal.button(problem).click()
        dialog = portal.dialog("Как восстановить пароль?" if problem == "Не помню пароль" else problem)
        expect(dialog.locator("a.button, a.choice")).to_be_visible()
        for promise in ("йдите через Госуслуги", "йти через Госуслуги:", "открывают через Госуслуги"):
            expect(dialog).not_to_contain_text(promise)
        portal.button("Назад").click()
    portal.open("/login-failed")
    expect(portal.main.get_by_role("link", name="Войти по телефону и паролю")).to_be_visible()
    expect(portal.button("Попробовать ещё раз")).to_have_count(0)
    portal.open("/accessibility")
    expect(portal.main).to_contain_text("Кому не подходит ни то, ни другое, обращается лично.", use_inner_text=True)
