from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medonline.domain.errors import InvalidPolicy
from medonline.domain.oms_policy import OmsPolicy, check_digit
from tests.domain.characters import any_texts, disguised

NUMBER = "7707850314000117"
fifteen_digits = st.text("0123456789", min_size=15, max_size=15)


@pytest.mark.parametrize(
    "typed",
    [
        NUMBER,
        "7707 8503 1400 0117",
        "7707-8503-1400-0117",
        "7707—8503—1400—0117",
        f"\t{NUMBER}\n",
        f"\u202a{NUMBER}\u202c",
        f"№ {NUMBER}",
        "7707\u200b8503\u200b1400\u200b0117",
        "７７０７８５０３１４０００１１７",
        f"Полис ОМС: {NUMBER}.",
        "7707·8503·1400·0117",
    ],
)
def test_spaces_and_dashes_are_forgiven(typed: str) -> None:
    assert OmsPolicy.parse(typed) == OmsPolicy(NUMBER)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "770785031400011",
        NUMBER + "1",
        "77078503140001a7",
        "٧٧٠٧٨٥٠٣١٤٠٠٠١١٧",
        f"{NUMBER} до 31.12.2030",
        f"{NUMBER}a",
        "7" * 5000,
    ],
)
def test_what_is_no_policy_is_refused(typed: str) -> None:
    assert OmsPolicy.read(typed) is None
    with pytest.raises(InvalidPolicy):
        OmsPolicy.parse(typed)


@pytest.mark.parametrize(
    ("number", "right"),
    [
        # From the tests of another implementation, made independently: the PHP package anper/russian-id.
        ("2341998071655749", True),
        ("2341998071655740", False),
    ],
)
def test_a_number_that_another_implementation_vouches_for(number: str, right: bool) -> None:
    assert OmsPolicy.parse(number).digits == number
    assert OmsPolicy(number).has_right_check_digit is right


def test_the_check_digit_worked_out_on_paper() -> None:
    """770785031400011, from the right: odd places 1 0 0 1 0 8 0 7, read as one number and doubled: 20021614, digits 16.

    Even places 1 0 4 3 5 7 7, digits 27. Together 43; 7 more make 50.
    """
    assert check_digit("770785031400011") == "7"


@given(fifteen_digits)
def test_exactly_one_check_digit_fits(first: str) -> None:
    assert [digit for digit in "0123456789" if OmsPolicy(first + digit).has_right_check_digit] == [check_digit(first)]


@given(any_texts)
def test_any_text_gives_sixteen_digits_or_nothing(typed: str) -> None:
    found = OmsPolicy.read(typed)

    assert found is None or (len(found.digits) == 16 and found.digits.isascii() and found.digits.isdigit())


@given(st.data(), fifteen_digits)
def test_a_number_comes_back_from_how_it_is_printed(data: st.DataObject, first: str) -> None:
    policy = OmsPolicy(first + check_digit(first))

    assert OmsPolicy.parse(data.draw(disguised(policy.spaced))) == policy


def test_what_is_no_text_is_no_policy() -> None:
    assert OmsPolicy.read(None) is None
    assert OmsPolicy.read(int(NUMBER)) is None


def test_a_screen_and_a_log_show_the_end_only() -> None:
    policy = OmsPolicy(NUMBER)

    assert policy.masked == str(policy) == "•••• •••• •••• 0117"
    assert repr(policy) == "OmsPolicy(•••• •••• •••• 0117)"
