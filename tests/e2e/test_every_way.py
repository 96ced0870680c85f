"""Every way of getting a code in every flow that asks for one, on a desk and on a small phone; a bot that is blocked."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from medonline.domain.codes.channels import GUIDE_CHANNELS, ChannelName
from medonline.services.codes.delivery import DeliveryProblem, DeliveryState
from medonline.services.desk.accounts import NewAccount
from medonline.wording.channels import WORDS
from tests.e2e.account_in_browser import Settings
from tests.e2e.conftest import SHORT_PAUSES, StartServer
from tests.e2e.gosuslugi_in_browser import IVANOVA, full_name, press_gosuslugi
from tests.e2e.patients import DemoPhone, Kind, Patient, fresh_phone, spelled
from tests.e2e.portal_in_browser import BIRTH_DATE, STEP_2, STEP_3, Portal
from tests.e2e.server import Server

CALL, TELEGRAM, SMS, MAX = (
    ChannelName.FLASH_CALL,
    ChannelName.TELEGRAM,
    ChannelName.SMS,
    ChannelName.MAX,
)
KINDS: dict[ChannelName, Kind] = {CALL: "call", TELEGRAM: "telegram", SMS: "sms", MAX: "max"}
WAYS = tuple(KINDS)
# The guide's two have tests of these flows of their own.
FURTHER = tuple(way for way in WAYS if way not in GUIDE_CHANNELS)
on_both = pytest.mark.parametrize("profile", ["1280", "360"])
on_a_phone = pytest.mark.parametrize("profile", ["360"])


@pytest.fixture(scope="module")
def common(start_server: StartServer) -> Server:
    return start_server("every-way", **SHORT_PAUSES)


@pytest.fixture
def server(common: Server) -> Server:
    common.assert_alive()
    return common


def account_of(patient: Patient) -> NewAccount:
    names = (patient.last_name, patient.first_name, patient.patronymic)
    return NewAccount(patient.phone, patient.password, *names, patient.born)


def choose(portal: Portal, way: ChannelName) -> None:
    if way not in GUIDE_CHANNELS:
        portal.page.get_by_text("Другие способы").click()
    portal.page.get_by_role("radio", name=WORDS[way].label).check()


def fetch(portal: Portal, way: ChannelName, phone: str, demo_phone: DemoPhone, *, asked: int = 1) -> str:
    """The code, wherever it comes; out of a chat only after the contact. `asked`: for how many the patient has asked by this way."""
    if not way.facts.in_chat:
        return demo_phone.code(phone, KINDS[way], number=asked)
    chat = portal.page.context.new_page()
    chat.goto(str(portal.main.get_by_role("link", name="Открыть чат").get_attribute("href")))
    chat.get_by_label("Чей это телефон").fill(phone)
    chat.get_by_role("button", name="Начать").click()
    expect(chat.get_by_text("Здесь попросили код")).to_have_count(1)
    expect(portal.main.get_by_role("link", name="Открыть чат")).to_have_count(0)
    expect(portal.main).to_contain_text(WORDS[way].where_begun)
    portal.look(f"{way} begun")
    chat.get_by_role("button", name="Поделиться контактом").click()
    expect(portal.main).to_contain_text(WORDS[way].delivery[DeliveryState.DELIVERED])
    chat.close()
    return demo_phone.code(phone, KINDS[way], number=2)


@on_both
@pytest.mark.parametrize("way", WAYS)
def test_a_password_is_recovered(portal: Portal, patient: Patient, demo_phone: DemoPhone, way: ChannelName) -> None:
    portal.open_recovery().field("Номер сотового телефона").fill(patient.phone)
    choose(portal, way)
    portal.look(f"step 1 {way}")
    portal.button("ДАЛЕЕ").click()
    portal.expect_step(STEP_2)
    expect(portal.main).to_contain_text(WORDS[way].where)
    portal.look(f"step 2 {way}")
    portal.confirm(fetch(portal, way, patient.phone, demo_phone))
    portal.set_password()


@on_a_phone
@pytest.mark.parametrize("way", FURTHER)
def test_a_new_phone_is_proved_in_the_settings(
    portal: Portal, patient: Patient, demo_phone: DemoPhone, way: ChannelName
) -> None:
    new = fresh_phone()
    settings = Settings.open(portal, patient)
    settings.fill(phone=spelled(new))
    portal.page.get_by_text("Меняете номер?").click()
    choose(portal, way)
    portal.look(f"settings ways {way}")
    settings.save()
    expect(portal.heading("Подтвердите новый номер")).to_be_focused()
    portal.look(f"settings {way}")
    portal.submit_code(fetch(portal, way, new, demo_phone))

    settings.expect_saved("телефон")
    portal.log_out()
    portal.log_in(new, patient.password)


@on_a_phone
@pytest.mark.parametrize("way", FURTHER)
def test_an_account_is_linked_to_gosuslugi(
    portal: Portal, start_server: StartServer, way: ChannelName, profile: str
) -> None:
    own = start_server(f"link-{way}-{profile}", **SHORT_PAUSES)
    portal.url, phone = own.url, DemoPhone(own.url)
    before = len(phone.events(IVANOVA.phone))
    press_gosuslugi(portal, phone).sign_in(IVANOVA)
    portal.page.get_by_text("Не помню пароль, подтвердить кодом").click()
    portal.field("Номер сотового телефона кабинета").fill(IVANOVA.phone)
    choose(portal, way)
    portal.look(f"link ways {way}")
    portal.button("Получить код").click()
    expect(portal.heading("Введите проверочный код")).to_be_visible()
    portal.look(f"link {way}")
    sms_of_gosuslugi = sum(one["kind"] == "sms" for one in phone.events(IVANOVA.phone)[before:])
    asked = 2 if way is SMS and sms_of_gosuslugi else 1
    portal.submit_code(fetch(portal, way, IVANOVA.phone, phone, asked=asked))

    portal.expect_cards()
    expect(portal.header).to_contain_text(full_name(IVANOVA))


@on_a_phone
@pytest.mark.parametrize("way", [one for one in WAYS if not one.facts.guessable])
def test_a_longer_code_takes_the_place_of_the_birth_date(
    portal: Portal, patient: Patient, start_server: StartServer, way: ChannelName
) -> None:
    own = start_server(f"instead-{way}", CODE_CHANNELS=f"flash_call,{way}", RESEND_PAUSES="1 s, 1 s")
    own.add_account(account_of(patient))
    portal.url, phone = own.url, DemoPhone(own.url)
    portal.open_recovery().begin(patient.phone)
    right = phone.code(patient.phone)
    for wrong in range(3):
        portal.submit_code(f"{(int(right) + wrong + 1) % 10_000:04d}")
        expect(portal.main).to_contain_text(["Осталось 2 попытки", "Осталась 1 попытка", "попытки закончились"][wrong])
    portal.button("Позвонить ещё раз").click()
    portal.submit_code(phone.code(patient.phone, number=2))
    portal.expect_step(BIRTH_DATE)
    portal.look(f"birth date or {way}")
    portal.button(WORDS[way].get).click()
    portal.expect_step(STEP_2)
    portal.look(f"instead of the date {way}")
    portal.submit_code(fetch(portal, way, patient.phone, phone))

    portal.expect_step(STEP_3)


@on_a_phone
def test_a_bot_that_was_blocked_says_so(portal: Portal, patient: Patient) -> None:
    portal.open_recovery().field("Номер сотового телефона").fill(patient.phone)
    choose(portal, MAX)
    portal.button("ДАЛЕЕ").click()
    chat = portal.page.context.new_page()
    chat.goto(str(portal.main.get_by_role("link", name="Открыть чат").get_attribute("href")))
    chat.get_by_label("Чей это телефон").fill(patient.phone)
    chat.get_by_role("button", name="Начать").click()
    chat.get_by_role("button", name="Остановить бота").click()

    expect(portal.main).to_contain_text(WORDS[MAX].problems[DeliveryProblem.NUMBER_REFUSED])
    portal.look("max blocked")
    expect(portal.main.get_by_role("button", name="Получить код звонком")).to_be_visible()
    chat.close()
