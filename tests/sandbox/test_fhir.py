"""The stand-in of the registry of cards: a FHIR R4 server by the standard, with a switch for what goes wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.capabilitystatement import CapabilityStatement
from fhir.resources.R4B.coverage import Coverage
from fhir.resources.R4B.operationoutcome import OperationOutcome
from fhir.resources.R4B.organization import Organization
from fhir.resources.R4B.patient import Patient

from medonline.domain.oms_policy import OmsPolicy
from medonline.sandbox.cards import CARDS, CLINICS
from medonline.sandbox.people import PEOPLE
from tests.patience import PATIENCE
from tests.sandbox.server import running_sandbox, settings

TOKEN = "fhir-token"
SYSTEM, POLICY_SYSTEM = "urn:oid:1.2.643.100.3", "urn:oid:1.2.643.2.69.1.1.1.6.228"
SOKOLOV = f"{SYSTEM}|00000070101"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_sandbox(settings(fhir_token=TOKEN, store=tmp_path_factory.mktemp("fhir") / "store.sqlite3")) as url:
        yield url


@pytest.fixture
async def fhir(url: str) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(base_url=f"{url}/fhir", headers=headers, trust_env=False, timeout=PATIENCE) as client:
        yield client


@pytest.fixture
async def stand(url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=PATIENCE) as client:
        yield client
        await client.put("/fhir-faults.json", json={"fault": "none"})


async def searched(fhir: httpx.AsyncClient, path: str, **parameters: str) -> dict[str, Any]:
    answer = await fhir.get(path, params=parameters)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/fhir+json")
    bundle: dict[str, Any] = answer.json()
    Bundle.model_validate(bundle)
    return bundle


def ids(bundle: dict[str, Any], mode: str = "match") -> list[str]:
    entries = bundle.get("entry", [])
    return [f"{e['resource']['resourceType']}/{e['resource']['id']}" for e in entries if e["search"]["mode"] == mode]


async def test_the_statement_of_capabilities_is_open_and_valid(stand: httpx.AsyncClient) -> None:
    answer = await stand.get("/fhir/metadata")

    assert answer.headers["Content-Type"] == "application/fhir+json"
    assert CapabilityStatement.model_validate(answer.json()).fhirVersion == "4.0.1"


@pytest.mark.parametrize(
    ("kind", "model", "count"),
    [("Patient", Patient, len(CARDS)), ("Coverage", Coverage, len(CARDS)), ("Organization", Organization, 3)],
)
async def test_every_resource_is_valid_and_can_be_read(
    fhir: httpx.AsyncClient, kind: str, model: type[Patient | Coverage | Organization], count: int
) -> None:
    entries = (await searched(fhir, f"/{kind}", _count="100"))["entry"]

    assert len(entries) == count
    for entry in entries:
        model.model_validate(entry["resource"])
        assert (await fhir.get(entry["fullUrl"])).json() == entry["resource"]


@pytest.mark.parametrize("authorization", [None, "Bearer wrong", "Basic fhir-token", "fhir-token"])
@pytest.mark.parametrize("path", ["/Patient", "/Patient/card-1001", "/Coverage?identifier=1", "/Nothing"])
async def test_a_stranger_gets_401(stand: httpx.AsyncClient, path: str, authorization: str | None) -> None:
    answer = await stand.get(f"/fhir{path}", headers={"Authorization": authorization} if authorization else {})

    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert OperationOutcome.model_validate(answer.json()).issue[0].code == "login"


@pytest.mark.parametrize("path", ["/Patient/card-9999", "/Observation", "/Observation/1", "/Patient/clinic-1"])
async def test_what_is_not_there_is_an_operation_outcome(fhir: httpx.AsyncClient, path: str) -> None:
    answer = await fhir.get(path)

    assert answer.status_code == 404
    OperationOutcome.model_validate(answer.json())


async def test_a_search_by_snils_brings_clinics_and_policies(fhir: httpx.AsyncClient) -> None:
    bundle = await searched(
        fhir, "/Patient", identifier=SOKOLOV, _include="Patient:organization", _revinclude="Coverage:beneficiary"
    )

    assert bundle["total"] == 2
    assert ids(bundle) == ["Patient/card-1001", "Patient/card-1002"]
    assert sorted(ids(bundle, "include")) == [
        "Coverage/policy-1001", "Coverage/policy-1002", "Organization/clinic-1", "Organization/clinic-3",
    ]  # fmt: skip


async def test_a_search_by_policy_brings_the_cards_and_their_clinics(fhir: httpx.AsyncClient) -> None:
    form = {
        "identifier": f"{POLICY_SYSTEM}|7707161005001210",
        "_include": "Coverage:beneficiary",
        "_include:iterate": "Patient:organization",
    }
    bundle = (await fhir.post("/Coverage/_search", data=form)).json()

    assert ids(bundle) == ["Coverage/policy-1012"]
    assert ids(bundle, "include") == ["Patient/card-1012", "Organization/clinic-2"]


@pytest.mark.parametrize(
    ("path", "parameters", "found"),
    [
        ("/Coverage", {"beneficiary": "Patient/card-1003"}, ["Coverage/policy-1003"]),
        ("/Coverage", {"patient": "card-1003"}, ["Coverage/policy-1003"]),
        ("/Patient", {"organization": "Organization/clinic-2"}, ["Patient/card-1007", "Patient/card-1012"]),
        ("/Patient", {"_id": "card-1003"}, ["Patient/card-1003"]),
        ("/Patient", {"identifier": "00000070202"}, ["Patient/card-1003"]),
        ("/Patient", {"identifier": f"{POLICY_SYSTEM}|00000070202"}, []),
        ("/Patient", {"identifier": f"{SYSTEM}|00000070404"}, []),
    ],
)
async def test_other_searches(fhir: httpx.AsyncClient, path: str, parameters: dict[str, str], found: list[str]) -> None:
    assert ids(await searched(fhir, path, **parameters)) == found


async def test_pages_lead_to_one_another_and_keep_what_was_asked(fhir: httpx.AsyncClient) -> None:
    seen: list[str] = []
    bundle = await searched(fhir, "/Patient", _count="5", _include="Patient:organization")
    while True:
        seen += ids(bundle)
        assert ids(bundle, "include")
        following = [link["url"] for link in bundle["link"] if link["relation"] == "next"]
        if not following:
            break
        bundle = (await fhir.get(following[0])).json()

    assert seen == [f"Patient/{card.id}" for card in CARDS]


@pytest.mark.parametrize(
    "parameters",
    [{"name": "Соколов"}, {"_count": "-1"}, {"_offset": "x"}, {"_include": "Patient:link"}, {"_revinclude": "*"}],
)
async def test_a_search_that_is_not_understood_is_refused_without_its_values(
    fhir: httpx.AsyncClient, parameters: dict[str, str]
) -> None:
    answer = await fhir.get("/Patient", params=parameters)

    assert answer.status_code == 400
    OperationOutcome.model_validate(answer.json())
    assert "Соколов" not in answer.text


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "PATCH"])
async def test_nothing_can_be_changed(fhir: httpx.AsyncClient, method: str) -> None:
    assert (await fhir.request(method, "/Patient/card-1001")).status_code == 405


async def test_without_a_token_in_the_settings_there_is_no_registry() -> None:
    with running_sandbox(settings()) as url:
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=PATIENCE) as stand:
            for path in ("/fhir/metadata", "/fhir-faults", "/fhir-faults.json"):
                assert (await stand.get(path)).status_code == 404


@pytest.mark.parametrize(
    ("fault", "status", "media_type"),
    [("down", 503, "application/fhir+json"), ("html", 200, "text/html"), ("garbage", 200, "application/fhir+json")],
)
async def test_a_fault_is_switched_on_and_off(
    stand: httpx.AsyncClient, fhir: httpx.AsyncClient, fault: str, status: int, media_type: str
) -> None:
    assert (await stand.put("/fhir-faults.json", json={"fault": fault})).json() == {"fault": fault}
    answer = await fhir.get("/Patient")
    assert (answer.status_code, answer.headers["Content-Type"].split(";")[0]) == (status, media_type)

    await stand.put("/fhir-faults.json", json={"fault": "none"})
    assert (await fhir.get("/Patient")).json()["total"] == len(CARDS)


async def test_a_slow_registry_answers_in_the_end(stand: httpx.AsyncClient, fhir: httpx.AsyncClient) -> None:
    await stand.put("/fhir-faults.json", json={"fault": "slow"})

    answer = await fhir.get("/Patient")

    assert answer.elapsed.total_seconds() > 0.4
    assert answer.json()["total"] == len(CARDS)


async def test_the_form_shows_and_switches_the_fault(stand: httpx.AsyncClient) -> None:
    answer = await stand.post("/fhir-faults", data={"fault": "down"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "fhir-faults")

    shown = await stand.get("/fhir-faults")
    # With no-referrer a browser leaves the Origin out of the form, and the portal's boundary refuses it.
    assert shown.headers["Referrer-Policy"] == "same-origin"
    page = shown.text
    assert "Учебный стенд" in page
    assert 'value="down" checked' in page
    assert page.count("checked") == 1
    assert "<script" not in page


@pytest.mark.parametrize("body", ["", "{", "[]", '{"fault": "fire"}', '{"fault": 1}', '{"fault": ["none"]}'])
async def test_an_unknown_fault_changes_nothing(stand: httpx.AsyncClient, body: str) -> None:
    await stand.put("/fhir-faults.json", json={"fault": "html"})

    assert (await stand.put("/fhir-faults.json", content=body)).status_code == 400
    assert (await stand.post("/fhir-faults", data={"fault": "fire"})).status_code == 400
    assert (await stand.get("/fhir-faults.json")).json() == {"fault": "html"}


async def test_a_fault_outlives_a_restart(tmp_path: Path) -> None:
    chosen = settings(fhir_token=TOKEN, store=tmp_path / "store.sqlite3")
    with running_sandbox(chosen) as url:
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=PATIENCE) as stand:
            await stand.put("/fhir-faults.json", json={"fault": "down"})
    with running_sandbox(chosen) as url:
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=PATIENCE) as stand:
            assert (await stand.get("/fhir-faults.json")).json() == {"fault": "down"}


def test_everyone_but_one_has_a_card_and_one_has_a_closed_one_too() -> None:
    holders = [card.person.snils for card in CARDS]
    without = [person.last_name for person in PEOPLE if person.snils not in holders]

    assert without == ["Новикова"]
    assert [card.person.first_name for card in CARDS if not card.active] == ["Дмитрий"]
    assert len(CARDS) == len(set(holders)) + 1 == len({card.number for card in CARDS})
    assert all(card.attached_since > card.person.birth_date for card in CARDS)


def test_the_made_up_data_looks_right_and_reaches_nobody() -> None:
    assert all(OmsPolicy(card.person.policy).has_right_check_digit for card in CARDS)
    assert all(clinic.phone.startswith("8 (800) 000-") for clinic in CLINICS)
