"""A birth date in every spelling people use; nothing that is no date of a living person."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medonline.domain.birth_date import OLDEST_AGE, age, parse_birth_date
from medonline.domain.errors import InvalidBirthDate

TODAY = date(2026, 3, 1)


@pytest.mark.parametrize(
    "typed",
    [
        "14.03.1985",
        "14/03/1985",
        "14-03-1985",
        "14 03 1985",
        "14,03,1985",
        "14.3.1985",
        "1985-03-14",
        " 14 . 03 . 1985 ",
    ],
)
def test_every_spelling_of_a_date_is_read(typed: str) -> None:
    assert parse_birth_date(typed, TODAY) == date(1985, 3, 14)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "вчера",
        "14.03",
        "14.03.85",
        "14.03.19855",
        "14031985",
        "31.02.1985",
        "29.02.2023",
        "00.00.0000",
        "03/14/1985",
        "14.03.1985.1",
        "١٤.٠٣.١٩٨٥",
        "1985-14-03",
        "02.03.2026",
        "28.02.1895",
        "14.03.1985" * 10_000,
        "\x00",
    ],
    ids=lambda text: repr(text)[:16],
)
def test_anything_else_is_refused(typed: str) -> None:
    with pytest.raises(InvalidBirthDate):
        parse_birth_date(typed, TODAY)


def test_the_29th_of_february_is_a_birthday_in_leap_years() -> None:
    assert parse_birth_date("29.02.1984", TODAY) == date(1984, 2, 29)


def test_somebody_born_today_is_a_person_and_somebody_of_131_is_not() -> None:
    assert parse_birth_date("01.03.2026", TODAY) == TODAY
    assert parse_birth_date("02.03.1895", TODAY).year == 1895
    with pytest.raises(InvalidBirthDate):
        parse_birth_date("01.03.1895", TODAY)


@pytest.mark.parametrize(
    ("born", "today", "years"),
    [
        (date(2008, 3, 1), date(2026, 3, 1), 18),
        (date(2008, 3, 2), date(2026, 3, 1), 17),
        (date(2008, 2, 29), date(2026, 2, 28), 17),
        (date(2008, 2, 29), date(2026, 3, 1), 18),
        (date(2026, 3, 1), date(2026, 3, 1), 0),
    ],
)
def test_an_age_is_in_full_years(born: date, today: date, years: int) -> None:
    assert age(born, today) == years


@given(
    st.dates(min_value=TODAY - timedelta(days=365 * OLDEST_AGE), max_value=TODAY),
    st.sampled_from(["%d.%m.%Y", "%Y-%m-%d"]),
)
def test_every_date_of_a_living_person_comes_back(born: date, spelling: str) -> None:
    assert parse_birth_date(born.strftime(spelling), TODAY) == born


@given(st.text())
def test_any_text_is_a_date_or_is_refused_as_one(typed: str) -> None:
    try:
        born = parse_birth_date(typed, TODAY)
    except InvalidBirthDate:
        return
    assert born <= TODAY
