"""A birth date in every spelling people use; nothing that is no date of a living person."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medonline.domain.birth_date import OLDEST_AGE, age, parse_birth_date, read_date, written
from medonline.domain.errors import BirthDateProblem, InvalidBirthDate
from tests.domain.characters import any_texts, disguised

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
        "14.03.85",
        "14.3.85",
        "14031985",
        "140385",
        "19850314",
        "14\u201303\u20131985",
        "14.03.1985 г.",
        "14.03.1985г",
        "14.03.1985 г. р.",
        "род. 14.03.1985",
        "\u200e14.03.1985\u200e",
        "１４．０３．１９８５",
        "14 марта 1985 г.",
        "«14» Марта 1985 года",
        "14 мар. 1985",
        "14-го марта 1985",
        "14 марта 1985года",
        "14.III.1985",
        "14-III-85 г.",
        "1985-03-14T00:00:00+03:00",
        "1985-03-14 00:00:00",
        "1985-03-14T00:00:00,000 +0300",
        "1985-03-14+03:00",
        "1985-03-14Z",
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
        "14.03.19855",
        "14 мартобря 1985",
        "14 ма 1985",
        "14 IIII 1985",
        "14 м 1985",
        "14.03.985",
        "31021985",
        "14 марта 1985 12",
        "31.02.1985",
        "29.02.2023",
        "00.00.0000",
        "03/14/1985",
        "14.03.1985.1",
        "З1.03.1985",  # a letter for a digit is never left out: that is another date
        "l4.03.1985",
        "14.03.19ОО",
        "1О марта 1985",
        "2l марта 1985",
        "14 марта 20ОО",
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
    st.data(),
    st.dates(min_value=TODAY - timedelta(days=365 * OLDEST_AGE), max_value=TODAY),
    st.sampled_from(["%d.%m.%Y", "%Y-%m-%d", "%d%m%Y", "%d/%m/%Y г. р."]),
)
def test_every_date_of_a_living_person_comes_back(data: st.DataObject, born: date, spelling: str) -> None:
    assert parse_birth_date(data.draw(disguised(born.strftime(spelling))), TODAY) == born
    assert parse_birth_date(written(born), TODAY) == born == read_date(written(born))


@given(any_texts)
def test_any_text_is_a_date_or_is_refused_as_one(typed: str) -> None:
    try:
        born = parse_birth_date(typed, TODAY)
    except InvalidBirthDate:
        return
    assert born <= TODAY


@pytest.mark.parametrize(
    ("typed", "today", "born"),
    [
        ("9.6.15", date(2026, 11, 29), date(2015, 6, 9)),  # nobody of 111 types two digits
        ("090615", date(2026, 11, 29), date(2015, 6, 9)),
        ("9.6.27", date(2026, 11, 29), date(1927, 6, 9)),
        ("29.2.00", date(2026, 11, 29), date(2000, 2, 29)),  # 1900 was no leap year
        ("30.11.16", date(2026, 11, 29), None),  # 2016, or of 109 years
        ("9.6.20", date(2026, 11, 29), None),
    ],
)
def test_a_year_of_two_digits_is_read_where_one_century_fits(typed: str, today: date, born: date | None) -> None:
    if born is not None:
        assert parse_birth_date(typed, today) == born
        return
    with pytest.raises(InvalidBirthDate) as refusal:
        parse_birth_date(typed, today)
    assert refusal.value.problem is BirthDateProblem.CENTURY_UNCLEAR


@given(any_texts)
def test_a_date_from_elsewhere_is_a_date_or_nothing(found: str) -> None:
    assert read_date(found) is None or isinstance(read_date(found), date)


def test_a_date_from_elsewhere_has_a_whole_year() -> None:
    assert read_date("14.03.85") is None
    assert read_date(None) is None
    assert written(None) == ""
