"""The stand-in's pages in a real browser: dialogs, the QR code that goes on by itself, and the strict policy."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.async_api import Page, async_playwright, expect

from medonline.sandbox.people import PASSWORD
from tests.sandbox.gosuslugi import NEW, Person, ac, running_gosuslugi

pytestmark = pytest.mark.e2e


@pytest.fixture
async def screen(system_chromium: str | None) -> AsyncIterator[Page]:
    """A narrow page; whatever the browser complains of, apart from pages that say what is wrong, fails the test."""
    complaints: list[str] = []
    async with async_playwright() as playwright:
        if system_chromium is None and not Path(playwright.chromium.executable_path).exists():
            pytest.fail("The browser tests need Chromium: run `playwright install chromium` or install the system's.")
        args = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = await playwright.chromium.launch(executable_path=system_chromium, args=args)
        context = await browser.new_context(viewport={"width": 320, "height": 640})
        opened = await context.new_page()
        opened.on("console", lambda message: complaints.append(message.text))
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        yield opened
        await browser.close()
    assert [text for text in complaints if "status of 400" not in text] == []


async def at_sign_in(page: Page, url: str) -> None:
    await page.goto(f"{url}/gosuslugi/aas/oauth2/v2/ac?{urlencode(ac())}")
    await expect(page.get_by_role("heading", name="ГОСУСЛУГИ")).to_be_visible()


async def password(page: Page, typed: str = PASSWORD) -> None:
    await page.get_by_label("Телефон / Email / СНИЛС").fill(NEW.phone)
    await page.get_by_label("Пароль", exact=True).fill(typed)
    await page.get_by_role("button", name="Войти", exact=True).click()


async def assert_dialog(page: Page, name: str) -> None:
    link, dialog = page.get_by_role("link", name=name), page.get_by_role("dialog", name=name)
    await link.click()
    await expect(dialog).to_be_visible()
    assert await dialog.evaluate("dialog => dialog.contains(document.activeElement)")
    await page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
    await expect(link).to_be_focused()
    await page.keyboard.press("Enter")
    await dialog.get_by_role("button", name="Закрыть").click()
    await expect(link).to_be_focused()


async def assert_fits(page: Page) -> None:
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_help_opens_in_dialogs_that_give_the_focus_back(screen: Page, gosuslugi_url: str) -> None:
    await at_sign_in(screen, gosuslugi_url)
    await assert_dialog(screen, "Не удаётся войти?")
    await assert_fits(screen)
    await password(screen)
    await expect(screen.get_by_role("heading", name="Подтвердите вход")).to_be_visible()
    await assert_dialog(screen, "Не приходит смс")
    await assert_fits(screen)


async def test_a_wrong_pair_is_said_in_words_and_in_the_title(screen: Page, gosuslugi_url: str) -> None:
    await at_sign_in(screen, gosuslugi_url)
    await password(screen, "wrong")

    await expect(screen.get_by_role("alert")).to_contain_text("Неверный логин или пароль")
    await expect(screen).to_have_title("Ошибка: Вход — ГОСУСЛУГИ, учебный стенд")
    await expect(screen.get_by_label("Телефон / Email / СНИЛС")).to_have_value(NEW.phone)


async def test_a_form_names_its_origin(screen: Page, gosuslugi_url: str) -> None:
    await at_sign_in(screen, gosuslugi_url)
    async with screen.expect_request(lambda request: request.method == "POST") as posted:
        await password(screen)

    assert (await (await posted.value).all_headers())["origin"] == gosuslugi_url


async def test_the_qr_page_goes_on_by_itself(screen: Page) -> None:
    with running_gosuslugi() as url:
        await at_sign_in(screen, url)
        await screen.get_by_role("link", name="QR-код").click()
        await expect(screen.get_by_role("img", name="QR-код для входа")).to_be_visible()
        await assert_fits(screen)
        phone = await screen.context.new_page()
        await phone.goto(f"{url}/phone?{urlencode({'number': NEW.phone})}")
        await phone.get_by_role("link", name="Подтвердить вход по QR-коду").click()
        await phone.get_by_role("button", name="Подтвердить вход").click()
        await expect(phone.get_by_role("status")).to_contain_text("Соколов Дмитрий Андреевич")

        await expect(screen.get_by_role("button", name="Предоставить")).to_be_visible()


async def test_the_demo_phone_follows_sms_and_qr_codes(screen: Page) -> None:
    with running_gosuslugi() as url:
        await screen.goto(f"{url}/phone?{urlencode({'number': NEW.phone})}")
        await expect(screen.get_by_text("SMS пока нет")).to_be_visible()
        async with Person(url) as person:
            await person.open("/gosuslugi/aas/oauth2/v2/ac", **ac())
            path = person.page.url.path
            await person.press("/password", login=NEW.phone, password=PASSWORD)
            await expect(screen.locator("#sms strong")).to_have_text(await person.sms_code(NEW.phone))
            await person.open(f"{path}/qr")
            await expect(screen.get_by_role("link", name="Подтвердить вход по QR-коду")).to_be_visible()
