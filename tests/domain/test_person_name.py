"""Names as people have them are saved; digits, signs and markup are refused by name."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medonline.domain.errors import InvalidName, NameProblem
from medonline.domain.person_name import MAX_LENGTH, PersonName, name_key
from tests.domain.characters import APOSTROPHES, DASHES, any_texts

GOOD = [
    *("Иванова", "Ли", "Ё", "Петров-Водкин", "Н'Гоно", "О’Нил", "Мамед оглы", "И. о.", "Müller", "李", "Ӕхсар"),
    *(
        "Петров\u2011Водкин",
        "Петров – Водкин",
        "О`Коннор",
        "Оʼ Коннор",
        "Петрова (Иванова)",
        "Петрова ( Иванова )",
        "'т Хоофт",
        "Igor'",
    ),
]
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
    "Иван\u202e\x08": NameProblem.SYMBOLS,
    "\u202e\u00ad": NameProblem.EMPTY,
    "(Иванова)": NameProblem.SYMBOLS,
    "Петрова (Иванова": NameProblem.SYMBOLS,
    "И" * (MAX_LENGTH + 1): NameProblem.TOO_LONG,
    "И" * 64_000: NameProblem.TOO_LONG,
}


@pytest.mark.parametrize("name", GOOD)
def test_a_name_that_people_have_is_saved_as_typed(name: str) -> None:
    assert PersonName.parse(name).text == name


@pytest.mark.parametrize(("typed", "problem"), BAD.items(), ids=lambda value: repr(value)[:16])
def test_what_is_no_name_is_refused_by_its_problem(typed: str, problem: NameProblem) -> None:
    with pytest.raises(InvalidName) as refusal:
        PersonName.parse(typed)

    assert refusal.value.problem is problem


@pytest.mark.parametrize("typed", ["-", "\u2014", " \u2011 ", "\u200b-\ufe0f"], ids=ascii)
def test_a_missing_part_of_a_name_is_a_dash_in_documents_alone(typed: str) -> None:
    assert PersonName.of_document(typed).key == ""
    with pytest.raises(InvalidName):
        PersonName.parse(typed)


@pytest.mark.parametrize(
    ("typed", "problem"), [bad for bad in BAD.items() if bad[0] != "-"], ids=lambda value: repr(value)[:16]
)
def test_off_a_document_anything_else_is_judged_as_typed(typed: str, problem: NameProblem) -> None:
    with pytest.raises(InvalidName) as refusal:
        PersonName.of_document(typed)

    assert refusal.value.problem is problem


def test_spaces_are_single_and_none_is_around() -> None:
    assert PersonName.parse("  Мамед \n\t оглы ").text == "Мамед оглы"


def test_letters_with_their_marks_are_put_together() -> None:
    assert PersonName.parse("Алёна Йорк".replace("ё", "е\u0308").replace("Й", "И\u0306")).text == "Алёна Йорк"


def test_a_mark_that_has_no_letter_of_its_own_stays_with_the_letter_before() -> None:
    assert PersonName.parse("प्रिया").text == "प्रिया"


def test_a_hundred_letters_are_not_too_many() -> None:
    assert PersonName.parse("И" * MAX_LENGTH)


@given(st.one_of(any_texts, st.text(max_size=200)))
def test_what_is_saved_reads_the_same_when_read_again(typed: str) -> None:
    try:
        name = PersonName.parse(typed).text
    except InvalidName:
        return
    assert PersonName.parse(name).text == name == unicodedata.normalize("NFC", name)
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
        ("Ива\u00adно\u200bва", "Иванова"),
        ("Иванoвa", "Иванова"),
        ("KУЗНЕЦОВ", "Кузнецов"),
        ("О'Коннор", "ОКОННОР"),
        ("И.о.", "И. О."),
        ("-", ""),
        ("Ｉｖａｎｏｖ", "Ivanov"),
    ],
)
def test_names_that_differ_in_spelling_alone_are_compared_as_one(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)


def test_names_that_differ_in_a_letter_are_two() -> None:
    assert name_key("Орлова") != name_key("Орлов")
    assert name_key("Анна-Мария") != name_key("Анна Мария")
    assert name_key("Петрова (Иванова)") != name_key("Петрова")
    assert name_key("Иван") != name_key("Ivan")


@pytest.mark.parametrize("apostrophe", APOSTROPHES, ids=lambda char: f"U+{ord(char):04X}")
def test_an_apostrophe_is_an_apostrophe(apostrophe: str) -> None:
    assert PersonName.parse(f"О{apostrophe}Коннор").is_same(PersonName("О'КОННОР"))


@pytest.mark.parametrize("dash", DASHES, ids=lambda char: f"U+{ord(char):04X}")
def test_a_dash_is_a_dash(dash: str) -> None:
    assert PersonName.parse(f"Петрова{dash}Водкина").is_same(PersonName("Петрова-Водкина"))


@given(any_texts)
def test_any_text_is_equal_to_itself_however_it_is_written(text: str) -> None:
    assert name_key(name_key(text)) == name_key(text)
    assert name_key(f" {text}\u200b") == name_key(text)


@pytest.mark.parametrize("found", ["-", "Петрова (Иванова)", "О`Коннор", "Иванов 2-й", "И" * MAX_LENGTH])
def test_a_name_on_record_elsewhere_is_not_judged_and_not_cut(found: str) -> None:
    assert PersonName.received(f"\u202a{found}\u202c\n") == PersonName(found)


@pytest.mark.parametrize("found", [None, 7, "", " \u200b", "Иван\x00", "\ud800", "И" * (MAX_LENGTH + 1)])
def test_what_cannot_be_shown_is_no_name(found: object) -> None:
    assert PersonName.received(found) is None
