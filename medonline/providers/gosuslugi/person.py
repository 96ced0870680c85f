"""What an identity provider says of a person, read with suspicion: shared by `oidc` and `esia`.

A text that cannot be used becomes empty, which means «not told»; only what an account cannot do without is refused.
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

# A full account of Gosuslugi needs a passport, which is issued from 14 (Положение о паспорте гражданина РФ).
ADULT_ACCOUNT_AGE = 14


class Unreadable(Exception):
    """A value that is told and cannot be read; the text says why, without the value."""


class Told:
    """What a provider tells of a person, by the names that the provider has for it.

    What is not told is empty. So is what cannot be read, which is logged by its name with the reason: a value that came from
    elsewhere is nothing that the person could mend here.
    """

    def __init__(self, provider: str, values: Mapping[str, object]) -> None:
        self._provider = provider
        self._values = values
        self.unreadable: dict[str, str] = {}

    def value(self, name: str) -> object:
        """As it came; None when it is not told."""
        found = self._values.get(name) if name else None
        return found if is_told(found) else None

    def name(self, name: str) -> str:
        """A part of a name as it is on record there, in one line."""
        return self._read(name, _name)

    def phone(self, name: str) -> str:
        """A Russian mobile number as E.164."""
        return self._read(name, _phone)

    def email(self, name: str) -> str:
        """An address as given: it is shown and written to, never used as a key."""
        return self._read(name, _email)

    def snils(self, name: str) -> str:
        """11 digits."""
        return self._read(name, _snils)

    def oms_policy(self, name: str) -> str:
        """16 digits."""
        return self._read(name, _oms_policy)

    def yes(self, name: str) -> bool:
        """Whether a flag is set; some gateways write it as a text."""
        return yes(self.value(name))

    def birth_date(self, name: str) -> date | None:
        """A date, `YYYY-MM-DD` (OpenID), `DD.MM.YYYY` (ESIA) or in another spelling; None for anything else and before 1900."""
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
    # A number in JSON has lost the zeros in front.
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
        return ""  # OpenID Connect Core 5.1: the year is left out
    if day is None or day.year < 1900:
        raise Unreadable("no date since 1900")
    return day.isoformat()


def _written(found: object) -> str:
    """A text, or a whole number as one."""
    return str(found) if isinstance(found, int | str) and not isinstance(found, bool) else ""


def yes(found: object) -> bool:
    """Whether a flag is set; some gateways write it as a text."""
    return found is True or (isinstance(found, str) and found.strip().lower() == "true")


def admitted(person: IdentityPerson, now: datetime, unreadable: Collection[str] = ()) -> IdentityPerson:
    """The same person, when the portal can deal with this account at all.

    An account that is not confirmed is handed on for the service to decide; where it even lacks a name or a birth date, that
    it is not confirmed is the answer that helps the person.

    Args:
        unreadable: the provider's names of what it told of name and birth date and what could not be read.

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
