"""Which passwords are refused as guessable: the world's favourites, Russia's, and the patient's own data."""

from __future__ import annotations

import gc
import re
import sys
from collections.abc import Callable
from types import FrameType

import pytest

from medonline.domain.errors import InvalidPassword, PasswordProblem
from medonline.services.passwords.common_words import COMMON_WORDS, spellings, twins
from medonline.services.passwords.strength import Strength, common_password_problem
from medonline.wording.errors import sentence
from medonline.wording.passwords import strength_sentence

IVANOVA = ("Иванова", "Мария", "Петровна", "masha.iv", "79000001001", "21051958", "1958")
COMMON, PERSONAL = PasswordProblem.COMMON, PasswordProblem.PERSONAL


def calls_of(work: Callable[[], object]) -> int:
    """How many functions of Python are called: work that no other process slows down."""
    called = 0

    def see(_frame: FrameType, event: str, _arg: object) -> None:
        nonlocal called
        called += event == "call"

    work()  # the first time fills caches
    before = sys.getprofile()
    gc.disable()  # what it collects of other tests may call functions, too
    sys.setprofile(see)
    try:
        work()
    finally:
        sys.setprofile(before)
        gc.enable()
    return called


@pytest.mark.parametrize(
    "password",
    ["password", "Password1", "qwerty123", "12345678", "qwertyuiop", "1q2w3e4r", "aaaaaaaa", "abcdefgh", "14031985"],
)
def test_what_the_whole_world_uses_is_refused(password: str) -> None:
    assert common_password_problem(password) is COMMON


@pytest.mark.parametrize(
    "password",
    ["medicina2026", "Medonline1", "parol", "privet99", "Ljubov2020", "lubov1", "zdorovje", "2026Moskva", "Natasha7"],
)
def test_russian_words_in_latin_letters_are_refused_with_any_date_around_them(password: str) -> None:
    assert common_password_problem(password) is COMMON


@pytest.mark.parametrize("password", ["gfhjkm123", "ghbdtn12", "k.,jdm", "kjdm2026", "vtlbwbyf7", "qwerty"])
def test_a_russian_word_typed_in_the_english_layout_is_refused(password: str) -> None:
    assert common_password_problem(password) is COMMON


@pytest.mark.parametrize("password", ["mamapapa1", "kotikkotik", "par0l2026", "pr1vet12"])
def test_two_such_words_and_digits_for_letters_are_refused(password: str) -> None:
    assert common_password_problem(password) is COMMON


@pytest.mark.parametrize(
    "password",
    ["Ivanova1958", "ivanova", "Mariya21051958", "mariia58", "MARIJA1", "MariyaIvanova", "1958Petrovna", "bdfyjdf58"],
)
def test_the_patients_own_name_is_refused_however_it_is_spelt(password: str) -> None:
    assert common_password_problem(password, IVANOVA) is PERSONAL


@pytest.mark.parametrize(
    "password", ["9000001001", "89000001001", "79000001001", "0001001a", "21051958", "19580521", "210558ab"]
)
def test_the_patients_own_phone_and_birth_date_are_refused(password: str) -> None:
    assert common_password_problem(password, IVANOVA) is PERSONAL


def test_another_patient_may_use_what_is_personal_to_this_one() -> None:
    assert common_password_problem("Shchukina58x", ("Щукина",)) is PERSONAL
    assert common_password_problem("Shchukina58x", ("Иванова",)) is None
    assert common_password_problem("9000001001") is None


@pytest.mark.parametrize(
    "password", ["Zdorovie2026", "NovyParol2026x", "Vrach12345x", "correctHorse77", "Kanareyka5Sinyaya"]
)
@pytest.mark.parametrize("personal", [(), IVANOVA])
def test_others_are_allowed(password: str, personal: tuple[str, ...]) -> None:
    assert common_password_problem(password, personal) is None


