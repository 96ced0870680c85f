"""What the owner is told of an operator's act (docs/decisions/0041): whoever talked the desk into it, or bribed it, is a thief, too.

The link «это не я» goes to places that have been the account's for as long as a link lives. A newer one may be the thief's from whom
the desk takes the account back, or a stranger's whose number was mistyped; who held the account before it has a link. A closed account
has nothing to close, and a second press would only close again what the desk opens.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlmodel import Session

from medonline.services.notices.dispute_links import LINK_LIFE
from medonline.services.notices.texts import About, Text, Told
from medonline.storage.queries import notices
from medonline.storage.tables.patients import Patient

_OF_NUMBERS = frozenset({About.PHONE, About.DESK_PHONE, About.DESK_NUMBER})


def of_change(patient: Patient, about: About, text: Text, now: datetime) -> Told:
    """To the places on record."""
    return Told(patient.phone or "", about, text, without_link=_is_closed(patient, now))


def of_number(session: Session, patient: Patient, new: str, now: datetime) -> Iterator[Told]:
    """A number is about to be put on record; asked before it is. The mailbox, the number before, those that were the account's within a
    week before it, and the new one."""
    old, closed = patient.phone or "", _is_closed(patient, now)
    told = set(notices.numbers_told(session, patient.id, _OF_NUMBERS, now - LINK_LIFE))
    earlier = {phone for about, phone, linked in told if linked and about != About.DESK_NUMBER and phone}
    put_on_record = any(about == About.DESK_NUMBER and phone == old for about, phone, _ in told)
    is_young = old not in earlier and (bool(earlier) or put_on_record)
    text = Text.DESK_PHONE_CHANGED if old not in ("", new) else Text.DESK_PHONE_SET
    young_mail = patient.email_proved_at is not None and patient.email_proved_at > now - LINK_LIFE
    yield Told(old, About.DESK_PHONE, text, by_mail_alone=True, without_link=closed or young_mail)
    if old:
        yield Told(old, About.DESK_PHONE, text, by_text_alone=True, without_link=closed or is_young)
    for phone in sorted(earlier - {old, new}):
        yield Told(phone, About.DESK_PHONE, Text.DESK_PHONE_CHANGED, by_text_alone=True, without_link=closed)
    if new != old:
        yield Told(new, About.DESK_NUMBER, Text.DESK_NUMBER, by_text_alone=True)


def _is_closed(patient: Patient, now: datetime) -> bool:
    """Whether «это не я» keeps it closed."""
    return patient.recovery_stopped_until is not None and patient.recovery_stopped_until > now
