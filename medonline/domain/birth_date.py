"""A birth date as people type it, and ages."""

from __future__ import annotations

from datetime import date

from medonline.domain.errors import InvalidBirthDate

OLDEST_AGE = 130


def age(born: date, today: date) -> int:
    """Full years."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def parse_birth_date(typed: str, today: date) -> date:
    """`14.03.1985`, also with other separators or as `1985-03-14` (what a date field sends).

    Raises:
        InvalidBirthDate: no date, one that is still to come, or over 130 years ago.
    """
    text = typed.strip()
    for separator in "/-, ":
        text = text.replace(separator, ".")
    parts = [part for part in text.split(".") if part]
    if len(parts) == 3 and len(parts[0]) == 4:
        parts.reverse()
    if len(parts) != 3 or len(parts[2]) != 4 or not all(part.isascii() and part.isdigit() for part in parts):
        raise InvalidBirthDate
    try:
        born = date(int(parts[2]), int(parts[1]), int(parts[0]))
    except ValueError:
        raise InvalidBirthDate from None
    if born > today or age(born, today) > OLDEST_AGE:
        raise InvalidBirthDate
    return born
