"""What a Patient resource, its clinic and its policies say about a medical card.

Only the elements used are read: an unknown or malformed one beside them costs nothing. What a card cannot do without is its id
and a birth date that can be read, where one is told: by it the card's owner is known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from medonline.domain.folding import digits_of
from medonline.domain.oms_policy import OmsPolicy
from medonline.domain.snils import LENGTH as SNILS_LENGTH
from medonline.domain.snils import Snils
from medonline.providers.patient_cards.fhir_values import (
    Resource,
    Today,
    address_of,
    is_part_of_a_date,
    name_of,
    number_text,
    objects,
    phone_of,
    text,
)
from medonline.providers.values import calendar_day, is_told
from medonline.services.ports import RegistryCard

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}", re.ASCII)
_CODE = re.compile(r"[a-z-]{1,32}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Systems:
    """Which identifier of a resource is which number; every region may name its own, and several for one number.

    Attributes:
        snils: СНИЛС, by the OID of the state's register.
        policy: ОМС policy of the single form, ЕНП (?): the document type of one vendor's integration platform; the same
            list has .226 for policies of the old form and .223 for СНИЛС.
        card: number of the card in the clinic (?): there is no common one, this name is the project's own.
    """

    snils: tuple[str, ...] = ("urn:oid:1.2.643.100.3",)
    policy: tuple[str, ...] = ("urn:oid:1.2.643.2.69.1.1.1.6.228",)
    card: tuple[str, ...] = ("urn:medonline:card",)


class Unusable(Exception):
    """A record that cannot be used: `element` of it, and why, without its value."""

    def __init__(self, element: str, reason: str) -> None:
        super().__init__(f"{element}: {reason}")
        self.element = element
        self.reason = reason


def is_id(value: object) -> bool:
    """Whether it is a FHIR id that may be in an address; dots alone mean another place there."""
    return isinstance(value, str) and bool(_ID.fullmatch(value)) and bool(value.strip("."))


def outcome(answer: Any) -> str:
    """The first issue of an OperationOutcome, as its code; `no OperationOutcome` for anything else."""
    issues = answer.get("issue") if isinstance(answer, dict) else None
    if not isinstance(answer, dict) or answer.get("resourceType") != "OperationOutcome" or not isinstance(issues, list):
        return "no OperationOutcome"
    code = issues[0].get("code") if issues and isinstance(issues[0], dict) else None
    return code if isinstance(code, str) and _CODE.fullmatch(code) else "no code"


def identifiers(resource: Resource, systems: tuple[str, ...]) -> list[Resource]:
    """The identifiers of these systems."""
    return [one for one in objects(resource.get("identifier")) if text(one.get("system")) in systems]


def numbers(resource: Resource, systems: tuple[str, ...]) -> list[str]:
    """The values of these systems; of a number as it may be written its digits alone."""
    values = (number_text(one.get("value")) for one in identifiers(resource, systems))
    return [digits_of(value) or value for value in values if value]


def snils_of(patient: Resource, systems: Systems) -> list[str]:
    """The СНИЛС of a person, 11 digits each. What is none (a placeholder, a slip of the registry's) says nothing of whose card it is."""
    values = (one.get("value") for one in identifiers(patient, systems.snils))
    # A number in JSON has lost the zeros in front.
    written = (number_text(value).zfill(SNILS_LENGTH) if isinstance(value, int) else value for value in values)
    return [read.digits for read in map(Snils.read, written) if read]


def systems_of(resource: Resource, number: str) -> set[str]:
    """The systems under which a resource has this number (digits alone)."""
    held = ((text(one.get("system")), number_text(one.get("value"))) for one in objects(resource.get("identifier")))
    return {system for system, value in held if system and digits_of(value) == number}


def is_card(patient: Resource, systems: Systems) -> bool:
    """Whether the record is a card in a clinic, and no person alone or a record that was merged into another."""
    merged = any(link.get("type") == "replaced-by" for link in objects(patient.get("link")))
    is_kept_by_a_clinic = any(is_told(one) for one in objects(patient.get("managingOrganization")))
    return not merged and (bool(numbers(patient, systems.card)) or is_kept_by_a_clinic)


def check_usable(patient: Resource, today: Today) -> None:
    """Refuse a record without what a card cannot do without.

    Raises:
        Unusable: no id, or a birth date that is told and cannot be read.
    """
    born = patient.get("birthDate")
    if not is_id(patient.get("id")):
        raise Unusable("Patient.id", "no FHIR id")
    if is_told(born) and not is_part_of_a_date(born) and calendar_day(born, today.zone) is None:
        raise Unusable("Patient.birthDate", "no date")


def card_of(
    patient: Resource, clinic: Resource | None, policies: Iterable[Resource], systems: Systems, today: Today
) -> RegistryCard:
    """The card that a usable Patient means, with what its clinic and its policies say."""
    kept_by = next(iter(objects(patient.get("managingOrganization"))), {})
    cards = today.chosen(identifiers(patient, systems.card), ("usual", "official", "", "secondary", "temp", "old"))
    card = cards[0] if cards else {}
    period = card.get("period")
    clinic = clinic or {}
    name = name_of(patient.get("name"), today)
    return RegistryCard(
        ref=str(patient.get("id")),
        number=number_text(card.get("value")),
        clinic_name=text(clinic.get("name")) or text(kept_by.get("display")),
        clinic_address=address_of(clinic.get("address"), today),
        clinic_phone=phone_of(clinic.get("telecom"), today),
        last_name=name.last,
        first_name=name.first,
        patronymic=name.patronymic,
        birth_date=calendar_day(patient.get("birthDate"), today.zone),
        snils=next(iter(snils_of(patient, systems)), ""),
        oms_policy=next(filter(None, (policy_number(policy, systems) for policy in policies)), ""),
        attached_since=calendar_day(period.get("start"), today.zone) if isinstance(period, dict) else None,
        active=patient.get("active") not in (False, "false"),
    )


def policy_number(coverage: Resource, systems: Systems) -> str:
    """The 16 digits of an ОМС policy, from the identifier or else the insurer's id of the subscriber."""
    written = [*numbers(coverage, systems.policy), number_text(coverage.get("subscriberId"))]
    return next((policy.digits for policy in map(OmsPolicy.read, written) if policy), "")
