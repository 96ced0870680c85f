"""Single values of answers from outside: empty members, references, money, and dates that are written as moments."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

from medonline.domain.birth_date import read_date
from medonline.domain.errors import ProviderRefused
from medonline.domain.folding import visible

MOSCOW = ZoneInfo("Europe/Moscow")
_MOMENT = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)[T ](?P<time>\d\d:\d\d(?::\d\d)?)(?:[.,]\d+)? ?(?P<zone>Z|[+-]\d\d:?\d\d)", re.ASCII
)
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)
_REFERENCE = re.compile(r"[!-~]{1,128}")
_LONGEST = 1_000


def is_told(value: object) -> bool:
    """Whether a member has a value. Null, a blank text, and a list or object of only such values have none. False and 0 are values."""
    if isinstance(value, list | dict):
        return any(map(is_told, value if isinstance(value, list) else value.values()))
    return bool(value.strip()) if isinstance(value, str) else value is not None


def told(members: dict[str, object]) -> dict[str, object]:
    """The members that have a value."""
    return {name: value for name, value in members.items() if is_told(value)}


def error_code(value: object) -> str:
    """A provider's error code for the log: a name or a number, never a sentence, which could quote a person's data."""
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return text if _CODE.fullmatch(text) else ""


def calendar_day(value: object, zone: ZoneInfo = MOSCOW) -> date | None:
    """A calendar date, read from a date or a moment; None for anything else.

    A moment has the date of its own time zone. But if it is midnight in `zone`, a server has written a date of that zone as a moment of
    another zone (`2015-08-31T21:00:00Z` for the first of September in Moscow).
    """
    on = read_date(value)
    written = visible(value).upper() if isinstance(value, str) and len(value) <= _LONGEST else ""
    moment = _MOMENT.fullmatch(written)
    if on is None or moment is None:
        return on
    try:
        there = datetime.fromisoformat(f"{moment['day']}T{moment['time']}{moment['zone']}")
        here = there.astimezone(zone)
    except (ValueError, OverflowError):  # 24:00, or the first or last possible year: the date itself is still valid
        return on
    return here.date() if here.time() == time(0) and there.time() != time(0) else on


def reference_of(answered: object, provider: str) -> str:
    """A provider's reference of an accepted request, as text.

    Raises:
        ProviderRefused: the value cannot be a reference. Danger: half a surrogate pair or a NUL passes through JSON, and only the
            database would refuse it, after the call was made.
    """
    text = str(answered) if isinstance(answered, int | str) and not isinstance(answered, bool) else ""
    if not _REFERENCE.fullmatch(text):
        raise ProviderRefused(f"{provider}: an answer without a reference", may_have_gone_out=True)
    return text


def roubles(amount: object, provider: str) -> Decimal:
    """A balance from a provider's number or text.

    Raises:
        ProviderRefused: the value is no amount.
    """
    text = str(amount) if isinstance(amount, int | float | str) and not isinstance(amount, bool) else ""
    if not re.fullmatch(r"-?\d{1,12}(\.\d{1,6})?", text, re.ASCII):
        raise ProviderRefused(f"{provider}: an answer without a balance")
    return Decimal(text)


def money(amount: object) -> str:
    """A price as the provider states it; empty for anything else."""
    if isinstance(amount, bool) or not isinstance(amount, int | float | str):
        return ""
    return str(amount)[:32]
