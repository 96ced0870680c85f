"""A key that a hand made is told from a random one."""

from __future__ import annotations

import random
import secrets

import pytest

from medonline.config.keys import has_low_variety


@pytest.mark.parametrize(
    "key",
    [
        "k" * 40,
        "ab" * 20,
        "0123456789abcdef" * 2,
        "0123456789abcdef" * 8,
        "abcdefghijklmnopqrstuvwxyz0123456789",
        "zyxwvutsrqponmlkjihgfedcba9876543210",
        "a" * 31 + "b",
        "q7f" * 11,
        "secretsecretsecretsecretsecretsecret!",
        "0f9c" * 100,
        "х" * 20,
    ],
)
def test_a_key_that_repeats_itself_has_low_variety(key: str) -> None:
    assert has_low_variety(key.encode())


def test_random_keys_pass() -> None:
    dice = random.Random(2026)
    keys = [f"{dice.getrandbits(128):032x}" for _ in range(20_000)]

    assert [key for key in keys if has_low_variety(key.encode())] == []
    for make in (secrets.token_hex, secrets.token_urlsafe):
        assert not has_low_variety(make(32).encode())
    assert not has_low_variety(secrets.token_urlsafe(24).encode())


def test_a_random_key_may_end_as_it_begins() -> None:
    assert not has_low_variety(b"2b7e151628aed2a6abf7158809cf4f32")
