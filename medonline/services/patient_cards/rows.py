"""Turns a card of the registry into a row of an account."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from medonline.domain.birth_date import age
from medonline.domain.card_access import Basis, is_shown
from medonline.domain.oms_policy import OmsPolicy
from medonline.domain.person_name import name_key
from medonline.services.crypto.field_encryption import Sealer
from medonline.services.ports import RegistryCard
from medonline.storage.tables.patient_cards import CardAccess, PatientCard
from medonline.storage.tables.patients import Patient

ADULT_AGE = 18


class Whose(StrEnum):
    """Whose card it is, from the point of view of the account's owner."""

    OWN = "own"
    CHILD = "child"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class CardView:
    """A card of the registry for a screen. The policy's number is masked.

    `ref` is the registry's own id. `in_registry` is false when the registry does not have the card any more. `fetched_at` (UTC) is when the
    registry last answered this about the card.
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


@dataclass(frozen=True, slots=True)
class ClosedCard:
    """A card that was shown and is not shown any more: its owner has turned 15, or it was added before the rule.

    `may_ask`: the policy is on record, so the owner can be asked without typing it again.
    """

    id: str
    policy_masked: str
    birth_date: date | None
    may_ask: bool


def is_shown_today(row: PatientCard, now: datetime) -> bool:
    """Whether the account may see this card on the day of `now` (UTC)."""
    return is_shown(row.basis, row.birth_date, now.date())


def closed_view_of(row: PatientCard) -> ClosedCard:
    """What a screen shows of a card that is closed."""
    return ClosedCard(row.id, row.policy_masked, row.birth_date, may_ask=bool(row.policy_sealed and row.birth_date))


def filled(
    row: PatientCard | None, patient: Patient, card: RegistryCard, now: datetime, policies: Sealer, basis: Basis | None
) -> PatientCard:
    """The row of this card, either new or updated with the registry's answer of `now`. An unlinked card stays unlinked.

    `basis`: None keeps the row's own basis. `policies`: seals and indexes the policy.
    """
    facts: dict[str, Any] = {
        "number": card.number,
        "clinic_name": card.clinic_name,
        "clinic_address": card.clinic_address,
        "clinic_phone": card.clinic_phone,
        "holder": " ".join(filter(None, (card.last_name, card.first_name, card.patronymic))),
        "birth_date": card.birth_date,
        "policy_masked": OmsPolicy(card.oms_policy).masked if card.oms_policy else "",
        "policy_sealed": policies.seal(card.oms_policy),
        "policy_index": policies.index(card.oms_policy) if card.oms_policy else "",
        "whose": _whose(patient, card, now.date(), basis if row is None or basis else Basis(row.basis)),
        "attached_since": card.attached_since,
        "active": card.active,
        "in_registry": True,
        "fetched_at": now,
    }
    if basis is not None:
        facts["basis"] = basis
    if row is None:
        return PatientCard(patient_id=patient.id, ref=card.ref, **facts)
    for name, value in facts.items():
        setattr(row, name, value)
    return row


def shared(card: PatientCard, row: PatientCard | None, access: CardAccess, whose: Whose) -> PatientCard:
    """The row by which `access` shows the owner's card to the person who asked.

    It replaces that person's earlier row of the card, if there is one.
    """
    facts = card.model_dump(exclude={"id", "patient_id", "whose", "basis", "stated_at", "access_id", "unlinked_at"})
    facts |= {"whose": whose, "basis": Basis.CONSENT, "access_id": access.id, "unlinked_at": None}
    if row is None:
        return PatientCard(patient_id=access.patient_id, **facts)
    for name, value in facts.items():
        setattr(row, name, value)
    return row


def closed(row: PatientCard) -> PatientCard:
    """The row of a card that may not be shown any more. Of the registry's data it keeps only policy and birth date."""
    for name in ("number", "clinic_name", "clinic_address", "clinic_phone", "holder"):
        setattr(row, name, "")
    row.attached_since = None
    return row


def relinked(row: PatientCard) -> PatientCard:
    """The row, back on the list."""
    row.unlinked_at = None
    return row


@dataclass(frozen=True, slots=True)
class OwnNumbers:
    """СНИЛС (11 digits) and policy (16) of the account's owner, as Gosuslugi reported them. Empty when unknown."""

    snils: str = ""
    policy: str = ""


def is_own(patient: Patient, card: RegistryCard, numbers: OwnNumbers) -> bool:
    """Whether a card belongs to the account's owner. It does if it has the owner's СНИЛС or policy, in whatever spelling its name is.

    A card with neither of them is compared by name and birth date. A card with another birth date or СНИЛС is never the owner's.
    """
    if contradicts(patient, card) or (numbers.snils and card.snils and numbers.snils != card.snils):
        return False
    if (numbers.snils and numbers.snils == card.snils) or (numbers.policy and numbers.policy == card.oms_policy):
        return True
    names = [(patient.last_name, card.last_name), (patient.first_name, card.first_name)]
    same_day = patient.birth_date is not None and patient.birth_date == card.birth_date
    return same_day and all(name_key(mine) == name_key(theirs) for mine, theirs in names)


def contradicts(patient: Patient, card: RegistryCard) -> bool:
    """Whether account and card belong to two people by their birth dates. A missing date says nothing."""
    return None not in (patient.birth_date, card.birth_date) and patient.birth_date != card.birth_date


def _whose(patient: Patient, card: RegistryCard, today: date, basis: Basis | None) -> Whose:
    if basis is Basis.OWN:
        return Whose.OWN
    born = card.birth_date
    return Whose.CHILD if born is not None and age(born, today) < ADULT_AGE else Whose.OTHER
