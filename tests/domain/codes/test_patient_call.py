"""The number that patients are sent to is a Russian one, whatever a vendor says."""

from __future__ import annotations

import pytest

from medonline.domain.codes.chat_start import code_of_start
from medonline.domain.codes.patient_call import call_token, code_of_call, number_to_dial, spaced


@pytest.mark.parametrize(
    "told", ["78005008275", 78005008275, "88005008275", "+7 (800) 500-82-75", "+7 800 500 82 75", "8 (800) 500-8275"]
)
def test_a_russian_number_is_read_however_it_is_written(told: object) -> None:
    assert number_to_dial(told) == "+78005008275"


@pytest.mark.parametrize(
    "told",
    [None, "", "112", "+1 202 555 01 23", "780050082751", "7800500827", True, 7.0, ["78005008275"], "٧8005008275"],
)
def test_no_other_number_is(told: object) -> None:
    assert number_to_dial(told) is None


def test_it_is_shown_as_people_write_it() -> None:
    assert spaced("+78005008275") == "+7 800 500-82-75"


def test_a_token_of_a_call_is_none_of_a_chat() -> None:
    token = call_token(b"a key", "c" * 32)

    assert code_of_call((b"a key",), token) == "c" * 32
    assert code_of_start((b"a key",), token) is None
