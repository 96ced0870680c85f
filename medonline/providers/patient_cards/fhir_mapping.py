"""What FHIR R4 resources say about a medical card, and which resources of an answer can be used at all.

The models are those of `fhir.resources`, subpackage R4B: the library has no R4 any more, and Patient, Coverage and
Organization are the same in R4 (4.0.1) and R4B (4.3.0).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import httpx
from fhir.resources.R4B.coverage import Coverage
from fhir.resources.R4B.identifier import Identifier
from fhir.resources.R4B.organization import Organization
from fhir.resources.R4B.patient import Patient
from fhir.resources.R4B.reference import Reference

from medonline.domain.errors import RegistryUnavailable
from medonline.domain.oms_policy import OmsPolicy
from medonline.services.ports import RegistryCard

log = logging.getLogger(__name__)

_LONGEST_TEXT = 300
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}", re.ASCII)
_CODE = re.compile(r"[a-z-]{1,32}", re.ASCII)
_SEPARATORS = re.compile(r"[\s\-]+")


@dataclass(frozen=True, slots=True)
class Systems:
    """Which identifier of a resource is which number; every region may name its own.

    Attributes:
        snils: СНИЛС, by the OID of the state's register.
        policy: ОМС policy of the single form, ЕНП (?): the document type of one vendor's integration platform; the same
            list has .226 for policies of the old form and .223 for СНИЛС.
        card: number of the card in the clinic (?): there is no common one, this name is the project's own.
    """

    snils: str = "urn:oid:1.2.643.100.3"
    policy: str = "urn:oid:1.2.643.2.69.1.1.1.6.228"
    card: str = "urn:medonline:card"


@dataclass
class Found:
    """The usable resources of one or several answers, by id, and how many of each kind were unusable."""

    patients: dict[str, Patient] = field(default_factory=dict)
    coverages: dict[str, Coverage] = field(default_factory=dict)
    organizations: dict[str, Organization] = field(default_factory=dict)
    unusable: int = 0

    def take(self, raw: Any) -> None:
        """Keep one resource; another kind is passed over, a wrong one is counted and logged without its values."""
        kind = raw.get("resourceType") if isinstance(raw, dict) else None
        try:
            if not isinstance(kind, str):
                raise TypeError
            if kind == "Patient":
                patient = Patient.model_validate(raw)
                self.patients[known_id(patient.id)] = patient
            elif kind == "Coverage":
                coverage = Coverage.model_validate(raw)
                self.coverages[known_id(coverage.id)] = coverage
            elif kind == "Organization":
                organization = Organization.model_validate(raw)
                self.organizations[known_id(organization.id)] = organization
        # The library's own validators are not always prepared for nonsense: not only ValueError leaves them.
        except (ValueError, TypeError, AttributeError, RecursionError):
            self.unusable += 1
            name = kind if kind in ("Patient", "Coverage", "Organization") else "entry"
            log.warning("The registry of cards sent an unusable %s; it is passed over", name)

    def take_bundle(self, bundle: dict[str, Any]) -> str:
        """Keep what one page of a search has; the address of the next page, empty on the last one.

        Raises:
            RegistryUnavailable: no result of a search.
        """
        entries, links = bundle.get("entry", []), bundle.get("link", [])
        if bundle.get("resourceType") != "Bundle" or not isinstance(entries, list) or not isinstance(links, list):
            raise RegistryUnavailable("fhir: a search answered with no Bundle")
        for entry in entries:
            self.take(entry.get("resource") if isinstance(entry, dict) else None)
        following = [link.get("url") for link in links if isinstance(link, dict) and link.get("relation") == "next"]
        return str(following[0]) if following else ""

    def policies_of(self, patient_id: str, base_url: str) -> list[Coverage]:
        """What covers one patient, active ones first."""
        theirs = [
            coverage
            for coverage in self.coverages.values()
            if local_id(coverage.beneficiary, "Patient", base_url) == patient_id
            and coverage.status != "entered-in-error"
        ]
        return sorted(theirs, key=lambda coverage: coverage.status != "active")


def known_id(text: object) -> str:
    """An id that may be in an address.

    Raises:
        ValueError: no FHIR id, or dots alone, which mean another place in an address.
    """
    if not isinstance(text, str) or not _ID.fullmatch(text) or not text.strip("."):
        msg = "no FHIR id"
        raise ValueError(msg)
    return text


def local_id(reference: Reference | None, kind: str, base_url: str) -> str:
    """The id of a resource of this kind in this registry; empty for any other reference."""
    target = str(reference.reference or "") if reference is not None else ""
    parts = target.removeprefix(f"{base_url}/").split("/")
    is_ours = parts[0] == kind and (len(parts) == 2 or (len(parts) == 4 and parts[2] == "_history"))
    return parts[1] if is_ours and _ID.fullmatch(parts[1]) and parts[1].strip(".") else ""


def path_below(base_url: str, link: str) -> str | None:
    """The part of a link behind the registry's base URL; None for a link to another origin or another service there."""
    try:
        base = httpx.URL(base_url)
        target = httpx.URL(f"{base_url}/").join(link)
    except (httpx.InvalidURL, ValueError):
        return None
    root, path = base.raw_path.decode().rstrip("/"), target.raw_path.decode()
    same_origin = (target.scheme, target.host, target.port) == (base.scheme, base.host, base.port)
    rest = path.removeprefix(root)
    return rest if same_origin and path.startswith(root) and rest[:1] in ("/", "?") else None


