"""What an identity provider says of a person, read with suspicion: shared by `oidc` and `esia`.

A text that cannot be used becomes empty, which means «not told»; only what an account cannot do without is refused.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, timedelta, timezone

from medonline.domain.errors import IdentityProblem, IdentityRefused, InvalidPhone
from medonline.domain.oms_policy import policy_digits
from medonline.domain.phone import PhoneNumber
from medonline.domain.snils import snils_digits
from medonline.services.ports import IdentityPerson

MOSCOW = timezone(timedelta(hours=3), "MSK")  # no daylight saving time since 2014
# A full account of Gosuslugi needs a passport, which is issued from 14 (Положение о паспорте гражданина РФ).
ADULT_ACCOUNT_AGE = 14
_MAX_NAME = 100
_MAX_EMAIL = 254  # RFC 5321, 4.5.3.1.3 less the angle brackets
_DATES = (
    re.compile(r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)", re.ASCII),
    re.compile(r"(?P<day>\d\d)\.(?P<month>\d\d)\.(?P<year>\d{4})", re.ASCII),
)


def name(found: object) -> str:
    """A part of a name, in one line and one spelling of Unicode; empty when there is none or it is too long."""
    if not isinstance(found, str):
        return ""
    text = " ".join(unicodedata.normalize("NFC", found).split())
    return text if len(text) <= _MAX_NAME and text.isprintable() else ""


def calendar_date(found: object) -> date | None:
    """A date written `YYYY-MM-DD` (OpenID) or `DD.MM.YYYY` (ESIA); None for anything else and before 1900."""
    text = found.strip() if isinstance(found, str) else ""
    for pattern in _DATES:
        if match := pattern.fullmatch(text):
            try:
                day = date(int(match["year"]), int(match["month"]), int(match["day"]))
            except ValueError:
                return None
            return day if day.year >= 1900 else None
    return None


def phone(found: object) -> str:
    """A Russian mobile number as E.164; empty for any other."""
    try:
        return PhoneNumber.parse(found).e164 if isinstance(found, str) else ""
    except InvalidPhone:
        return ""


def email(found: object) -> str:
    """An address as given: it is shown and written to, never used as a key."""
    text = found.strip() if isinstance(found, str) else ""
    return text if len(text) <= _MAX_EMAIL and "@" in text and text.isprintable() and " " not in text else ""


def snils(found: object) -> str:
    """11 digits; empty when the number is wrong, which is no reason to refuse the person."""
    return snils_digits(found) if isinstance(found, str) else ""


def oms_policy(found: object) -> str:
    """16 digits, or an empty text."""
    return policy_digits(found) if isinstance(found, str) else ""


def yes(found: object) -> bool:
    """Whether a flag is set; some gateways write it as a text."""
    return found is True or (isinstance(found, str) and found.strip().lower() == "true")


def admitted(person: IdentityPerson, now: datetime) -> IdentityPerson:
    """The same person, when the portal can deal with this account at all.

    An account that is not confirmed is handed on for the service to decide; where it even lacks a name or a birth date, that
    it is not confirmed is the answer that helps the person.

    Raises:
        IdentityRefused: INCOMPLETE, NOT_CONFIRMED, or CHILD (under 14 today in Moscow).
    """
    born = person.birth_date
    if not person.last_name or not person.first_name or born is None:
        if not person.confirmed:
            raise IdentityRefused(IdentityProblem.NOT_CONFIRMED, "no name or birth date, and not confirmed")
        raise IdentityRefused(IdentityProblem.INCOMPLETE, "no last name, first name or birth date was handed over")
    today = now.astimezone(MOSCOW).date()
    age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    if age < ADULT_ACCOUNT_AGE:
        raise IdentityRefused(IdentityProblem.CHILD, f"under {ADULT_ACCOUNT_AGE}")
    return person
