"""What a patient is told after a change: to which phone, of what, in words that carry no data."""

from __future__ import annotations

import re

import pytest

from medonline.services.notices import texts
from medonline.services.notices.sender import MAX_TEXT
from medonline.services.notices.texts import WITHOUT_LINK, About, Told, of_change, of_link

OLD, NEW = "+79000001001", "+79000009123"
SENTENCES = {name: text for name, text in vars(texts).items() if name.isupper() and isinstance(text, str)}
# «Это не вы?» with the longest address that the portal's own is likely to have, and a token of 64 characters.
LINK = len(" Это не вы? https://") + len("medonline.oblast-example.ru/not-me#") + 64


def told(**wanted: object) -> list[Told]:
    return list(of_change(OLD, wanted))


def test_a_new_phone_is_told_to_the_old_one() -> None:
    assert told(phone=NEW) == [Told(OLD, About.PHONE, texts.PHONE_CHANGED)]


def test_a_new_password_is_told() -> None:
    assert told(password_hash="$argon2id$…") == [Told(OLD, About.PASSWORD, texts.ACCESS_CHANGED)]


def test_of_both_at_once_both_are_told_to_the_old_phone() -> None:
    assert [(one.phone, one.about) for one in told(password_hash="x", phone=NEW)] == [
        (OLD, About.PHONE),
        (OLD, About.PASSWORD),
    ]


@pytest.mark.parametrize("wanted", [{}, {"email": "a@b.example", "last_name": "Петрова", "first_name": "Анна"}])
def test_what_opens_no_account_is_not_told(wanted: dict[str, object]) -> None:
    assert told(**wanted) == []


@pytest.mark.parametrize("phone", [None, ""])
def test_an_account_without_a_phone_cannot_be_told_anything(phone: str | None) -> None:
    assert list(of_change(phone, {"phone": NEW, "password_hash": "x"})) == []
    assert list(of_link(phone)) == []


def test_a_new_way_through_gosuslugi_is_told() -> None:
    assert list(of_link(OLD)) == [Told(OLD, About.IDENTITY, texts.IDENTITY_LINKED)]


def test_only_what_gives_a_new_way_into_the_account_has_a_link() -> None:
    assert set(About) - WITHOUT_LINK == {About.PASSWORD, About.RECOVERED, About.PHONE, About.IDENTITY}


@pytest.mark.parametrize("name", SENTENCES)
def test_each_text_says_who_speaks_names_no_number_and_fits_a_message(name: str) -> None:
    text = SENTENCES[name]

    assert text.startswith("Медицина-онлайн: ")
    assert re.search(r"\d|http|клиник|поликлиник|больниц", text, re.IGNORECASE) is None
    assert len(text) + LINK <= MAX_TEXT
