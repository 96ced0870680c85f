"""The clinics and cards as FHIR R4 resources, each found by its id: Organization, Patient and Coverage."""

from __future__ import annotations

from typing import Any

from medonline.sandbox.cards import CARDS, CLINICS, DemoCard, DemoClinic

SNILS = "urn:oid:1.2.643.100.3"
POLICY = "urn:oid:1.2.643.2.69.1.1.1.6.228"
CARD = "urn:medonline:card"

Resource = dict[str, Any]


def _organization(clinic: DemoClinic) -> Resource:
    return {
        "resourceType": "Organization",
        "id": clinic.id,
        "active": True,
        "name": clinic.name,
        "telecom": [{"system": "phone", "value": clinic.phone, "use": "work"}],
        "address": [{"use": "work", "type": "physical", "text": clinic.address, "country": "RU"}],
    }


def _patient(card: DemoCard) -> Resource:
    person = card.person
    return {
        "resourceType": "Patient",
        "id": card.id,
        "identifier": [
            {
                "use": "usual",
                "system": CARD,
                "value": card.number,
                "period": {"start": card.attached_since.isoformat()},
            },
            {"use": "official", "system": SNILS, "value": person.snils},
        ],
        "active": card.active,
        "name": [{"use": "official", "family": person.last_name, "given": [person.first_name, person.patronymic]}],
        "gender": "male" if person.gender == "M" else "female",
        "birthDate": person.birth_date.isoformat(),
        "managingOrganization": {"reference": f"Organization/{card.clinic.id}", "display": card.clinic.name},
    }


def _coverage(card: DemoCard) -> Resource:
    policy = card.person.policy
    return {
        "resourceType": "Coverage",
        "id": card.id.replace("card", "policy"),
        "identifier": [{"system": POLICY, "value": policy}],
        "status": "active",
        "subscriberId": policy,
        "beneficiary": {"reference": f"Patient/{card.id}"},
        "payor": [{"display": "Учебная страховая компания"}],
    }


RESOURCES: dict[str, dict[str, Resource]] = {
    kind: {resource["id"]: resource for resource in made}
    for kind, made in (
        ("Organization", list(map(_organization, CLINICS))),
        ("Patient", list(map(_patient, CARDS))),
        ("Coverage", list(map(_coverage, CARDS))),
    )
}
# Search parameters that are references, each with the property that holds it.
REFERENCES = {
    ("Patient", "organization"): "managingOrganization",
    ("Coverage", "beneficiary"): "beneficiary",
    ("Coverage", "patient"): "beneficiary",
}


def has_identifier(resource: Resource, token: str) -> bool:
    """Whether a token search (`system|value` or `value`) finds the resource."""
    system, bar, value = token.rpartition("|")
    return any(
        identifier["value"] == value and (not bar or identifier["system"] == system)
        for identifier in resource.get("identifier", ())
    )


def refers_to(resource: Resource, parameter: str, target: str) -> bool:
    """Whether a reference search (`Kind/id` or `id`) finds the resource."""
    held = str(resource[REFERENCES[resource["resourceType"], parameter]]["reference"])
    return target in (held, held.partition("/")[2])


def included(found: list[Resource], wanted: str) -> list[Resource]:
    """The resources that `_include=Kind:parameter` adds."""
    kind, _, parameter = wanted.partition(":")
    held = REFERENCES[kind, parameter]
    targets = [resource[held]["reference"].split("/") for resource in found if resource["resourceType"] == kind]
    return [RESOURCES[kind_of][id_of] for kind_of, id_of in targets]


def reverse_included(found: list[Resource], wanted: str) -> list[Resource]:
    """The resources that `_revinclude=Kind:parameter` adds."""
    kind, _, parameter = wanted.partition(":")
    targets = [f"{resource['resourceType']}/{resource['id']}" for resource in found]
    return [
        resource
        for resource in RESOURCES[kind].values()
        if any(refers_to(resource, parameter, target) for target in targets)
    ]


def capabilities() -> Resource:
    """The CapabilityStatement."""
    parameters = {
        "Patient": {"_id": "token", "identifier": "token", "organization": "reference"},
        "Coverage": {"_id": "token", "identifier": "token", "beneficiary": "reference", "patient": "reference"},
        "Organization": {"_id": "token", "identifier": "token"},
    }
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2026-01-15",
        "kind": "instance",
        "implementation": {"description": "Учебный стенд: реестр медицинских карт с выдуманными людьми"},
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "rest": [
            {
                "mode": "server",
                "security": {"description": "Authorization: Bearer"},
                "resource": [
                    {
                        "type": kind,
                        "interaction": [{"code": "read"}, {"code": "search-type"}],
                        "searchParam": [{"name": name, "type": type_} for name, type_ in searches.items()],
                    }
                    for kind, searches in parameters.items()
                ],
            }
        ],
    }
