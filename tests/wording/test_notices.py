"""The sentences of notices carry no data and fit a message."""

from __future__ import annotations

import re

import pytest

from medonline.services.notices.queue import MAX_TEXT
from medonline.services.notices.texts import About, Text
from medonline.wording import notices

# «Это не вы?» with the longest address that the portal's own is likely to have, and a token of 64 characters.
LINK = len(" Это не вы? https://") + len("medonline.oblast-example.ru/not-me#") + 64


@pytest.mark.parametrize("of", Text)
def test_each_text_says_who_speaks_names_no_number_and_fits_a_message(of: Text) -> None:
    text = notices.text(of)

    assert text.startswith("Медицина-онлайн: ")
    assert re.search(r"\d|http|клиник|поликлиник|больниц", text, re.IGNORECASE) is None
    assert len(text) + LINK <= MAX_TEXT


@pytest.mark.parametrize("about", About)
def test_each_mail_has_a_subject(about: About) -> None:
    assert re.fullmatch(r"Медицина-онлайн: \S.{9,60}", notices.subject(about))


def test_a_mail_has_link_and_code_on_lines_of_their_own() -> None:
    letter = notices.letter(notices.with_link("Пароль изменён.", "https://x/#1"))
    assert letter.splitlines()[:3] == ["Пароль изменён.", "", "Это не вы? https://x/#1"]
    assert "\n\nКод: 123456\n" in notices.letter(notices.with_code("Введите код.", "123456"))


def test_the_link_is_behind_the_sentence() -> None:
    assert notices.with_link("Пароль изменён.", "https://x/#1") == "Пароль изменён. Это не вы? https://x/#1"
