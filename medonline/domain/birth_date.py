"""A birth date as people write it, and ages. The value itself is a calendar date without a time zone."""

from __future__ import annotations

import re
from datetime import date

from medonline.domain.errors import BirthDateProblem, InvalidBirthDate
from medonline.domain.folding import folded

OLDEST_AGE = 130
# A year of two digits is accepted only if exactly one century makes the person younger than this. Older people type four digits.
OLDEST_AGE_OF_SHORT_YEAR = 110
_MAX_TYPED = 1000  # leaves room for the invisible characters of a copied text
# A word before or after the digits must be separated from them: «З1.03» and «20ОО» are typing errors. Only «г.» may follow directly.
_BEFORE = r"(?:\D*[\W_])?"
_BEHIND = r"(?:[\W_г]\D*)?"
_PARTED = re.compile(rf"{_BEFORE}(\d{{1,4}})[\W_]+(\d{{1,2}})[\W_]+(\d{{1,4}}){_BEHIND}")
_RUN_TOGETHER = re.compile(r"\D*(?:(\d{8})|(\d{6}))\D*")
# The day may have the ending of an ordinal number («9-го») but no other letters: «1О» is a ten with a letter instead of the zero.
_ORDINAL = r"(?:-?(?:о?е|[ое]?го))?"
_MONTH_IN_WORDS = re.compile(rf"{_BEFORE}(\d{{1,2}}){_ORDINAL}[\W_]+([^\W\d_]+)[\W_]+(\d\d(?:\d\d)?){_BEHIND}")
# An XML date may have a time zone without a time.
_WITH_TIME = re.compile(r"(\d{4}-\d\d-\d\d)(?:[t ][\d:.,]+)? ?(?:z|[+-]\d\d:?\d\d)?")
_MONTHS = (
    "январь|января",
    "февраль|февраля",
    "март|марта",
    "апрель|апреля",
    "май|мая",
    "июнь|июня",
    "июль|июля",
    "август|августа",
    "сентябрь|сентября",
    "октябрь|октября",
    "ноябрь|ноября",
    "декабрь|декабря",
)
_SHORTEST_MONTH = 3  # letters
_ROMAN = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii")  # in old documents: 14.III.1985
_CYRILLIC_ROMAN = str.maketrans("хі", "xi")


def age(born: date, today: date) -> int:
    """The age in full years."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def written(born: date | None) -> str:
    """The date as people write it: `14.03.1985`. Empty for None."""
    return f"{born.day:02}.{born.month:02}.{born.year:04}" if born else ""


def parse_birth_date(typed: str, today: date) -> date:
    """Read a birth date that a person typed.

    It accepts `14.03.1985`, `14.3.85` and `14031985`, other separators, the month in words, and words around the date («г. р.»). It also
    accepts `1985-03-14`, which a date field sends, and ignores a time after it.

    Raises:
        InvalidBirthDate: this is no birth date of a living person, or its short year fits two centuries; `problem` says which.
    """
    parts = _parts(typed)
    if parts is None:
        raise InvalidBirthDate(BirthDateProblem.NOT_A_DATE)
    year, month, day = parts
    short = len(year) == 2
    centuries = range(1800, today.year + 1, 100) if short else (0,)
    oldest = OLDEST_AGE_OF_SHORT_YEAR - 1 if short else OLDEST_AGE
    days = (_date(century + int(year), month, day) for century in centuries)
    fitting = [born for born in days if born is not None and born <= today and age(born, today) <= oldest]
    if len(fitting) > 1:
        raise InvalidBirthDate(BirthDateProblem.CENTURY_UNCLEAR)
    if not fitting:
        raise InvalidBirthDate(BirthDateProblem.NOT_A_DATE)
    return fitting[0]


def read_date(found: object) -> date | None:
    """A calendar date that a gateway or registry sent, in any of these spellings but with a year of four digits. None for anything else."""
    parts = _parts(found) if isinstance(found, str) else None
    if parts is None or len(parts[0]) != 4:
        return None
    year, month, day = parts
    return _date(int(year), month, day)


def _parts(typed: str) -> tuple[str, int, int] | None:
    """The year as written (four digits or two), the month and the day."""
    text = folded(typed).casefold() if len(typed) <= _MAX_TYPED else ""
    if not text.isascii() and re.search(r"(?![0-9])\d", text):
        return None  # digits of another alphabet
    if not text.isprintable():
        return None
    if with_time := _WITH_TIME.fullmatch(text):
        text = with_time[1]
    if found := _PARTED.fullmatch(text):
        return _in_order(*found.groups())
    if found := _RUN_TOGETHER.fullmatch(text):
        return _run_together(found[1] or found[2])
    if found := _MONTH_IN_WORDS.fullmatch(text):
        return _in_words(*found.groups())
    return None


def _in_order(first: str, month: str, last: str) -> tuple[str, int, int] | None:
    if len(first) == 4 and len(last) <= 2:
        return first, int(month), int(last)
    return (last, int(month), int(first)) if len(first) <= 2 and len(last) in (2, 4) else None


def _run_together(digits: str) -> tuple[str, int, int]:
    """The day comes first. The year comes first only where the other reading gives no date of a living person."""
    day_first = digits[4:], int(digits[2:4]), int(digits[:2])
    if len(digits) == 8 and (_date(int(digits[4:]), *day_first[1:]) is None or int(digits[4:]) < 1800):
        return digits[:4], int(digits[4:6]), int(digits[6:])
    return day_first


def _in_words(day: str, word: str, year: str) -> tuple[str, int, int] | None:
    roman = word.translate(_CYRILLIC_ROMAN)
    if roman in _ROMAN:
        return year, _ROMAN.index(roman) + 1, int(day)
    if len(word) < _SHORTEST_MONTH:
        return None
    months = [
        number for number, names in enumerate(_MONTHS, 1) if any(name.startswith(word) for name in names.split("|"))
    ]
    return (year, months[0], int(day)) if len(months) == 1 else None


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