def outcome(answer: Any) -> str:
    """The first issue of an OperationOutcome, as its code; `no OperationOutcome` for anything else."""
    issues = answer.get("issue") if isinstance(answer, dict) else None
    if not isinstance(answer, dict) or answer.get("resourceType") != "OperationOutcome" or not isinstance(issues, list):
        return "no OperationOutcome"
    code = issues[0].get("code") if issues and isinstance(issues[0], dict) else None
    return code if isinstance(code, str) and _CODE.fullmatch(code) else "no code"


def numbers(identifiers: Iterable[Identifier] | None, system: str) -> list[str]:
    """The values of one system, separators removed."""
    return [_SEPARATORS.sub("", i.value) for i in identifiers or () if i.system == system and isinstance(i.value, str)]


def is_card(patient: Patient, systems: Systems) -> bool:
    """Whether the record is a card in a clinic, and no person alone or a record that was merged into another."""
    merged = any(link.type == "replaced-by" for link in patient.link or ())
    return not merged and bool(numbers(patient.identifier, systems.card) or patient.managingOrganization)


def card_of(
    patient: Patient, clinic: Organization | None, policies: Iterable[Coverage], systems: Systems
) -> RegistryCard:
    """The card that a Patient means, with what its clinic and its policies say."""
    card = next((i for i in patient.identifier or () if i.system == systems.card), None)
    names = patient.name or []
    name = next((name for name in names if name.use == "official"), names[0] if names else None)
    given = [_text(part) for part in (name.given or ())] if name is not None else []
    display = patient.managingOrganization.display if patient.managingOrganization is not None else None
    return RegistryCard(
        ref=str(patient.id),
        number=_text(card.value) if card is not None else "",
        clinic_name=_text(clinic.name) if clinic is not None and clinic.name else _text(display),
        clinic_address=_address(clinic),
        clinic_phone=_phone(clinic),
        last_name=_text(name.family) if name is not None else "",
        first_name=given[0] if given else "",
        patronymic=" ".join(given[1:]),
        birth_date=_day(patient.birthDate),
        snils=next(iter(numbers(patient.identifier, systems.snils)), ""),
        oms_policy=next(filter(None, (policy_number(policy, systems) for policy in policies)), ""),
        attached_since=_day(card.period.start) if card is not None and card.period is not None else None,
        active=patient.active is not False,
    )


def policy_number(coverage: Coverage, systems: Systems) -> str:
    """The 16 digits of an ОМС policy, from the identifier or else the insurer's id of the subscriber."""
    written = [*numbers(coverage.identifier, systems.policy), str(coverage.subscriberId or "")]
    return next((policy.digits for policy in map(OmsPolicy.read, written) if policy), "")


def _address(clinic: Organization | None) -> str:
    address = clinic.address[0] if clinic is not None and clinic.address else None
    if address is None:
        return ""
    return _text(address.text or ", ".join(filter(None, [address.postalCode, address.city, *(address.line or ())])))


def _phone(clinic: Organization | None) -> str:
    telecom = (clinic.telecom or ()) if clinic is not None else ()
    return next((_text(contact.value) for contact in telecom if contact.system == "phone"), "")


def _text(value: object) -> str:
    return " ".join(value.split())[:_LONGEST_TEXT] if isinstance(value, str) else ""


def _day(value: object) -> date | None:
    """A calendar date; FHIR allows a year or a month alone, which is no day."""
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else None
