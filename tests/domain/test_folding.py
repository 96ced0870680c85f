"""Folding changes how a value is written, never which value it is."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medonline.domain.folding import digits_of, folded, visible
from tests.domain.characters import APOSTROPHES, DASHES, INVISIBLE, SPACES, any_texts, disguised


@pytest.mark.parametrize("mark", INVISIBLE, ids=lambda mark: f"U+{ord(mark):04X}")
def test_what_no_screen_shows_goes(mark: str) -> None:
    assert folded(f"{mark}8{mark}9{mark}") == "89"
    assert visible(f"{mark}а{mark}б{mark}") == "аб"


@pytest.mark.parametrize("dash", DASHES, ids=lambda dash: f"U+{ord(dash):04X}")
def test_every_dash_is_a_hyphen(dash: str) -> None:
    assert folded(f"а{dash}б") == "а-б"


@pytest.mark.parametrize("apostrophe", APOSTROPHES, ids=lambda apostrophe: f"U+{ord(apostrophe):04X}")
def test_every_apostrophe_is_the_plain_one(apostrophe: str) -> None:
    assert folded(f"О{apostrophe}К") == "О'К"


@pytest.mark.parametrize("space", SPACES, ids=lambda space: f"U+{ord(space):04X}")
def test_every_space_is_one_space(space: str) -> None:
    assert folded(f"{space}а{space}{space}б{space}") == "а б"


def test_signs_and_letters_of_full_width_are_the_plain_ones() -> None:
    assert folded("＋７（９００）Ａｂ＠") == "+7(900)Ab@"


def test_how_a_text_looks_keeps_its_dashes_and_apostrophes() -> None:
    assert visible(" О\u2019Нил\u2011Ли\u00ad ") == "О\u2019Нил\u2011Ли"


def test_a_control_character_stays_for_the_reader_to_refuse() -> None:
    assert folded("8\x009\x1b") == "8\x009\x1b"


@given(any_texts)
def test_folding_twice_changes_nothing(text: str) -> None:
    once = folded(text)

    assert folded(once) == once
    assert visible(visible(text)) == visible(text)
    assert folded(visible(text)) == once
    assert unicodedata.is_normalized("NFC", once)


@given(any_texts)
def test_no_digit_is_dropped_added_or_changed(text: str) -> None:
    def values(of: str) -> list[int]:
        return [unicodedata.decimal(char) for char in of if char.isdecimal()]

    assert values(folded(text)) == values(text)


@given(any_texts, any_texts)
def test_texts_of_two_numbers_never_give_one(one: str, other: str) -> None:
    def values(of: str) -> str:
        return "".join(str(unicodedata.decimal(char)) for char in of if char.isdecimal())

    for text in (one, other):
        assert digits_of(text) in ("", values(text))


@given(
    st.data(),
    st.text("0123456789", min_size=1, max_size=20),
    st.sampled_from(["", " ", "-", "\u2013", "\u00b7", " / "]),
)
def test_a_number_is_read_through_every_disguise(data: st.DataObject, digits: str, gap: str) -> None:
    written = f"№{gap}{gap.join(digits)} (верно)"

    assert digits_of(data.draw(disguised(written))) == digits


@pytest.mark.parametrize("text", ["", "№", "12a3", "12а", "12 3а4", "12²", "12\x003", "١٢", "12 x1"])
def test_what_is_not_one_number_has_no_digits(text: str) -> None:
    assert digits_of(text) == ""
