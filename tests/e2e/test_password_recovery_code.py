"""Step 2: wrong, late and oddly written codes; another code after a pause that a reload does not restart."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import NewPortal, StartServer
from tests.e2e.patients import DemoPhone, Patient, fresh_phone
from tests.e2e.portal_in_browser import BIRTH_DATE, NO_ACCOUNT, STEP_2, STEP_3, TELEGRAM, Portal
from tests.e2e.server import Server

ANOTHER_CALL = "Позвонить ещё раз"


@pytest.fixture(scope="module")
def odd_server(start_server: StartServer) -> Server:
    """The codes of calls expire before any patient could type them. The pauses are those of production."""
    return start_server("odd", CODE_LIFE_FLASH_CALL="3 s", RESEND_PAUSES="60 s, 120 s, 300 s")


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10 ** len(code):0{len(code)}}"


def use_up(portal: Portal, code: str) -> None:
    """Make three wrong guesses, so that the code can no longer be entered."""
    for sentence in ("Осталось 2 попытки", "Осталась 1 попытка", "попытки закончились"):
        portal.submit_code(wrong(code))
        portal.expect_error(sentence)


def expect_no_way_back_but_others(portal: Portal) -> None:
    """A dead code accepts no guess. A way that works now is one tap away."""
    expect(portal.field("Проверочный код")).to_have_count(0)
    expect(portal.button("ОТПРАВИТЬ")).to_have_count(0)
    expect(portal.main).not_to_contain_text("Звонок дошёл")
    expect(portal.button("Войти через Госуслуги")).to_be_visible()
    expect(portal.main).to_contain_text("Обратитесь в регистратуру")


def test_after_three_wrong_codes_a_new_one_and_the_birth_date_work(
    portal: Portal, patient: Patient, demo_phone: DemoPhone
) -> None:
    portal.open_recovery().begin(patient.phone)
    code = demo_phone.code(patient.phone)

    use_up(portal, code)
    portal.look("step 2 used up")
    expect_no_way_back_but_others(portal)
    portal.page.reload()
    expect(portal.main).to_contain_text("Этот код больше не действует")
    expect_no_way_back_but_others(portal)
    portal.button(ANOTHER_CALL).click()

    portal.submit_code(demo_phone.code(patient.phone, number=2))
    portal.expect_step(BIRTH_DATE)
    portal.submit_birth_date(f"{patient.born:%d.%m.%Y}")
    portal.expect_step(STEP_3)


def test_after_guesses_telegram_replaces_the_birth_date(
    portal: Portal, patient: Patient, demo_phone: DemoPhone
) -> None:
    portal.open_recovery().begin(patient.phone)
    code = demo_phone.code(patient.phone)
    use_up(portal, code)
    portal.button(ANOTHER_CALL).click()
    portal.submit_code(demo_phone.code(patient.phone, number=2))
    portal.expect_step(BIRTH_DATE)

    portal.button("Получить код в Telegram").click()
    portal.expect_step(STEP_2)
    portal.confirm(demo_phone.code(patient.phone, "telegram"))


def test_telegram_tells_who_has_no_account(portal: Portal, demo_phone: DemoPhone) -> None:
    phone = fresh_phone()
    portal.open_recovery().begin(phone, TELEGRAM)
    portal.submit_code(demo_phone.code(phone, "telegram"))
    portal.expect_step(NO_ACCOUNT)


@pytest.mark.parametrize(
    "written", ["Your code is {0}", "{1} {2}", "{1}-{2}", "  {0}\u00a0"], ids=["words", "space", "dash", "blanks"]
)
def test_a_code_is_taken_with_words_and_spaces_around(
    portal: Portal, patient: Patient, demo_phone: DemoPhone, written: str
) -> None:
    portal.open_recovery().begin(patient.phone, TELEGRAM)
    code = demo_phone.code(patient.phone, "telegram")

    portal.confirm(written.format(code, code[:3], code[3:]))


def test_a_whole_calling_number_is_taken_for_its_code(portal: Portal, patient: Patient, demo_phone: DemoPhone) -> None:
    portal.open_recovery().begin(patient.phone)
    demo_phone.code(patient.phone)

    portal.confirm(demo_phone.events(patient.phone)[0]["from"])


def test_an_incomplete_code_costs_no_attempt(portal: Portal, patient: Patient, demo_phone: DemoPhone) -> None:
    portal.open_recovery().begin(patient.phone)
    code = demo_phone.code(patient.phone)

    portal.submit_code(code[:3])
    portal.expect_error("В коде 4 цифры")
    expect(portal.field("Проверочный код")).to_have_value(code[:3])
    portal.submit_code("код")
    portal.expect_error("Введите код цифрами")

    expect(portal.main).to_contain_text("Осталось 3 попытки")
    portal.submit_code(wrong(code))
    portal.expect_error("Осталось 2 попытки")
    expect(portal.main.get_by_text("Осталось 2 попытки")).to_have_count(2)  # above the form and at the field


def test_asking_for_another_code_kills_the_first(portal: Portal, patient: Patient, demo_phone: DemoPhone) -> None:
    portal.open_recovery().begin(patient.phone)
    first = demo_phone.code(patient.phone)

    expect(portal.button(ANOTHER_CALL)).to_be_visible()
    expect(portal.main.locator("[data-countdown-voice]")).to_have_text("Можно запросить новый код.")
    portal.button(ANOTHER_CALL).click()
    second = demo_phone.code(patient.phone, number=2)
    portal.submit_code(first)

    portal.expect_error("Это прежний код")
    expect(portal.main).to_contain_text("Осталось 3 попытки")
    portal.confirm(second)


class TestWithTheOddServer:
    @pytest.fixture
    def server(self, odd_server: Server) -> Server:
        return odd_server

    def test_an_expired_code_is_refused_and_the_screen_says_so(
        self, portal: Portal, patient: Patient, demo_phone: DemoPhone
    ) -> None:
        portal.open_recovery().begin(patient.phone)
        demo_phone.code(patient.phone)

        expect(portal.main).to_contain_text("Время действия кода вышло. Получите новый код.")
        expect_no_way_back_but_others(portal)
        portal.expect_step(STEP_2)
        portal.look("step 2 expired")

    def test_a_reload_sends_nothing_and_does_not_restart_the_countdown(
        self, portal: Portal, patient: Patient, demo_phone: DemoPhone
    ) -> None:
        portal.open_recovery().begin(patient.phone, TELEGRAM)
        code = demo_phone.code(patient.phone, "telegram")
        clock = portal.main.locator(".resend strong").inner_text()
        # The counter runs in the browser: seconds are seen to pass before the reload.
        countdown = portal.main.locator("[data-countdown]")
        expect(countdown).to_have_text(re.compile(r"через \d:\d\d$"))
        begun = seconds_left(portal)
        expect(countdown).to_have_text(at_most(begun - 3))

        portal.page.reload()

        portal.expect_step(STEP_2)
        expect(portal.main).to_contain_text(f"Новый код можно запросить в {clock}")
        expect(countdown).to_have_text(re.compile("через 0:[0-5][0-9]$"))
        assert seconds_left(portal) <= begun - 2
        assert len(demo_phone.codes(patient.phone)) == 1
        portal.confirm(code)

    def test_what_moves_can_be_stopped_in_the_low_vision_version(
        self, portal: Portal, patient: Patient, demo_phone: DemoPhone
    ) -> None:
        """ПП РФ № 102 of 2026. The clock time stays, and the voice says what was done."""
        portal.see_as("150.white.wide.off")
        portal.open_recovery().begin(patient.phone)
        demo_phone.code(patient.phone)
        countdown, voice = portal.main.locator("[data-countdown]"), portal.main.locator("[data-countdown-voice]")
        clock = portal.main.locator(".resend strong").inner_text()

        portal.button("Остановить отсчёт").click()

        expect(countdown).to_have_text("")
        expect(voice).to_have_text("Отсчёт остановлен.")
        expect(portal.main.locator("[data-moving]")).to_be_hidden()
        expect(portal.main.locator(".delivery-text").filter(visible=True)).to_have_count(1)
        expect(portal.main).to_contain_text(f"Новый код можно запросить в {clock}")
        portal.button("Продолжить").click()
        expect(countdown).to_have_text(re.compile("через 0:[0-5][0-9]$"))
        expect(voice).not_to_have_text("Отсчёт остановлен.")
        expect(portal.main.locator(".delivery-text")).to_have_count(1)

        portal.page.emulate_media(forced_colors="active")
        for box in (".delivery", ".panel"):
            expect(portal.main.locator(box).first).to_have_css("border-top-style", "solid")

    def test_a_new_code_cannot_be_had_sooner_from_another_browser(
        self, portal: Portal, new_portal: NewPortal, patient: Patient, demo_phone: DemoPhone
    ) -> None:
        portal.open_recovery().begin(patient.phone)
        other = new_portal().open_recovery()

        other.fill_phone(patient.phone)
        other.button("ДАЛЕЕ").click()

        other.expect_error("Код можно запросить ещё раз через")
        demo_phone.code(patient.phone)
        assert len(demo_phone.codes(patient.phone)) == 1


def at_most(seconds: int) -> re.Pattern[str]:
    """What the countdown reads then, within its last minute."""
    return re.compile(f"через 0:(?:{'|'.join(f'{left:02}' for left in range(seconds + 1))})$")


def seconds_left(portal: Portal) -> int:
    minutes, seconds = re.search(r"(\d+):(\d\d)$", portal.main.locator("[data-countdown]").inner_text()).groups()
    return int(minutes) * 60 + int(seconds)


def test_the_code_step_gives_way_to_the_password_step_for_good(
    portal: Portal, patient: Patient, demo_phone: DemoPhone
) -> None:
    portal.open_recovery().begin(patient.phone)
    portal.confirm(demo_phone.code(patient.phone))

    portal.page.reload()

    portal.expect_step(STEP_3)
