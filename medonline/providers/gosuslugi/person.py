"""Reads with suspicion what an identity provider says about a person. `oidc` and `esia` share it.

An unusable text becomes empty, which means «not told». Only a person without the values that an account needs is refused.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime

from medonline.domain.birth_date import age
from medonline.domain.email_address import EmailAddress
from medonline.domain.errors import IdentityProblem, IdentityRefused, InvalidPhone
from medonline.domain.oms_policy import OmsPolicy
from medonline.domain.person_name import PersonName
from medonline.domain.phone import PhoneNumber
from medonline.domain.snils import LENGTH as SNILS_LENGTH
from medonline.domain.snils import Snils
from medonline.providers.values import MOSCOW, calendar_day, is_told
from medonline.services.ports import IdentityPerson

log = logging.getLogger(__name__)

# A full account of Gosuslugi needs a passport, which a person gets at 14 (Положение о паспорте гражданина РФ).
ADULT_ACCOUNT_AGE = 14


class Unreadable(Exception):
    """The provider sent a value that cannot be read. The text says why, without the value."""


class Told:
    """The values that a provider sent about a person, by the provider's names.

    A missing value is empty. An unreadable value is empty, too: its name and the reason are logged, because the person cannot correct
    here what another system sent.
    """

    def __init__(self, provider: str, values: Mapping[str, object]) -> None:
        self._provider = provider
        self._values = values
        self.unreadable: dict[str, str] = {}

    def value(self, name: str) -> object:
        """The value as it came; None when it is missing."""
        found = self._values.get(name) if name else None
        return found if is_told(found) else None

    def name(self, name: str) -> str:
        """A part of a name as the provider has it on record, in one line."""
        return self._read(name, _name)

    def phone(self, name: str) -> str:
        """A Russian mobile number as E.164."""
        return self._read(name, _phone)

    def email(self, name: str) -> str:
        """An e-mail address as given. The portal shows it and writes to it, but never uses it as a key."""
        return self._read(name, _email)

    def snils(self, name: str) -> str:
        """A СНИЛС, 11 digits."""
        return self._read(name, _snils)

    def oms_policy(self, name: str) -> str:
        """An ОМС policy number, 16 digits."""
        return self._read(name, _oms_policy)

    def yes(self, name: str) -> bool:
        """Whether a flag is set. Some gateways write it as a text."""
        return yes(self.value(name))

    def birth_date(self, name: str) -> date | None:
        """A date as `YYYY-MM-DD` (OpenID), `DD.MM.YYYY` (ESIA) or in another spelling. None for anything else and before 1900."""
        written = self._read(name, _birth_date)
        return date.fromisoformat(written) if written else None

    def _read(self, name: str, read: Callable[[object], str]) -> str:
        found = self.value(name)
        if found is None:
            return ""
        try:
            return read(found)
        except Unreadable as error:
            self.unreadable[name] = str(error)
            log.warning("%s: %s cannot be read (%s), and counts as not told", self._provider, name, error)
            return ""


def _name(found: object) -> str:
    read = PersonName.received(found)
    if read is None:
        raise Unreadable("no printable text of at most 100 characters")
    return read.text


def _phone(found: object) -> str:
    try:
        return PhoneNumber.parse(_written(found)).e164
    except InvalidPhone as error:
        raise Unreadable(f"no Russian mobile number: {error.problem.value}") from None


def _email(found: object) -> str:
    read = EmailAddress.received(found)
    if read is None:
        raise Unreadable("no e-mail address")
    return read.text


def _snils(found: object) -> str:
    # A JSON number has lost its leading zeros.
    read = Snils.read(_written(found).zfill(SNILS_LENGTH) if isinstance(found, int) else found)
    if read is None:
        raise Unreadable("not eleven digits with the right control number")
    return read.digits


def _oms_policy(found: object) -> str:
    read = OmsPolicy.read(_written(found))
    if read is None:
        raise Unreadable("not sixteen digits")
    return read.digits


def _birth_date(found: object) -> str:
    day = calendar_day(found)
    if isinstance(found, str) and found.strip().startswith("0000"):
        return ""  # OpenID Connect Core 5.1: 0000 means that the year is withheld
    if day is None or day.year < 1900:
        raise Unreadable("no date since 1900")
    return day.isoformat()


def _written(found: object) -> str:
    """A text as it is, or a whole number as a text."""
    return str(found) if isinstance(found, int | str) and not isinstance(found, bool) else ""


def yes(found: object) -> bool:
    """Whether a flag is set. Some gateways write it as a text."""
    return found is True or (isinstance(found, str) and found.strip().lower() == "true")


def admitted(person: IdentityPerson, now: datetime, unreadable: Collection[str] = ()) -> IdentityPerson:
    """The same person, if the portal can use this account at all.

    An unconfirmed account passes, so that the service can decide. But if it also lacks a name or a birth date, it is refused as not
    confirmed, because that answer helps the person.

    Args:
        unreadable: the provider's names of the parts of name and birth date that it sent but the portal could not read.

    Raises:
        IdentityRefused: INCOMPLETE, UNREADABLE, NOT_CONFIRMED, or CHILD (under 14 today in Moscow).
    """
    born = person.birth_date
    if not person.last_name or not person.first_name or born is None:
        if not person.confirmed:
            raise IdentityRefused(IdentityProblem.NOT_CONFIRMED, "no name or birth date, and not confirmed")
        if unreadable:
            raise IdentityRefused(IdentityProblem.UNREADABLE, f"{', '.join(sorted(unreadable))} cannot be read")
        raise IdentityRefused(IdentityProblem.INCOMPLETE, "no last name, first name or birth date was handed over")
    today = now.astimezone(MOSCOW).date()
    if age(born, today) < ADULT_ACCOUNT_AGE:
        raise IdentityRefused(IdentityProblem.CHILD, f"under {ADULT_ACCOUNT_AGE}")
    return person
