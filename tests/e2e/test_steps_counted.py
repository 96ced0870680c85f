"""How many taps and typed fields each road takes, counted from what the browser sees (docs/performance.md has the table).

A tap is a patient's click on a button, a link or a tab. A field counts if something is typed into it.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from playwright.sync_api import Locator, expect

from medonline.sandbox.people import PASSWORD
from tests.e2e.conftest import GUIDE_PROFILES, NewPatient, NewPortal
from tests.e2e.gosuslugi_in_browser import CODE_FIELD, LOGIN_FIELD, SMIRNOV, Gosuslugi, sign_in_through_gosuslugi
from tests.e2e.patients import DemoPhone, Kind, Patient, spelled
from tests.e2e.portal_in_browser import DONE, LOGIN, NEW_PASSWORD, STEP_1, STEP_2, STEP_3, Portal


@dataclass
class Road:
    """Counts what a patient does on the way."""

    portal: Portal
    taps: int = 0
    fields: int = 0

    def tap(self, place: Locator) -> None:
        self.taps += 1
        place.click()

    def type_in(self, label: str, text: str) -> None:
        self.fields += 1
        self.portal.field(label).fill(text)


def _recover_from_step_1(
    road: Road, patient: Patient, phone: DemoPhone, kind: Kind = "call", *, further: tuple[str, ...] = ()
) -> None:
    """Recover by call, which is preselected, up to the account. `further`: the buttons of step 2 that lead to the way that works."""
    portal = road.portal
    portal.expect_step(STEP_1)
    road.type_in("Номер сотового телефона", spelled(patient.phone))
    road.tap(portal.button("ДАЛЕЕ"))
    portal.expect_step(STEP_2)
    for another in further:
        road.tap(portal.button(another))
    road.type_in("Проверочный код", phone.code(patient.phone, kind))
    road.tap(portal.button("ОТПРАВИТЬ"))
    portal.expect_step(STEP_3)
    road.type_in("Новый пароль", NEW_PASSWORD)
    road.tap(portal.button("СМЕНИТЬ ПАРОЛЬ"))
    portal.expect_step(DONE)
    expect(portal.field("Телефон")).to_have_value(spelled(patient.phone))
    expect(portal.field("Пароль")).to_have_value(NEW_PASSWORD)
    assert NEW_PASSWORD not in str(portal.page.evaluate("[{...sessionStorage}, {...localStorage}, document.cookie]"))
    road.tap(portal.page.locator("form", has=portal.field("Пароль")).get_by_role("button", name="Войти", exact=True))
    portal.expect_cards()


def _log_in_button(portal: Portal) -> Locator:
    return portal.header.get_by_role("button", name="Войти", exact=True)


def test_a_recovery_by_the_tabs_takes_six_taps_and_three_fields(
    portal: Portal, patient: Patient, demo_phone: DemoPhone
) -> None:
    portal.open().open_login()  # an earlier visit: from now on the tab is remembered
    road = Road(portal.open())
    road.tap(_log_in_button(portal))
    road.tap(portal.dialog(LOGIN).get_by_role("link", name="Забыли пароль?"))
    _recover_from_step_1(road, patient, demo_phone)

    assert (road.taps, road.fields) == (6, 3)


def test_a_recovery_by_a_forgotten_password_takes_six_taps_and_three_fields(
    portal: Portal, patient: Patient, demo_phone: DemoPhone
) -> None:
    road = Road(portal.open())
    road.tap(portal.button("Забыли пароль?"))
    road.tap(portal.page.get_by_role("link", name="Ручной ввод данных"))
    _recover_from_step_1(road, patient, demo_phone)

    assert (road.taps, road.fields) == (6, 3)


@pytest.mark.parametrize("profile", GUIDE_PROFILES)
def test_with_call_and_telegram_failing_a_recovery_takes_two_taps_more(
    portal: Portal, new_patient: NewPatient, demo_phone: DemoPhone
) -> None:
    road = Road(portal.open())
    road.tap(portal.button("Забыли пароль?"))
    road.tap(portal.page.get_by_role("link", name="Ручной ввод данных"))
    further = ("Получить код в Telegram", "Получить код в SMS")
    _recover_from_step_1(road, new_patient("0020"), demo_phone, "sms", further=further)

    assert (road.taps, road.fields) == (6 + 2, 3)


def test_gosuslugi_takes_four_taps(new_portal: NewPortal, demo_phone: DemoPhone) -> None:
    sign_in_through_gosuslugi(
        new_portal(), demo_phone, SMIRNOV
    )  # the first time, Gosuslugi asks whether it may share data
    portal = new_portal().open()
    road, gosuslugi = Road(portal), Gosuslugi(portal, demo_phone)
    road.tap(_log_in_button(portal))
    road.tap(portal.button("Войти через Госуслуги"))
    gosuslugi.expect_sign_in()
    number = gosuslugi.sent_to(SMIRNOV) + 1
    road.type_in(LOGIN_FIELD, SMIRNOV.phone)
    road.type_in("Пароль", PASSWORD)
    road.tap(portal.button("Войти"))
    road.type_in(CODE_FIELD, demo_phone.code(SMIRNOV.phone, "sms", number=number))
    road.tap(portal.button("Продолжить"))
    portal.expect_cards()

    assert (road.taps, road.fields) == (4, 3)


def test_the_new_password_is_gone_when_the_page_is_left_without_signing_in(
    portal: Portal, patient: Patient, demo_phone: DemoPhone
) -> None:
    portal.open_recovery().begin(patient.phone)
    portal.confirm(demo_phone.code(patient.phone))
    portal.set_password()
    expect(portal.field("Пароль")).to_have_value(NEW_PASSWORD)
    portal.page.reload()
    portal.expect_step(DONE)

    expect(portal.field("Пароль")).to_have_value("")
