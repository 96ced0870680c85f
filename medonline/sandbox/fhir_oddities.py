"""Correct answers in the odd forms that real registries use. Each oddity changes a resource or a whole Bundle, but no fact in it."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Callable
from typing import Any

from medonline.sandbox.fhir_faults import Fault
from medonline.sandbox.fhir_resources import Resource

INNER_BASE = "http://registry-7.inner.example:8080/fhir"


def odd_resource(fault: Fault, resource: Resource) -> Resource:
    """One resource with this oddity. Unchanged if the oddity does not concern it."""
    change = _RESOURCES.get(fault)
    return change(copy.deepcopy(resource)) if change is not None else resource


def odd_bundle(fault: Fault, bundle: Resource, base: str) -> Resource:
    """The answer to a search with this oddity. `base` is the address at which the registry is asked."""
    entries = [entry | {"resource": odd_resource(fault, entry["resource"])} for entry in bundle.get("entry", [])]
    odd = bundle | ({"entry": entries} if entries else {})
    if fault is Fault.NULLS:
        return (
            {"entry": None, "meta": None, "id": ""}
            | odd
            | {"link": [*odd["link"], None, {"relation": "next", "url": None}]}
        )
    if fault is Fault.INNER_HOST:
        renamed: Resource = _renamed(odd, base)
        return renamed
    return _by_uuid(odd) if fault is Fault.REFERENCES else odd


def _with_nulls(resource: Resource) -> Resource:
    return {"meta": None, "text": "", "extension": None, "telecom": None, "contained": [], "link": None} | resource


def _with_odd_unused(resource: Resource) -> Resource:
    resource["meta"] = {"lastUpdated": "2026-01-01T10:00:00", "versionId": 7}
    resource["карта"] = True
    resource["language"] = ""
    return resource


def _otherwise_spelled(resource: Resource) -> Resource:
    if resource["resourceType"] == "Organization":
        digits = "".join(filter(str.isdigit, resource["telecom"][0]["value"]))
        ended = {"system": "phone", "value": "8 (800) 000-99-99", "period": {"end": "2020-01-01"}}
        resource["telecom"] = [ended, {"system": "phone", "value": int(digits)}]
    if resource["resourceType"] == "Patient":
        name = resource["name"][0]
        resource["birthDate"] += "T00:00:00"
        whole = " ".join([name["family"], *name["given"]])
        resource["name"] = [{"use": "old", "family": "Прежняя"}, {"use": "official", "family": None, "text": whole}]
    return resource


def _unreadable_where_even(resource: Resource) -> Resource:
    if resource["resourceType"] == "Patient" and int(resource["id"][-1]) % 2 == 0:
        resource["birthDate"] = "в марте"
    return resource


def _by_uuid(bundle: Resource) -> Resource:
    """Refer to clinics by the `urn:uuid` of their entry."""
    entries = copy.deepcopy(bundle.get("entry", []))
    names: dict[str, str] = {}
    for entry in entries:
        if entry["resource"]["resourceType"] == "Organization":
            entry["fullUrl"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, entry['resource']['id'])}"
            names[f"Organization/{entry['resource'].pop('id')}"] = entry["fullUrl"]
    for entry in entries:
        clinic = entry["resource"].get("managingOrganization")
        if clinic is not None:
            clinic["reference"] = names.get(clinic["reference"], clinic["reference"])
    return bundle | ({"entry": entries} if entries else {})


def _renamed(value: Any, base: str) -> Any:
    """Replace every address of the registry with its internal name."""
    if isinstance(value, dict):
        return {name: _renamed(member, base) for name, member in value.items()}
    if isinstance(value, list):
        return [_renamed(member, base) for member in value]
    return INNER_BASE + value.removeprefix(base) if isinstance(value, str) and value.startswith(base) else value


_RESOURCES: dict[Fault, Callable[[Resource], Resource]] = {
    Fault.NULLS: _with_nulls,
    Fault.UNUSED: _with_odd_unused,
    Fault.SPELLINGS: _otherwise_spelled,
    Fault.PART: _unreadable_where_even,
}
