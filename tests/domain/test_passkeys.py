"""The name of a passkey is one short line."""

from __future__ import annotations

import pytest

from medonline.domain.passkeys import MOST_NAME, passkey_name


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Телефон", "Телефон"),
        ("  Мой\n телефон\t ", "Мой телефон"),
        ("Те\u200bлефон", "Телефон"),
        ("", "Chrome"),
        (" \u200b\n", "Chrome"),
        ("я" * 41, "я" * MOST_NAME),
        (f"{'я' * 39} я", "я" * 39),
        ("Телефон 👩\u200d⚕\ufe0f", "Телефон 👩⚕"),
        ("\x1b[31mТелефон\x00\x07", "[31mТелефон"),
        pytest.param("Телефон\ud83d", "Телефон", id="half a character"),
        ("\u202eнофелеТ", "нофелеТ"),
        pytest.param("\x00\ud800\x9b", "Chrome", id="nothing that is written"),
    ],
)
def test_it_is_what_was_typed_or_else_the_device(typed: str, kept: str) -> None:
    assert passkey_name(typed, "Chrome") == kept


def test_the_device_has_no_longer_name_either() -> None:
    assert passkey_name("", "d" * 99) == "d" * MOST_NAME
