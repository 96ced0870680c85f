"""The portal in one tab of a browser, in the patient's words: open, begin, enter the code, sign in."""

from __future__ import annotations

import json
import re
from collections.abc import Set
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from medonline.web.cookies import LOW_VISION
from tests.e2e.looking import look_around, picture
from tests.e2e.watching import english_words, overflow

LOGIN = "ВХОД В ЛИЧНЫЙ КАБИНЕТ"
CALL = "Проверочный звонок"
TELEGRAM = "Код в Telegram"
STEP_1 = "ШАГ 1. УКАЖИТЕ ТЕЛЕФОН"
STEP_2 = "ШАГ 2. ВВЕДИТЕ ПРОВЕРОЧНЫЙ КОД"
BIRTH_DATE = "УКАЖИТЕ ДАТУ РОЖДЕНИЯ"
STEP_3 = "ШАГ 3. УКАЖИТЕ НОВЫЙ ПАРОЛЬ"
DONE = "Новый пароль установлен"
NO_ACCOUNT = "К этому номеру личный кабинет не привязан"
NEW_PASSWORD = "Noviy2026parol"
MAX_TABS = 40
# The app and the other scripts come after the first frame (docs/decisions/0028), and the server accepts the socket after that.
_CONNECTED = """() => window.medonlineSocket?.joined && window.medonlineSocket.frame
  && Object.keys(document.querySelector("main") ?? {}).some((key) => key.startsWith("__reactProps"))"""


class Portal:
    """One tab. Each method does one thing that a patient does, and waits for the result.

    seen: records the screens that were looked at. Once a run, each one is also seen at other widths and in other colours.
    pictures: where these views are kept instead of checked (`--screens`).
    """

    def __init__(self, page: Page, url: str, *, seen: Path | None = None, pictures: Path | None = None) -> None:
        self.page = page
        self.url = url
        self.seen = seen
        self.pictures = pictures

    # What is on the screen

    @property
    def main(self) -> Locator:
        return self.page.get_by_role("main")

    @property
    def header(self) -> Locator:
        return self.page.get_by_role("banner")

    @property
    def error(self) -> Locator:
        """The summary of errors in the form, in the wizard or in the open dialog."""
        return self.page.locator(".error-summary:visible")

    def heading(self, name: str) -> Locator:
        return self.page.get_by_role("heading", name=name, exact=True)

    def dialog(self, name: str | re.Pattern[str] = re.compile(".*")) -> Locator:
        return self.page.get_by_role("dialog", name=name)

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def field(self, label: str) -> Locator:
        return self.page.get_by_label(label, exact=True)

    def expect_step(self, heading: str) -> None:
        expect(self.heading(heading)).to_be_visible()

    def expect_connected(self) -> None:
        """The app has taken over the page and its socket has joined. So a connection that is cut now is one that the page had."""
        self.page.wait_for_function(_CONNECTED)

    def expect_error(self, text: str) -> None:
        """The summary shows the text and has the focus, the field shows it, and the title announces it."""
        expect(self.error).to_contain_text(text)
        expect(self.error).to_be_focused()
        expect(self.page).to_have_title(re.compile("^Ошибка: "))

    def look(self, name: str, names: Set[str] = frozenset()) -> None:
        """Check the screen: no English except `names`, and nothing is cut off, too small, too pale or without a name."""
        if self.pictures and self.seen:
            picture(self.page, name, self.pictures, self.seen)
            return
        self.page.wait_for_load_state()  # until its style has loaded, the page is no screen to check
        assert not english_words(self.page) - names, f"English on the screen «{name}»"
        assert overflow(self.page) <= 0, f"the screen «{name}» scrolls sideways"
        if self.seen and (faults := look_around(self.page, name, self.seen)):
            pytest.fail(f"the screen «{name}»: {json.dumps(faults, ensure_ascii=False, indent=1)}")

    def see_as(self, low_vision: str) -> None:
        """Act as if the browser had chosen «Версия для слабовидящих» on an earlier day, as `low_vision`. Empty: it has not."""
        if low_vision:
            self.page.context.add_cookies([{"name": LOW_VISION, "value": low_vision, "url": self.url}])

    def tab_to(self, name: str) -> None:
        """Press Tab until the focus is on the element with this text, label or id."""
        for _ in range(MAX_TABS):
            self.page.keyboard.press("Tab")
            here = self.page.evaluate(
                "(({ innerText, ariaLabel, id }) => [innerText ?? '', ariaLabel ?? '', id])(document.activeElement)"
            )
            if here[2] == name or any(text.startswith(name) for text in here[:2]):
                return
        pytest.fail(f"the keyboard does not reach «{name}»")

    # The way in

    def open(self, path: str = "/") -> Portal:
        self.page.goto(f"{self.url}{path}")
        return self

    def open_login(self) -> Locator:
        """«Войти» in the header, tab «ЛОГИН/ПАРОЛЬ»."""
        self.header.get_by_role("button", name="Войти", exact=True).click()
        self.page.get_by_role("tab", name="ЛОГИН/ПАРОЛЬ").click()
        dialog = self.dialog("ВХОД В ЛИЧНЫЙ КАБИНЕТ")
        expect(dialog.get_by_label("Пароль", exact=True)).to_be_visible()
        return dialog

    def submit_login(self, phone: str, password: str) -> None:
        """Fill in the visible sign-in form and submit it."""
        self.field("Телефон").fill(phone)
        self.field("Пароль").fill(password)
        form = self.page.locator("form", has=self.field("Пароль"))
        form.get_by_role("button", name="Войти", exact=True).click()

    def log_in(self, phone: str, password: str) -> None:
        self.open().open_login()
        self.submit_login(phone, password)
        self.expect_cards()

    def expect_cards(self) -> None:
        self.page.wait_for_url("**/cards")
        expect(self.heading("Мои карты")).to_be_visible()
        expect(self.page.get_by_text("Здравствуйте")).to_be_visible()

    def log_out(self) -> None:
        self.header.locator("[data-menu]").click()
        self.button("Выйти").click()
        expect(self.header.get_by_role("button", name="Войти", exact=True)).to_be_visible()

    # The wizard

    def open_recovery(self) -> Portal:
        self.open("/recovery")
        self.expect_step(STEP_1)
        return self

    def fill_phone(self, phone: str, way: str = CALL) -> None:
        self.field("Номер сотового телефона").fill(phone)
        self.page.get_by_role("radio", name=way).check()

    def begin(self, phone: str, way: str = CALL) -> None:
        self.fill_phone(phone, way)
        self.button("ДАЛЕЕ").click()
        self.expect_step(STEP_2)

    def submit_code(self, code: str) -> None:
        self.field("Проверочный код").fill(code)
        self.button("ОТПРАВИТЬ").click()

    def confirm(self, code: str) -> None:
        self.submit_code(code)
        self.expect_step(STEP_3)

    def submit_birth_date(self, typed: str) -> None:
        self.field("Дата рождения").fill(typed)
        self.button("ДАЛЕЕ").click()

    def submit_password(self, password: str) -> None:
        self.field("Новый пароль").fill(password)
        self.button("СМЕНИТЬ ПАРОЛЬ").click()

    def set_password(self, password: str = NEW_PASSWORD) -> None:
        self.submit_password(password)
        self.expect_step(DONE)
