"""Step 3: the page names what is wrong with a password, and accepts no bad one."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.patients import DemoPhone, Patient, spelled
from tests.e2e.portal_in_browser import NEW_PASSWORD, Portal

REFUSED = {
    "Cyrillic layout": ("Пароль123", "включена русская раскладка"),
    "short": ("Abc1234", "нужно не меньше 8 символов"),
    "other characters": ("Parol-2026!", "только латинские буквы и цифры"),
    "empty": ("", "Введите пароль"),
}


def test_each_fault_of_a_new_password_is_named_and_a_good_one_is_taken(
    portal: Portal, patient: Patient, demo_phone: DemoPhone
) -> None:
    portal.open_recovery().begin(patient.phone)
    portal.confirm(demo_phone.code(patient.phone))
    expect(portal.main).to_contain_text("Минимальная длина - 8 символов")
    field = portal.field("Новый пароль")

    for name, (password, sentence) in REFUSED.items():
        portal.submit_password(password)
        portal.expect_error(sentence)
        expect(field).to_have_attribute("aria-invalid", "true")
        portal.look(f"step 3 {name}")

    portal.set_password(NEW_PASSWORD)


def test_a_new_password_can_be_seen_and_is_kept_with_the_phone_by_a_password_manager(
    portal: Portal, patient: Patient, demo_phone: DemoPhone
) -> None:
    portal.open_recovery().begin(patient.phone)
    portal.confirm(demo_phone.code(patient.phone))
    field = portal.field("Новый пароль")

    expect(field).to_have_attribute("autocomplete", "new-password")
    expect(portal.page.locator("input[autocomplete=username]")).to_have_value(patient.phone)
    field.fill(NEW_PASSWORD)
    portal.button("Показать новый пароль").click()
    expect(field).to_have_attribute("type", "text")
    portal.button("Скрыть новый пароль").click()
    expect(field).to_have_attribute("type", "password")
    expect(field).to_have_value(NEW_PASSWORD)


@pytest.mark.parametrize(
    "typed", ["89{}", "+79{}", "9{}", "8 (9{0[0]}{0[1]}) {0[2]}{0[3]}{0[4]}-{0[5]}{0[6]}-{0[7]}{0[8]}"]
)
def test_any_spelling_of_the_number_is_shown_back_normalised(portal: Portal, patient: Patient, typed: str) -> None:
    portal.open_recovery().begin(typed.format(patient.phone[3:]))

    expect(portal.main.locator(".phone-line")).to_contain_text(spelled(patient.phone))
