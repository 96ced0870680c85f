"""Finds who signs in: by phone in any spelling, e-mail, or СНИЛС with or without dashes."""

from __future__ import annotations

import re

from medonline.domain.phone import PhoneNumber
from medonline.sandbox.people import PASSWORD, PEOPLE, DemoPerson
from medonline.sandbox.requests import same

ACCOUNTS = tuple(person for person in PEOPLE if person.oid)
_SNILS = re.compile(r"(\d{3})[- ]?(\d{3})[- ]?(\d{3})[- ]?(\d{2})", re.ASCII)


def account(login: str) -> DemoPerson | None:
    """The person with this login."""
    typed = login.strip()
    if "@" in typed:
        return next((person for person in ACCOUNTS if person.email.casefold() == typed.casefold()), None)
    found = _SNILS.fullmatch(typed)
    if found:
        digits = "".join(found.groups())
        person = next((person for person in ACCOUNTS if person.snils == digits), None)
        if person is not None:
            return person
    return account_of_phone(typed)


def account_of_phone(typed: str) -> DemoPerson | None:
    """The person with this number."""
    phone = PhoneNumber.read(typed)
    return next((person for person in ACCOUNTS if phone and person.phone == phone.e164), None)


def signed_in(login: str, password: str) -> DemoPerson | None:
    """The person with this login and password, or None."""
    person = account(login)
    return person if person is not None and same(password, PASSWORD) else None
