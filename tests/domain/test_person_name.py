"""Names as people have them are saved; digits, signs and markup are refused by name."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medonline.domain.errors import InvalidName, NameProblem
from medonline.domain.person_name import MAX_LENGTH, folded, parse_name

GOOD = ["Иванова", "Ли", "Ё", "Петров-Водкин", "Н'Гоно", "О’Нил", "Мамед оглы", "И. о.", "Müller", "李", "Ӕхсар"]
BAD = {
    "": NameProblem.EMPTY,
    " \t\n ": NameProblem.EMPTY,
    "Иван2": NameProblem.DIGITS,
    "Иван٣": NameProblem.DIGITS,
    "Иван²": NameProblem.DIGITS,
    "<b>": NameProblem.SYMBOLS,
    "-": NameProblem.SYMBOLS,
    "-Иван": NameProblem.SYMBOLS,
    "Иван-": NameProblem.SYMBOLS,
    "Иван_Петров": NameProblem.SYMBOLS,
    "Иван😀": NameProblem.SYMBOLS,
    "Иван\x00": NameProblem.SYMBOLS,
    "Иван\x1b[31m": NameProblem.DIGITS,
    "Иван; DROP": NameProblem.SYMBOLS,
    "Иван\u202eнавИ": NameProblem.SYMBOLS,
    "И" * (MAX_LENGTH + 1): NameProblem.TOO_LONG,
    "И" * 64_000: NameProblem.TOO_LONG,
}


@pytest.mark.parametrize("name", GOOD)
def test_a_name_that_people_have_is_saved_as_typed(name: str) -> None:
    assert parse_name(name) == name


@pytest.mark.parametrize(("typed", "problem"), BAD.items(), ids=lambda value: repr(value)[:16])
def test_what_is_no_name_is_refused_by_its_problem(typed: str, problem: NameProblem) -> None:
    with pytest.raises(InvalidName) as refusal:
        parse_name(typed)

    assert refusal.value.problem is problem


def test_spaces_are_single_and_none_is_around() -> None:
    assert parse_name("  Мамед \n\t оглы ") == "Мамед оглы"


def test_letters_with_their_marks_are_put_together() -> None:
    assert parse_name("Алёна Йорк".replace("ё", "е\u0308").replace("Й", "И\u0306")) == "Алёна Йорк"


def test_a_mark_that_has_no_letter_of_its_own_stays_with_the_letter_before() -> None:
    assert parse_name("प्रिया") == "प्रिया"


def test_a_hundred_letters_are_not_too_many() -> None:
    assert parse_name("И" * MAX_LENGTH)


@given(st.text(max_size=200))
def test_what_is_saved_reads_the_same_when_read_again(typed: str) -> None:
    try:
        name = parse_name(typed)
    except InvalidName:
        return
    assert parse_name(name) == name == unicodedata.normalize("NFC", name)
    assert 0 < len(name) <= MAX_LENGTH
    assert not any(character.isdigit() or unicodedata.category(character).startswith("C") for character in name)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ОРЛОВА", "Орлова"),
        ("Фёдор", "федор"),
        ("Фе\u0308дор", "Федор"),
        (" Петрова  Водкина ", "Петрова Водкина"),
        ("Петрова - Водкина", "Петрова-Водкина"),
        ("Петрова–Водкина", "петрова-водкина"),
    ],
)
def test_names_that_differ_in_spelling_alone_are_compared_as_one(one: str, other: str) -> None:
    assert folded(one) == folded(other)


def test_names_that_differ_in_a_letter_are_two() -> None:
    assert folded("Орлова") != folded("Орлов")
    assert folded("Анна-Мария") != folded("Анна Мария")