@pytest.mark.parametrize(
    "personal", [("",), ("Ия",), ("-", "  "), ("Ан-на", "О’Хара"), ("ОченьДлинная" * 30,), ("😀",)]
)
def test_odd_personal_data_refuses_nothing_by_itself(personal: tuple[str, ...]) -> None:
    assert common_password_problem("correctHorse77", personal) is None


def test_an_empty_password_is_left_to_the_policy() -> None:
    assert common_password_problem("") is None


def test_a_very_long_password_is_judged_quickly_by_its_first_40_characters() -> None:
    long, short = "aB3x" * 64, "aB3x" * 10

    assert common_password_problem(long) == common_password_problem(short)
    assert calls_of(lambda: common_password_problem(long)) == calls_of(lambda: common_password_problem(short))


@pytest.mark.parametrize(
    "password", ["!!!!!!!!", "--------", "()()()()", "!@#$%^&*", "-", " ", "P@$$w0rd!", "p@ssw0rd"]
)
def test_signs_are_guessed_like_letters(password: str) -> None:
    assert common_password_problem(password) is COMMON
    assert Strength.of(password, IVANOVA) == Strength(0, COMMON)


@pytest.mark.parametrize("password", ["#%}&^!*)@(+~", "k#@!%^&*}-+?", "rokvu5-Hyzcan-ruqsyd"])
def test_signs_without_order_are_a_good_password(password: str) -> None:
    assert Strength.of(password, IVANOVA).score == 4


@pytest.mark.parametrize("signs", ["4@8({[<3690!|1$5+7%2", "4@({[<369!|170$5+%28", "4@8({[<369!|170$5+%2" + "a" * 52])
def test_no_signs_make_the_judge_slow(signs: str) -> None:
    ordinary = calls_of(lambda: Strength.of("NovyParol2026x" * 3, IVANOVA))

    assert calls_of(lambda: Strength.of((signs * 13)[:256], IVANOVA)) < 3 * ordinary


def test_nothing_of_a_patient_stays_in_the_library() -> None:
    from zxcvbn import matching

    common_password_problem("Ivanova1958", IVANOVA)
    common_password_problem("correctHorse77", IVANOVA)

    assert not matching.RANKED_DICTIONARIES.get("user_inputs")


def test_names_are_spelt_as_in_passports_and_as_people_write_them() -> None:
    assert {"iuliia", "yuliya", "julija", "yulia"} <= set(spellings("Юлия"))
    assert {"dmitrii", "dmitriy", "dmitrij", "dmitry"} <= set(spellings("Дмитрий"))
    assert {"aleksandr", "alexandr"} <= set(spellings("Александр"))
    assert {"shcherbakov", "scherbakov"} <= set(spellings("Щербаков"))
    assert twins("Любовь") == ("k.,jdm", "kjdm")


def test_the_words_are_lower_case_and_stand_once() -> None:
    assert len(COMMON_WORDS) == len(set(COMMON_WORDS)) > 500
    assert all(word.isascii() and word == word.lower() for word in COMMON_WORDS)


@pytest.mark.parametrize(
    ("password", "least", "most"),
    [
        ("qwerty123", 0, 0),
        ("Ivanova1958", 0, 0),
        ("NewPassword1", 1, 1),
        ("Vrach12345x", 2, 3),
        ("NovyParol2026x", 4, 4),
    ],
)
def test_the_strength_of_a_password_has_a_word_and_an_advice(password: str, least: int, most: int) -> None:
    strength = Strength.of(password, IVANOVA)

    assert least <= strength.score <= most
    words = "очень слабый|слабый|средний|хороший|надёжный"
    assert re.fullmatch(rf"Пароль ({words})\. [А-ЯЁ][^A-Za-z.]+\.", strength_sentence(strength))


@pytest.mark.parametrize("problem", [COMMON, PERSONAL, PasswordProblem.BREACHED])
def test_each_refusal_says_what_to_do(problem: PasswordProblem) -> None:
    assert "Придумайте" in sentence(InvalidPassword((problem,), 8))
