"""PasswordPolicy: Latin letters and digits, long enough; each broken rule is named."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medonline.domain.errors import InvalidPassword, PasswordProblem
from medonline.domain.passwords import MAX_LENGTH, PasswordPolicy, normalised

LATIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
POLICY = PasswordPolicy(min_length=8)


def problems(typed: str, policy: PasswordPolicy = POLICY) -> tuple[PasswordProblem, ...]:
    with pytest.raises(InvalidPassword) as refusal:
        policy.check(typed)
    assert refusal.value.min_length == policy.min_length
    return refusal.value.problems


@given(st.text(LATIN, min_size=8, max_size=MAX_LENGTH))
def test_latin_letters_and_digits_of_allowed_length_pass_unchanged(typed: str) -> None:
    assert POLICY.check(typed) == typed


@given(st.integers(min_value=1, max_value=64))
def test_the_minimum_length_itself_is_enough_and_one_less_is_not(length: int) -> None:
    policy = PasswordPolicy(length)

    assert policy.check("a" * length) == "a" * length
    assert problems("a" * (length - 1), policy) in ((PasswordProblem.TOO_SHORT,), (PasswordProblem.EMPTY,))


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("", (PasswordProblem.EMPTY,)),
        ("Short12", (PasswordProblem.TOO_SHORT,)),
        ("a" * MAX_LENGTH + "a", (PasswordProblem.TOO_LONG,)),
        ("a" * 4096, (PasswordProblem.TOO_LONG,)),
        ("Пароль2026", (PasswordProblem.CYRILLIC_LAYOUT,)),
        ("фыва", (PasswordProblem.CYRILLIC_LAYOUT, PasswordProblem.TOO_SHORT)),
        ("Passwоrd1", (PasswordProblem.CYRILLIC_LAYOUT,)),  # the «о» is Cyrillic
        ("Pass word1", (PasswordProblem.FORBIDDEN_CHARACTERS,)),
        ("Password1!", (PasswordProblem.FORBIDDEN_CHARACTERS,)),
        ("Password1\n", (PasswordProblem.FORBIDDEN_CHARACTERS,)),
        ("Password1\x00", (PasswordProblem.FORBIDDEN_CHARACTERS,)),
        ("Pässword1", (PasswordProblem.FORBIDDEN_CHARACTERS,)),
        ("１２３４５６７８", (PasswordProblem.FORBIDDEN_CHARACTERS,)),
        ("😀", (PasswordProblem.FORBIDDEN_CHARACTERS, PasswordProblem.TOO_SHORT)),
    ],
)
def test_each_broken_rule_is_named(typed: str, expected: tuple[PasswordProblem, ...]) -> None:
    assert problems(typed) == expected


@given(st.text())
def test_any_text_passes_whole_or_is_refused_by_name(typed: str) -> None:
    try:
        accepted = POLICY.check(typed)
    except InvalidPassword as refusal:
        assert refusal.problems
        assert str(refusal) == ", ".join(refusal.problems)
    else:
        assert accepted == typed
        assert set(typed) <= set(LATIN)
        assert 8 <= len(typed) <= MAX_LENGTH


@given(st.text())
def test_composed_and_decomposed_letters_are_one_password(typed: str) -> None:
    assert normalised(unicodedata.normalize("NFD", typed)) == normalised(typed)


def test_nothing_is_trimmed_from_a_password() -> None:
    assert normalised("  пробелы  ") == "  пробелы  "
