from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medonline.domain.oms_policy import check_digit, has_right_check_digit, masked, policy_digits

NUMBER = "7707850314000117"
fifteen_digits = st.text("0123456789", min_size=15, max_size=15)


@pytest.mark.parametrize(
    "typed", [NUMBER, "7707 8503 1400 0117", "7707-8503-1400-0117", "7707—8503—1400—0117", f"\t{NUMBER}\n"]
)
def test_spaces_and_dashes_are_forgiven(typed: str) -> None:
    assert policy_digits(typed) == NUMBER


@pytest.mark.parametrize(
    "typed", ["", "770785031400011", NUMBER + "1", "77078503140001a7", "７７０７８５０３１４０００１１７"]
)
def test_what_is_no_policy_is_empty(typed: str) -> None:
    assert policy_digits(typed) == ""


@pytest.mark.parametrize(
    ("number", "right"),
    [
        # From the tests of another implementation, made independently: the PHP package anper/russian-id.
        ("2341998071655749", True),
        ("2341998071655740", False),
    ],
)
def test_a_number_that_another_implementation_vouches_for(number: str, right: bool) -> None:
    assert policy_digits(number) == number
    assert has_right_check_digit(number) is right


def test_the_check_digit_worked_out_on_paper() -> None:
    """770785031400011, from the right: odd places 1 0 0 1 0 8 0 7, read as one number and doubled: 20021614, digits 16.

    Even places 1 0 4 3 5 7 7, digits 27. Together 43; 7 more make 50.
    """
    assert check_digit("770785031400011") == "7"


@given(fifteen_digits)
def test_exactly_one_check_digit_fits(first: str) -> None:
    assert [digit for digit in "0123456789" if has_right_check_digit(first + digit)] == [check_digit(first)]


@given(st.text(max_size=40))
def test_any_text_gives_sixteen_digits_or_nothing(typed: str) -> None:
    found = policy_digits(typed)

    assert found == "" or (len(found) == 16 and found.isascii() and found.isdigit())


def test_a_screen_shows_the_end_only() -> None:
    assert masked(NUMBER) == "•••• •••• •••• 0117"
    assert masked("") == ""
