"""A registry of answers that are written down, and a card of it as other servers spell it."""

from __future__ import annotations

import copy
import json
from typing import Any

import httpx

from medonline.providers.patient_cards.fhir import FhirCards

TOKEN = "fhir-token"
SNILS, POLICY = "00000070101", "7707850314000117"  # Соколов Дмитрий, two cards
BASE = "https://registry.test/fhir/r4"

PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "p1",
    "meta": {"versionId": "3"},
    "identifier": [
        {"system": "urn:oid:1.2.643.100.3", "value": "000-000-701 01"},
        {"system": "urn:medonline:card", "value": " А-17 ", "period": {"start": "2019-04-01T10:00:00+03:00"}},
    ],
    "name": [{"use": "nickname", "given": ["Дима"]}, {"use": "official", "family": "Соколов", "given": ["Дмитрий"]}],
    "birthDate": "1985",
    "managingOrganization": {"reference": f"{BASE}/Organization/o1", "display": "Поликлиника по ссылке"},
}
CLINIC: dict[str, Any] = {
    "resourceType": "Organization",
    "id": "o1",
    "name": "Поликлиника  №\n7",
    "telecom": [{"system": "email", "value": "a@example.com"}, {"system": "phone", "value": "8 (800) 000-00-07"}],
    "address": [{"line": ["ул. Ленина, 1"], "city": "Примерск", "postalCode": "000001"}],
}
COVER: dict[str, Any] = {
    "resourceType": "Coverage",
    "id": "c1",
    "status": "active",
    "subscriberId": "7707 8503 1400 0117",
    "beneficiary": {"reference": "Patient/p1/_history/3"},
    "payor": [{"display": "СМО"}],
}


def bundle(*resources: Any, following: str | None = None) -> dict[str, Any]:
    links = [{"relation": "self", "url": f"{BASE}/Patient"}]
    links += [{"relation": "next", "url": following}] if following else []
    entries = [{"resource": resource} for resource in resources]
    return {"resourceType": "Bundle", "type": "searchset", "link": links} | ({"entry": entries} if entries else {})


def outcome(code: str) -> dict[str, Any]:
    return {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": code}]}


class Written:
    """A server of prepared answers, by method and path; a list is answered in turn, the last one for ever."""

    def __init__(self, **answers: Any) -> None:
        self.answers = {key.replace("__", "/"): value for key, value in answers.items()}
        self.seen: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        answer = self.answers.get(request.url.path.removeprefix("/fhir/r4/"), (404, outcome("not-found")))
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if isinstance(answer, httpx.Response):
            return answer
        status, body = answer if isinstance(answer, tuple) else (200, answer)
        return httpx.Response(status, content=json.dumps(body), headers={"Content-Type": "application/fhir+json"})

    def registry(self, **options: Any) -> FhirCards:
        return FhirCards(f"{BASE}/", TOKEN, transport=httpx.MockTransport(self), **options)


def changed(resource: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return copy.deepcopy(resource) | changes
