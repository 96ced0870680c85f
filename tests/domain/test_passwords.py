"""PasswordPolicy: Latin letters and digits, long enough; each broken rule is named."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medonline.domain.errors import InvalidPassword, PasswordProblem
from medonline.domain.passwords import MAX_LENGTH, PasswordCharacters, PasswordPolicy, normalised
from tests.domain.characters import any_texts

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
        ("Pass\nword1", (PasswordProblem.FORBIDDEN_CHARACTERS,)),
        ("Pass\u200bword1", (PasswordProblem.FORBIDDEN_CHARACTERS,)),
        (" \u200b\n", (PasswordProblem.EMPTY,)),
        ("  Short12  ", (PasswordProblem.TOO_SHORT,)),
        ("Password1\x00", (PasswordProblem.FORBIDDEN_CHARACTERS,)),
        ("Pässword1", (PasswordProblem.FORBIDDEN_CHARACTERS,)),
        ("１２３４５６７８", (PasswordProblem.FORBIDDEN_CHARACTERS,)),
        ("😀", (PasswordProblem.FORBIDDEN_CHARACTERS, PasswordProblem.TOO_SHORT)),
    ],
)
def test_each_broken_rule_is_named(typed: str, expected: tuple[PasswordProblem, ...]) -> None:
    assert problems(typed) == expected


@given(any_texts)
def test_any_text_passes_whole_or_is_refused_by_name(typed: str) -> None:
    try:
        accepted = POLICY.check(typed)
    except InvalidPassword as refusal:
        assert refusal.problems
        assert str(refusal) == ", ".join(refusal.problems)
    else:
        assert accepted in typed
        assert set(accepted) <= set(LATIN)
        assert 8 <= len(accepted) <= MAX_LENGTH


@given(st.text())
def test_composed_and_decomposed_letters_are_one_password(typed: str) -> None:
    assert normalised(unicodedata.normalize("NFD", typed)) == normalised(typed)


@pytest.mark.parametrize(
    "typed", [" Rain Kettle ", "Rain Kettle\n", "\u200bRain Kettle\u00a0", "\ufeffRain Kettle\u202c"]
)
def test_what_a_copied_password_brings_along_at_its_ends_is_no_part_of_it(typed: str) -> None:
    assert normalised(typed) == "Rain Kettle"


SIGNS = PasswordPolicy(8, PasswordCharacters.ASCII)


@pytest.mark.parametrize(
    "typed", ["rokvu5-Hyzcan-ruqsyd", "Rain Kettle 7", "!\"#$%&'()*+,-./", ":;<=>?@[\\]^_`{|}~", "abcdefgh"]
)
def test_every_sign_of_an_english_keyboard_is_allowed_where_the_operator_says_so(typed: str) -> None:
    assert SIGNS.check(typed) == typed
    with pytest.raises(InvalidPassword) as refusal:
        SIGNS.check(f"{typed}é")
    assert (refusal.value.problems, refusal.value.forbidden) == ((PasswordProblem.NOT_ASCII,), "é")


@pytest.mark.parametrize(
    ("typed", "forbidden"),
    [("rokvu5-Hyzcan-ruqsyd", "-"), ("a b!c$d%e&f", " !$"), ("Pass\x00word1", "\x00"), ("Short1", "")],
)
def test_a_refusal_names_the_first_characters_that_are_in_the_way(typed: str, forbidden: str) -> None:
    with pytest.raises(InvalidPassword) as refusal:
        POLICY.check(typed)

    assert refusal.value.forbidden == forbidden
    assert str(refusal.value) in [problem.value for problem in PasswordProblem]


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("", PasswordProblem.EMPTY),
        (" \u200b", PasswordProblem.EMPTY),
        ("Пароль2026", PasswordProblem.CYRILLIC_LAYOUT),
        ("rokvu5-Hyzcan-ruqsyd", PasswordProblem.FORBIDDEN_CHARACTERS),
        ("１２３４５６", PasswordProblem.FORBIDDEN_CHARACTERS),
    ],
)
def test_to_sign_in_a_password_that_no_account_can_have_is_named(typed: str, problem: PasswordProblem) -> None:
    with pytest.raises(InvalidPassword) as refusal:
        PasswordCharacters.GUIDE.read(typed)

    assert refusal.value.problems == (problem,)


@pytest.mark.parametrize("characters", PasswordCharacters)
@given(typed=any_texts)
def test_to_sign_in_any_text_is_read_or_refused_by_name(characters: PasswordCharacters, typed: str) -> None:
    try:
        read = characters.read(typed)
    except InvalidPassword as refusal:
        assert refusal.problems
    else:
        assert read in unicodedata.normalize("NFC", typed)
        assert set(read) <= characters.allowed


@pytest.mark.parametrize("typed", ["a", " Kettle7 ", "a" * 300])
def test_to_sign_in_a_password_may_have_any_length(typed: str) -> None:
    assert PasswordCharacters.GUIDE.read(typed) == typed.strip()
