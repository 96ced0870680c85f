"""What an identity provider says of a person, read with suspicion: shared by `oidc` and `esia`.

A text that cannot be used becomes empty, which means «not told»; only what an account cannot do without is refused.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

from medonline.domain.birth_date import age, read_date
from medonline.domain.email_address import EmailAddress
from medonline.domain.errors import IdentityProblem, IdentityRefused
from medonline.domain.oms_policy import OmsPolicy
from medonline.domain.person_name import PersonName
from medonline.domain.phone import PhoneNumber
from medonline.domain.snils import Snils
from medonline.services.ports import IdentityPerson

MOSCOW = timezone(timedelta(hours=3), "MSK")  # no daylight saving time since 2014
# A full account of Gosuslugi needs a passport, which is issued from 14 (Положение о паспорте гражданина РФ).
ADULT_ACCOUNT_AGE = 14


def name(found: object) -> str:
    """A part of a name as it is on record there, in one line; empty when there is none or it cannot be shown."""
    read = PersonName.received(found)
    return read.text if read else ""


def calendar_date(found: object) -> date | None:
    """A date, `YYYY-MM-DD` (OpenID), `DD.MM.YYYY` (ESIA) or in another spelling; None for anything else and before 1900."""
    day = read_date(found)
    return day if day and day.year >= 1900 else None


def phone(found: object) -> str:
    """A Russian mobile number as E.164; empty for any other."""
    read = PhoneNumber.read(found) if isinstance(found, str) else None
    return read.e164 if read else ""


def email(found: object) -> str:
    """An address as given: it is shown and written to, never used as a key."""
    read = EmailAddress.received(found)
    return read.text if read else ""


def snils(found: object) -> str:
    """11 digits; empty when the number is wrong, which is no reason to refuse the person."""
    read = Snils.read(found)
    return read.digits if read else ""


def oms_policy(found: object) -> str:
    """16 digits, or an empty text."""
    read = OmsPolicy.read(found)
    return read.digits if read else ""


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
    if age(born, today) < ADULT_ACCOUNT_AGE:
        raise IdentityRefused(IdentityProblem.CHILD, f"under {ADULT_ACCOUNT_AGE}")
    return person
