"""How settings are written: durations, lists, addresses, time zones."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator
from pydantic_settings import NoDecode
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from medonline.domain.codes.channels import ChannelName

# OWASP ASVS 5.0.0, 6.5.5.
LONGEST_CODE_LIFE = timedelta(minutes=10)
LONGEST_DRAIN = timedelta(minutes=5)
_UNITS = {"s": 1, "min": 60, "h": 3600, "day": 86400, "days": 86400}
# libpq options that hold a password; they follow the «?» in an address.
_PASSWORD_OPTIONS = ("password", "sslpassword")
_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(s|min|h|days?)\s*")


def parse_duration(text: object) -> object:
    """Read `90 s`, `5 min`, `12 h` or `30 days` as a timedelta. Anything but a string is returned unchanged."""
    if not isinstance(text, str):
        return text
    match = _DURATION.fullmatch(text)
    if not match:
        msg = f"{text!r} is not a duration; write it as '60 s', '5 min', '12 h' or '30 days'"
        raise ValueError(msg)
    return timedelta(seconds=float(match[1]) * _UNITS[match[2]])


def _positive(value: timedelta) -> timedelta:
    if value <= timedelta(0):
        msg = "must be longer than nothing"
        raise ValueError(msg)
    return value


def _drain(value: timedelta) -> timedelta:
    if value > LONGEST_DRAIN:
        msg = "is longer than anything waits for a process to end: at most 5 min"
        raise ValueError(msg)
    return value


def _code_life(value: timedelta) -> timedelta:
    if value > LONGEST_CODE_LIFE:
        msg = "is longer than a code may be accepted: at most 10 min"
        raise ValueError(msg)
    return value


def comma_list(parse: Callable[[str], object]) -> Callable[[object], object]:
    """Read `a, b, c` as a tuple, each part with `parse`. Anything but a string is returned unchanged."""

    def split(text: object) -> object:
        if not isinstance(text, str):
            return text
        return tuple(parse(part.strip()) for part in text.split(",") if part.strip())

    return split


def _url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or not has_possible_port(parts):
        msg = f"{value!r} is not an address; write it as 'https://portal.example.ru'"
        raise ValueError(msg)
    return value.rstrip("/")


def has_possible_port(address: SplitResult) -> bool:
    """Whether an address has no port or a valid one."""
    try:
        return address.port != 0
    except ValueError:
        return False


def _url_as_written(value: str) -> str:
    """Validated like the other addresses, but kept exactly as written."""
    if value:
        _url(value)
    return value


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        msg = f"{name!r} is not a time zone; write it as 'Europe/Moscow'"
        raise ValueError(msg) from None
    return name


Duration = Annotated[timedelta, BeforeValidator(parse_duration), AfterValidator(_positive)]
Drain = Annotated[timedelta, BeforeValidator(parse_duration), AfterValidator(_drain)]
CodeLife = Annotated[Duration, AfterValidator(_code_life)]
Durations = Annotated[tuple[timedelta, ...], NoDecode, BeforeValidator(comma_list(parse_duration))]
Channels = Annotated[tuple[ChannelName, ...], NoDecode, BeforeValidator(comma_list(str))]
UrlAsWritten = Annotated[str, AfterValidator(_url_as_written)]
OptionalUrl = Annotated[str, AfterValidator(lambda value: _url(value) if value else value)]
TimeZone = Annotated[str, AfterValidator(_time_zone)]


def is_database(address: str) -> bool:
    """Whether the address names a database and a driver that the portal supports."""
    try:
        return make_url(address).drivername in ("sqlite", "postgresql+psycopg")
    except (ArgumentError, ValueError):
        return False


def has_password(database: str) -> bool:
    """Whether a database address holds a password, before the host or in its options."""
    url = make_url(database)
    return url.password is not None or any(option in url.query for option in _PASSWORD_OPTIONS)


def without_passwords(database: str) -> str:
    """A database address that is safe to show."""
    url = make_url(database)
    hidden = {option: "***" for option in _PASSWORD_OPTIONS if option in url.query}
    return url.update_query_dict(hidden).render_as_string(hide_password=True)
