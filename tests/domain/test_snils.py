from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medonline.domain.snils import Snils, control_number
from tests.domain.characters import any_texts, disguised

# The example number that goes round in descriptions of the rule.
KNOWN = "11223344595"
nine_digits = st.integers(1_001_999, 999_999_999).map(lambda number: f"{number:09}")


@pytest.mark.parametrize(
    "text",
    [
        "112-233-445 95",
        "11223344595",
        " 112 233 445 95 ",
        "112–233–445–95",
        "112-233-44595\n",
        "１１２２３３４４５９５",
        "СНИЛС № 112\u2011233\u2011445\u00a095",
        "\u202a11223344595\u202c",
    ],
)
def test_a_known_number_is_read_however_it_is_written(text: str) -> None:
    assert Snils.read(text) == Snils(KNOWN)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "112-233-445 96",
        "1122334459",
        "112233445955",
        "112-233-445 9a",
        "١١٢٢٣٣٤٤٥٩٥",
        None,
        11223344595,
        "1" * 5000,
    ],
)
def test_what_is_no_number_is_none(text: object) -> None:
    assert Snils.read(text) is None


@pytest.mark.parametrize(
    ("number", "accepted"), [("00100199899", True), ("00100199999", False), ("00000000000", False)]
)
def test_the_control_number_counts_above_001_001_998(number: str, accepted: bool) -> None:
    assert Snils.read(number) == (Snils(number) if accepted else None)


@pytest.mark.parametrize(
    ("number", "total", "control"),
    [("001019899", 99, "99"), ("001019989", 100, "00"), ("001019998", 101, "00"), ("001019999", 102, "01")],
)
def test_a_sum_over_99_wraps(number: str, total: int, control: str) -> None:
    assert sum(int(digit) * weight for digit, weight in zip(number, range(9, 0, -1), strict=True)) == total
    assert control_number(number) == control


@given(nine_digits)
def test_exactly_one_control_number_fits(number: str) -> None:
    fitting = [control for control in range(100) if Snils.read(f"{number}{control:02}")]

    assert fitting == [int(control_number(number))]


@given(nine_digits, st.integers(0, 8), st.integers(1, 9))
def test_a_typing_error_in_one_digit_is_noticed(number: str, place: int, shift: int) -> None:
    """One digit changes the sum by less than 101: only 0 and 100, which are both written 00, can be taken for each other."""
    wrong = number[:place] + str((int(number[place]) + shift) % 10) + number[place + 1 :]

    noticed = Snils.read(wrong + control_number(number)) is None

    assert noticed or control_number(number) == "00" or int(wrong) <= 1_001_998


@given(any_texts)
def test_any_text_gives_eleven_digits_or_nothing(text: str) -> None:
    found = Snils.read(text)

    assert found is None or (len(found.digits) == 11 and found.digits.isascii() and found.digits.isdigit())


@given(st.data(), nine_digits)
def test_a_number_comes_back_from_how_it_is_printed(data: st.DataObject, number: str) -> None:
    snils = Snils(number + control_number(number))

    assert Snils.read(data.draw(disguised(snils.spaced))) == snils


def test_a_screen_and_a_log_show_the_end_only() -> None:
    snils = Snils(KNOWN)

    assert snils.masked == str(snils) == "•••-•••-•45 95"
    assert repr(snils) == "Snils(•••-•••-•45 95)"
