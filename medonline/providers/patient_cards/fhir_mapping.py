"""What a Patient resource, its clinic and its policies say about a medical card.

Only the used elements are read, so any other unknown or malformed element does no harm. A card must have an id. If it has a birth date,
the date must be readable, because it identifies the card's owner.
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
    """The identifier systems of each number. Every region may have its own systems, and several for one number.

    Attributes:
        snils: the СНИЛС, by the OID of the state's register.
        policy: the ОМС policy of the single form, ЕНП (?). This is the document type of one vendor's integration platform. The same
            list has .226 for policies of the old form and .223 for the СНИЛС.
        card: the number of the card in the clinic (?). There is no common system, so this name is the project's own.
    """

    snils: tuple[str, ...] = ("urn:oid:1.2.643.100.3",)
    policy: tuple[str, ...] = ("urn:oid:1.2.643.2.69.1.1.1.6.228",)
    card: tuple[str, ...] = ("urn:medonline:card",)


class Unusable(Exception):
    """A record is unusable. It names the `element` and the reason, without the value."""

    def __init__(self, element: str, reason: str) -> None:
        super().__init__(f"{element}: {reason}")
        self.element = element
        self.reason = reason


def is_id(value: object) -> bool:
    """Whether a value is a FHIR id that may stand in an address. Dots alone would mean another path there."""
    return isinstance(value, str) and bool(_ID.fullmatch(value)) and bool(value.strip("."))


def outcome(answer: Any) -> str:
    """The code of the first issue of an OperationOutcome; `no OperationOutcome` for anything else."""
    issues = answer.get("issue") if isinstance(answer, dict) else None
    if not isinstance(answer, dict) or answer.get("resourceType") != "OperationOutcome" or not isinstance(issues, list):
        return "no OperationOutcome"
    code = issues[0].get("code") if issues and isinstance(issues[0], dict) else None
    return code if isinstance(code, str) and _CODE.fullmatch(code) else "no code"


def identifiers(resource: Resource, systems: tuple[str, ...]) -> list[Resource]:
    """The resource's identifiers in these systems."""
    return [one for one in objects(resource.get("identifier")) if text(one.get("system")) in systems]


def numbers(resource: Resource, systems: tuple[str, ...]) -> list[str]:
    """The resource's values in these systems. A number with separators becomes its digits."""
    values = (number_text(one.get("value")) for one in identifiers(resource, systems))
    return [digits_of(value) or value for value in values if value]


def snils_of(patient: Resource, systems: Systems) -> list[str]:
    """The person's СНИЛС numbers, 11 digits each. Invalid values (a placeholder, a typing error) are left out: they identify nobody."""
    values = (one.get("value") for one in identifiers(patient, systems.snils))
    # A JSON number has lost its leading zeros.
    written = (number_text(value).zfill(SNILS_LENGTH) if isinstance(value, int) else value for value in values)
    return [read.digits for read in map(Snils.read, written) if read]


def systems_of(resource: Resource, number: str) -> set[str]:
    """The systems in which a resource has this number (digits only)."""
    held = ((text(one.get("system")), number_text(one.get("value"))) for one in objects(resource.get("identifier")))
    return {system for system, value in held if system and digits_of(value) == number}


def is_card(patient: Resource, systems: Systems) -> bool:
    """Whether the record is a card in a clinic: it has a card number or a clinic, and was not merged into another record."""
    merged = any(link.get("type") == "replaced-by" for link in objects(patient.get("link")))
    is_kept_by_a_clinic = any(is_told(one) for one in objects(patient.get("managingOrganization")))
    return not merged and (bool(numbers(patient, systems.card)) or is_kept_by_a_clinic)


def check_usable(patient: Resource, today: Today) -> None:
    """Refuse a record that lacks what a card needs.

    Raises:
        Unusable: the record has no id, or it has an unreadable birth date.
    """
    born = patient.get("birthDate")
    if not is_id(patient.get("id")):
        raise Unusable("Patient.id", "no FHIR id")
    if is_told(born) and not is_part_of_a_date(born) and calendar_day(born, today.zone) is None:
        raise Unusable("Patient.birthDate", "no date")


def card_of(
    patient: Resource, clinic: Resource | None, policies: Iterable[Resource], systems: Systems, today: Today
) -> RegistryCard:
    """The card of a usable Patient, with the data of its clinic and its policies."""
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
    """The 16 digits of an ОМС policy, from the identifier or else from the insurer's subscriber id."""
    written = [*numbers(coverage, systems.policy), number_text(coverage.get("subscriberId"))]
    return next((policy.digits for policy in map(OmsPolicy.read, written) if policy), "")
