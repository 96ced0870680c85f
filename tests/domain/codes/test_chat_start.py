"""The token of a link into a chat: what one key made, and nothing else, leads to a code."""

from __future__ import annotations

import re

import pytest

from medonline.domain.codes.chat_start import code_of_start, start_token

KEY, OTHER = b"k" * 32, b"o" * 32
CODE_ID = "0123456789abcdef" * 2


def test_a_token_leads_to_its_code_also_while_keys_change() -> None:
    token = start_token(KEY, CODE_ID)

    assert code_of_start([KEY], token) == CODE_ID
    assert code_of_start([OTHER, KEY], token) == CODE_ID
    assert code_of_start([OTHER], token) is None


def test_the_messenger_takes_the_token_whole() -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,128}", start_token(KEY, CODE_ID))


@pytest.mark.parametrize("other_id", ["f" * 32, "0" * 32])
def test_a_proof_is_of_one_code(other_id: str) -> None:
    proof = start_token(KEY, CODE_ID).partition("-")[2]

    assert code_of_start([KEY], f"{other_id}-{proof}") is None


@pytest.mark.parametrize(
    "text", ["", "-", CODE_ID, f"{CODE_ID}-", f"{CODE_ID}-{'0' * 64}", "x" * 128, "я" * 97, f"{CODE_ID}-{'0' * 64}\n"]
)
def test_any_other_text_leads_nowhere(text: str) -> None:
    assert code_of_start([KEY], text) is None
