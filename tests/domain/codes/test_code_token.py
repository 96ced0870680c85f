"""A token leads back to one code, for one use, and only whoever has the key can make it."""

from __future__ import annotations

import pytest

from medonline.domain.codes.code_token import code_of_token, code_token

KEY, CODE = b"a key", "c" * 32


def test_a_token_leads_back_to_its_code_under_each_key_of_the_portal() -> None:
    token = code_token(KEY, "a-use", CODE)

    assert len(token) == 97
    assert code_of_token((b"a newer key", KEY), "a-use", token) == CODE


@pytest.mark.parametrize(
    ("keys", "use", "change"),
    [
        ((b"another key",), "a-use", ("", "")),
        ((KEY,), "another-use", ("", "")),
        ((KEY,), "a-use", ("c" * 32, "d" * 32)),
        ((KEY,), "a-use", ("-", "")),
        ((), "a-use", ("", "")),
    ],
)
def test_any_other_leads_nowhere(keys: tuple[bytes, ...], use: str, change: tuple[str, str]) -> None:
    token = code_token(KEY, "a-use", CODE)
    assert code_of_token(keys, use, token.replace(*change) if change[0] else token) is None
