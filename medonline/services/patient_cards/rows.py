"""How a card of the registry becomes a row of an account."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from medonline.domain import oms_policy
from medonline.domain.birth_date import age
from medonline.domain.person_name import folded
from medonline.services.ports import RegistryCard
from medonline.storage.tables.patient_cards import PatientCard
from medonline.storage.tables.patients import Patient

ADULT_AGE = 18


class Whose(StrEnum):
    """Whose card it is, as seen by the owner of the account."""

    OWN = "own"
    CHILD = "child"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class CardView:
    """A card of the registry for a screen; the policy's number is masked.

    `ref` is the registry's own id; `in_registry` is false once the registry does not have the card any more; `fetched_at`
    (UTC) is when the registry last said this of it.
    """

    id: str
    ref: str
    number: str
    clinic_name: str
    clinic_address: str
    clinic_phone: str
    holder: str
    birth_date: date | None
    policy_masked: str
    whose: Whose
    attached_since: date | None
    active: bool
    in_registry: bool
    fetched_at: datetime


def view_of(row: PatientCard) -> CardView:
    """What a screen shows of a row."""
    shown = {one.name: getattr(row, one.name) for one in fields(CardView)}
    return CardView(**shown | {"whose": Whose(row.whose)})


def filled(row: PatientCard | None, patient: Patient, card: RegistryCard, now: datetime) -> PatientCard:
    """The row of this card, new or brought up to the registry's answer of `now`; an unlinked card stays unlinked."""
    facts: dict[str, Any] = {
        "number": card.number,
        "clinic_name": card.clinic_name,
        "clinic_address": card.clinic_address,
        "clinic_phone": card.clinic_phone,
        "holder": " ".join(filter(None, (card.last_name, card.first_name, card.patronymic))),
        "birth_date": card.birth_date,
        "policy_masked": oms_policy.masked(card.oms_policy),
        "whose": whose(patient, card, now.date()),
        "attached_since": card.attached_since,
        "active": card.active,
        "in_registry": True,
        "fetched_at": now,
    }
    if row is None:
        return PatientCard(patient_id=patient.id, ref=card.ref, **facts)
    for name, value in facts.items():
        setattr(row, name, value)
    return row


def relinked(row: PatientCard) -> PatientCard:
    """The row, on the list again."""
    row.unlinked_at = None
    return row


def whose(patient: Patient, card: RegistryCard, today: date) -> Whose:
    """Own by name and birth date; a child's while its holder is under 18; otherwise another person's."""
    names = [(patient.last_name, card.last_name), (patient.first_name, card.first_name)]
    if patient.birth_date == card.birth_date and all(folded(mine) == folded(theirs) for mine, theirs in names):
        return Whose.OWN
    born = card.birth_date
    if born is not None and age(born, today) < ADULT_AGE:
        return Whose.CHILD
    return Whose.OTHER
