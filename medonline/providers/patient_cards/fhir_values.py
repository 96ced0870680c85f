"""Single values of FHIR resources, read from unvalidated JSON. An unreadable value becomes empty and affects nothing else.

Null, an empty text and a missing member all mean «not told». Where FHIR wants a list, a single object counts as a list of one.
Sources: https://hl7.org/fhir/R4/datatypes.html (HumanName, Address, ContactPoint, Period, date, dateTime).
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from medonline.domain.folding import visible
from medonline.providers.values import calendar_day

Resource = dict[str, Any]

LONGEST_TEXT = 300
_PART_OF_A_DATE = re.compile(r"\d{4}(-\d\d)?", re.ASCII)
# Patronymics. They show whether a text begins with the given name or with the last name.
_PATRONYMIC = re.compile(r".+(вич|вна|ична|инична)|оглы|кызы", re.IGNORECASE)
_NAME_USES = ("official", "usual", "", "temp", "anonymous", "nickname", "maiden", "old")
_PLACE_USES = ("work", "", "home", "temp", "billing", "mobile", "old")


def text(value: object) -> str:
    """One line of at most 300 characters; empty for anything but a text."""
    # Databases refuse NUL and half a surrogate pair, and no screen shows them.
    return "".join(filter(str.isprintable, visible(value)))[:LONGEST_TEXT] if isinstance(value, str) else ""


def number_text(value: object) -> str:
    """Like `text`, but a whole number becomes its digits, because some servers write a phone or a card as a number."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else text(value)


def objects(value: object) -> list[Resource]:
    """The objects of a list, or a single object that stands instead of a list."""
    listed = value if isinstance(value, list) else [value]
    return [one for one in listed if isinstance(one, dict)]


def texts(value: object) -> list[str]:
    """The non-empty texts of a list, or a single text that stands instead of a list."""
    return list(filter(None, map(text, value if isinstance(value, list) else [value])))


def is_part_of_a_date(value: object) -> bool:
    """Whether a value is only a year or a month: a birth date of which no more is known."""
    return _PART_OF_A_DATE.fullmatch(text(value)) is not None


@dataclass(frozen=True, slots=True)
class Today:
    """The current day in the patients' time zone, by which periods are judged."""

    day: date
    zone: ZoneInfo

    def is_in(self, element: Resource) -> bool:
        """Whether the element's `period` has begun and not ended. An unreadable period does not exclude the element."""
        period = element.get("period")
        if not isinstance(period, dict):
            return True
        begins, ends = period.get("start"), self._last_day(period.get("end"))
        first = calendar_day(begins, self.zone)
        return not (first is not None and first > self.day) and not (ends is not None and ends < self.day)

    def _last_day(self, value: object) -> date | None:
        if is_part_of_a_date(value):
            # The whole year or month belongs to the period.
            year, _, month = text(value).partition("-")
            try:
                return date(int(year), int(month or 12), monthrange(int(year), int(month or 12))[1])
            except ValueError:  # IllegalMonthError is a ValueError
                return None
        return calendar_day(value, self.zone)

    def chosen(self, elements: Iterable[Resource], uses: tuple[str, ...]) -> list[Resource]:
        """The elements that are valid today, the best `use` first, then the best `rank` (ContactPoint), then the order of the answer."""
        return sorted(filter(self.is_in, elements), key=lambda one: (_use(one, uses), _rank(one)))


def _use(element: Resource, uses: tuple[str, ...]) -> int:
    use = text(element.get("use")).lower()
    return uses.index(use) if use in uses else uses.index("")


def _rank(element: Resource) -> int:
    rank = element.get("rank")
    return rank if isinstance(rank, int) and not isinstance(rank, bool) and rank > 0 else 1_000_000


@dataclass(frozen=True, slots=True)
class Name:
    """The parts of a person's name. A missing part is empty."""

    last: str = ""
    first: str = ""
    patronymic: str = ""


def name_of(value: object, today: Today) -> Name:
    """The name in use: official before usual before old, and no name that has ended. It is read from `text` if it has no parts.

    A name without a last name (a nickname) counts only if no other name has one.
    """
    names = list(map(_name, today.chosen(objects(value), _NAME_USES)))
    return next((name for name in names if name.last), next((name for name in names if name.first), Name()))


def _name(element: Resource) -> Name:
    last, given = text(element.get("family")), texts(element.get("given"))
    if not last and not given:
        return _name_of_text(text(element.get("text")))
    if len(given) == 1 and len(words := given[0].split(" ")) == 2 and _PATRONYMIC.fullmatch(words[1]):
        given = words
    return Name(last, given[0] if given else "", " ".join(given[1:]))


def _name_of_text(written: str) -> Name:
    """Read «Соколов Дмитрий Иванович», «Соколов, Дмитрий Иванович» or «Дмитрий Иванович Соколов»."""
    words = written.replace(",", " ").split()
    # Last names may end like a patronymic (Рабинович), given names do not. So the second word decides.
    if len(words) == 3 and "," not in written and _PATRONYMIC.fullmatch(words[1]):
        words = [words[2], *words[:2]]
    last, first, *others = [*words, "", ""]
    return Name(last, first, " ".join(filter(None, others)))


def phone_of(value: object, today: Today) -> str:
    """The phone in use."""
    contacts = today.chosen(objects(value), _PLACE_USES)
    return next(filter(None, (number_text(one.get("value")) for one in contacts if one.get("system") == "phone")), "")


def address_of(value: object, today: Today) -> str:
    """The address in use, as one line."""
    return next(filter(None, map(_address, today.chosen(objects(value), _PLACE_USES))), "")


def _address(element: Resource) -> str:
    whole = text(element.get("text"))
    parts = [number_text(element.get("postalCode")), text(element.get("city")), *texts(element.get("line"))]
    return whole or ", ".join(filter(None, parts))[:LONGEST_TEXT]


def first_of(values: Iterable[object], read: Callable[[object], str] = text) -> str:
    """The first value that is not empty."""
    return next(filter(None, map(read, values)), "")
