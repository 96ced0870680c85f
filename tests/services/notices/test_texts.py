"""What a patient is told after a change: to which phone, of what."""

from __future__ import annotations

import pytest

from medonline.domain.account_settings import SettingsChange
from medonline.services.notices.texts import WITHOUT_LINK, About, Text, Told, of_change, of_link, of_new_address

OLD, NEW = "+79000001001", "+79000009123"


def told(**wanted: str) -> list[Told]:
    return list(of_change(OLD, SettingsChange(**wanted)))


def test_a_new_phone_is_told_to_the_old_one() -> None:
    assert told(phone=NEW) == [Told(OLD, About.PHONE, Text.PHONE_CHANGED)]


def test_a_new_password_is_told() -> None:
    assert told(password_hash="$argon2id$…") == [Told(OLD, About.PASSWORD, Text.ACCESS_CHANGED)]


def test_of_both_at_once_both_are_told_to_the_old_phone() -> None:
    assert [(one.phone, one.about) for one in told(password_hash="x", phone=NEW)] == [
        (OLD, About.PHONE),
        (OLD, About.PASSWORD),
    ]


@pytest.mark.parametrize("wanted", [{}, {"email": "a@b.example", "last_name": "Петрова", "first_name": "Анна"}])
def test_what_opens_no_account_is_not_told(wanted: dict[str, str]) -> None:
    assert told(**wanted) == []


@pytest.mark.parametrize("phone", [None, ""])
def test_an_account_without_a_phone_is_told_by_mail_alone(phone: str | None) -> None:
    change = SettingsChange(phone=NEW, password_hash="x")
    assert list(of_change(phone, change)) == [
        Told("", About.PHONE, Text.PHONE_SET),
        Told("", About.PASSWORD, Text.ACCESS_CHANGED),
    ]
    assert list(of_link(phone)) == [Told("", About.IDENTITY, Text.IDENTITY_LINKED)]


def test_another_address_is_told_to_the_proved_one_alone() -> None:
    assert list(of_new_address(OLD, "a@b.example", "c@b.example")) == [
        Told(OLD, About.EMAIL, Text.EMAIL_CHANGED, only_to="a@b.example")
    ]
    assert list(of_new_address(OLD, "", "c@b.example")) == []
    assert list(of_new_address(OLD, "a@b.example", "a@b.example")) == []


def test_a_new_way_through_gosuslugi_is_told() -> None:
    assert list(of_link(OLD)) == [Told(OLD, About.IDENTITY, Text.IDENTITY_LINKED)]


def test_only_what_gives_a_new_way_into_the_account_has_a_link() -> None:
    assert set(About) - WITHOUT_LINK == {
        About.PASSWORD,
        About.RECOVERED,
        About.PHONE,
        About.IDENTITY,
        About.PASSKEY,
        About.NEW_DEVICE,
        About.EMAIL,  # who opens the account by it is told no more
        About.DESK_PHONE,
        About.DESK_NUMBER,
        About.DESK_IDENTITY,
        About.DESK_PASSKEY,
    }
