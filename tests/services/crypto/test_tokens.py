"""Random tokens: long, new every time, and kept as a hash that cannot be turned back."""

from __future__ import annotations

import re

from medonline.services.crypto.tokens import new_token, token_hash


def test_a_token_carries_256_bits_in_43_signs_that_need_no_escaping() -> None:
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", new_token()) for _ in range(100))


def test_no_token_comes_twice() -> None:
    assert len({new_token() for _ in range(1000)}) == 1000


def test_what_is_stored_is_the_sha256_and_the_same_in_every_process() -> None:
    assert token_hash("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_what_is_stored_shows_nothing_of_the_token() -> None:
    token = new_token()
    stored = token_hash(token)

    assert re.fullmatch(r"[0-9a-f]{64}", stored)
    assert token not in stored
    assert stored != token_hash(token[:-1])
