"""What the owner is told of an operator's act (docs/decisions/0041): whoever talked the desk into it, or bribed it, is a thief, too.

The link «это не я» goes to places that have been the account's for as long as a link lives. A newer one may be the thief's from whom
the desk takes the account back, or a stranger's whose number was mistyped; who held the account before it has a link. A closed account
has nothing to close, and a second press would only close again what the desk opens.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from medonline.domain.email_address import EmailAddress
from medonline.domain.security_journal import JournalEvent
from medonline.services.notices.dispute_links import LINK_LIFE
from medonline.services.notices.texts import About, Text, Told
from medonline.services.security_journal.entries import had_number_before
from medonline.storage.queries import notices, security_journal
from medonline.storage.tables.notices import Notice
from medonline.storage.tables.patients import Patient

_OF_NUMBERS = frozenset({About.PHONE, About.DESK_PHONE, About.DESK_NUMBER})
_OF_ADDRESSES = frozenset({About.EMAIL, About.EMAIL_PROOF})


def of_change(session: Session, patient: Patient, about: About, text: Text, now: datetime) -> Iterator[Told]:
    """To the places on record."""
    places, phone = _places_of(session, patient, now), patient.phone or ""
    yield Told(phone, about, text, by_mail_alone=True, without_link=places.closed or places.young_address)
    yield Told(phone, about, text, by_text_alone=True, without_link=places.closed or places.young_number)


def of_number(session: Session, patient: Patient, new: str, now: datetime) -> Iterator[Told]:
    """A number is about to be put on record; asked before it is. The mailbox, the mailbox that was, the numbers that were the account's
    within a week before, the number before and the new one: where there is money for some texts only, who held the account for long is
    told first."""
    places, old = _places_of(session, patient, now), patient.phone or ""
    closed, about = places.closed, About.DESK_PHONE
    text = Text.DESK_PHONE_CHANGED if old not in ("", new) else Text.DESK_PHONE_SET
    yield Told(old, about, text, by_mail_alone=True, without_link=closed or places.young_address)
    if places.address_before:
        yield Told(old, about, text, only_to=places.address_before, without_link=closed)
    for phone in sorted(places.numbers - {"", old, new}):
        yield Told(phone, about, Text.DESK_PHONE_CHANGED, by_text_alone=True, without_link=closed)
    yield Told(old, about, text, by_text_alone=True, without_link=closed or places.young_number)
    if new != old:
        yield Told(new, About.DESK_NUMBER, Text.DESK_NUMBER, by_text_alone=True)


@dataclass(frozen=True, slots=True)
class _Places:
    """Where an account's owner is told.

    Attributes:
        closed: «это не я» keeps the account closed.
        young_number, young_address: what is on record is the account's for less than a week.
        numbers: were the account's when a week began in which others followed.
        address_before: the same of the proved address; empty: it is the one on record, or there was none.
    """

    closed: bool
    young_number: bool
    young_address: bool
    numbers: frozenset[str]
    address_before: str


def _places_of(session: Session, patient: Patient, now: datetime) -> _Places:
    since, stopped = now - LINK_LIFE, patient.recovery_stopped_until
    of_numbers = notices.told_since(session, patient.id, _OF_NUMBERS, since)
    of_addresses = notices.told_since(session, patient.id, _OF_ADDRESSES, since)
    changed = security_journal.first_since(session, patient.id, JournalEvent.PHONE_CHANGED, since)
    numbers = _numbers_before(of_numbers, had_one=changed is None or had_number_before(changed))
    return _Places(
        closed=stopped is not None and stopped > now,
        young_number=patient.phone not in numbers
        and (
            changed is not None
            or any(row.phone != patient.phone or row.about == About.DESK_NUMBER for row in of_numbers)
        ),
        young_address=patient.email_proved_at is not None and patient.email_proved_at > since,
        numbers=numbers,
        address_before=_address_before(of_addresses, patient.proved_email),
    )


def _numbers_before(told: Sequence[Notice], *, had_one: bool) -> frozenset[str]:
    """A change names the number before it. Only the first one of the week names one that was not put there within the week: whoever
    changes it twice makes their own number no older. A first number has none before it, and where there is no mailbox nobody was
    told of it (`had_one`). An act of the desk says by its link what it held for one; its mail to the owner's address names that
    number, too, and says nothing of it."""
    first = [row.phone for row in told[:1] if had_one and row.about == About.PHONE]
    by_link = [row.phone for row in told if row.about == About.DESK_PHONE and row.dispute_hash and not row.email]
    return frozenset((*first, *by_link))


def _address_before(told: Sequence[Notice], proved: str) -> str:
    """The first change of the week names the address before it, unless a first one was only being proved then."""
    for row in told[:1]:
        if row.about == About.EMAIL and row.email and EmailAddress(row.email).key != EmailAddress(proved).key:
            return row.email
    return ""
