"""Every way of getting a code in every flow that asks for one. And one patient who gets back in by each of them in turn."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from medonline.domain.codes.channels import GUIDE_CHANNELS, ChannelName
from medonline.services.desk.accounts import NewAccount
from medonline.wording.channels import WORDS
from tests.e2e.account_in_browser import Settings
from tests.e2e.authenticator import Authenticator
from tests.e2e.conftest import GUIDE_PROFILES, SHORT_PAUSES, NewPortal, StartServer
from tests.e2e.gosuslugi_in_browser import IVANOVA, full_name, press_gosuslugi
from tests.e2e.passkeys_in_browser import ADDED, NAMES, by_name
from tests.e2e.patients import DemoPhone, Patient, fresh_phone, spelled
from tests.e2e.portal_in_browser import BIRTH_DATE, NEW_PASSWORD, STEP_2, STEP_3, Portal
from tests.e2e.server import Server
from tests.e2e.ways_in_browser import KINDS, SMS, begin_by, choose, dial, fetch, number_to_call

# The guide's two ways have their own tests of these flows.
FURTHER = tuple(way for way in KINDS if way not in GUIDE_CHANNELS)
on_a_phone = pytest.mark.parametrize("profile", ["360"])


@pytest.fixture(scope="module")
def common(start_server: StartServer) -> Server:
    # By default one phone gets three codes an hour, at least a minute apart. Here one patient requests five in a row.
    return start_server("every-way", CODES_PER_PHONE="10 per 1 h", RESEND_PAUSES="1 s, 1 s")


@pytest.fixture
def server(common: Server) -> Server:
    common.assert_alive()
    return common


def account_of(patient: Patient) -> NewAccount:
    names = (patient.last_name, patient.first_name, patient.patronymic)
    return NewAccount(patient.phone, patient.password, *names, patient.born)


@pytest.mark.parametrize("profile", GUIDE_PROFILES)
def test_one_patient_gets_back_in_by_each_way_and_by_passkey(
    portal: Portal, new_portal: NewPortal, patient: Patient, demo_phone: DemoPhone
) -> None:
    authenticator = Authenticator(by_name(portal).page)
    for turn, way in enumerate(ChannelName):
        if turn:
            portal.log_out()
        recover(portal, way, patient, demo_phone, password=f"Sposob{turn}parol")
    portal.button("Добавить").click()  # closes the offer of sign-in by passkey
    expect(portal.main).to_contain_text(ADDED)
    portal.log_out()

    authenticator.look(False)  # the request that waits in the dialog gets no answer
    portal.open_login().get_by_role("link", name="Не могу войти", exact=True).click()
    portal.button("Не помню пароль").click()
    portal.look("ways of recovery with the passkey")
    authenticator.look(True)
    ways = portal.dialog("Как восстановить пароль?")
    ways.get_by_role("button", name=re.compile("^Вход по отпечатку, лицу или PIN")).click()
    expect(portal.page.get_by_text("Придумайте новый пароль")).to_be_visible()
    expect(portal.field("Пароль:")).to_be_focused()
    portal.look("new password after the passkey", names=NAMES)
    settings = Settings(portal)
    settings.fill(password=NEW_PASSWORD)
    settings.save()
    settings.expect_saved("пароль")
    expect(portal.page.locator(".notice.saved")).to_be_in_viewport()
    portal.look("password changed after the passkey", names=NAMES)
    new_portal().log_in(patient.phone, NEW_PASSWORD)  # another device, which has no passkey


def recover(portal: Portal, way: ChannelName, patient: Patient, demo_phone: DemoPhone, *, password: str) -> None:
    """Go from step 1 to «Мои карты» with the new password."""
    begin_by(portal, way, patient.phone)
    expect(portal.main).to_contain_text(WORDS[way].where)
    if way in FURTHER:
        portal.look(f"step 2 {way}")
    if way.facts.patient_calls:
        dial(portal, patient.phone, number_to_call(portal))
        portal.expect_step(BIRTH_DATE)
        portal.submit_birth_date(f"{patient.born:%d.%m.%Y}")
        portal.expect_step(STEP_3)
    else:
        portal.confirm(fetch(portal, way, patient.phone, demo_phone))
    portal.set_password(password)
    portal.submit_login(patient.phone, password)
    portal.expect_cards()


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
@pytest.mark.parametrize("way", [one for one in KINDS if not one.facts.guessable])
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
