"""The registry of cards over FHIR: the stand-in over a socket, and answers written down as other servers give them."""

from __future__ import annotations

import copy
import json
import logging
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import date
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from medonline.domain.errors import RegistryUnavailable
from medonline.providers.patient_cards.fhir import FhirCards, Systems
from medonline.providers.patient_cards.fhir_mapping import path_below
from tests.patience import PATIENCE
from tests.sandbox.server import free_port, running_sandbox, settings

TOKEN = "fhir-token"
SNILS, POLICY = "00000070101", "7707850314000117"  # Соколов Дмитрий, two cards
BASE = "https://registry.test/fhir/r4"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[str]:
    with running_sandbox(settings(fhir_token=TOKEN, slow_answer=1.2)) as url:
        yield url


@pytest.fixture
async def registry(sandbox: str) -> AsyncIterator[FhirCards]:
    registry = FhirCards(f"{sandbox}/fhir", TOKEN)
    yield registry
    await registry.close()


@pytest.fixture
def switch(sandbox: str) -> Iterator[Callable[[str], None]]:
    def to(fault: str) -> None:
        httpx.put(f"{sandbox}/fhir-faults.json", json={"fault": fault}, trust_env=False).raise_for_status()

    yield to
    to("none")


# What the stand-in is asked over a socket.


async def test_a_card_has_everything_that_the_registry_knows(registry: FhirCards) -> None:
    (card,) = await registry.cards_by_snils("00000070303")

    assert (card.last_name, card.first_name, card.patronymic) == ("Иванова", "Мария", "Петровна")
    assert (card.birth_date, card.attached_since) == (date(1958, 5, 21), date(2001, 6, 4))
    assert (card.ref, card.number, card.snils, card.oms_policy) == (
        "card-1004", "МК-001004", "00000070303", "7707580521000317",
    )  # fmt: skip
    assert card.clinic_name.startswith("Городская поликлиника")
    assert card.clinic_address
    assert card.clinic_phone.startswith("8 (800)")
    assert card.active


async def test_a_person_has_as_many_cards_as_clinics(registry: FhirCards) -> None:
    by_snils = await registry.cards_by_snils(SNILS)
    by_policy = await registry.cards_by_policy(POLICY)

    assert by_snils == by_policy
    assert [(card.active, card.oms_policy) for card in by_snils] == [(True, POLICY), (False, POLICY)]
    assert len({card.clinic_name for card in by_snils}) == 2


async def test_a_child_is_found_by_policy(registry: FhirCards) -> None:
    (card,) = await registry.cards_by_policy("7707161005001210")

    assert (card.first_name, card.last_name) == ("Анна", "Соколова")


@pytest.mark.parametrize("snils", ["00000070404", "11111111111", "", "1|2", "*"])
async def test_a_person_without_cards_has_none(registry: FhirCards, snils: str) -> None:
    assert await registry.cards_by_snils(snils) == []


async def test_a_policy_that_nobody_has_finds_none(registry: FhirCards) -> None:
    assert await registry.cards_by_policy("7707000000000000") == []


async def test_one_card_is_read_by_its_ref(registry: FhirCards) -> None:
    first = (await registry.cards_by_snils(SNILS))[0]

    assert await registry.card(first.ref) == first


@pytest.mark.parametrize("ref", ["card-9999", "", ".", "..", "../Organization/clinic-1", "a?b", "ключ", "a" * 65])
async def test_a_card_that_is_not_there_is_none(registry: FhirCards, ref: str) -> None:
    assert await registry.card(ref) is None


async def test_pages_are_followed(sandbox: str) -> None:
    registry = FhirCards(f"{sandbox}/fhir", TOKEN, page_size=1)

    assert len(await registry.cards_by_snils(SNILS)) == 2
    assert len(await registry.cards_by_policy(POLICY)) == 2
    await registry.close()


async def test_check_says_that_the_token_is_taken(registry: FhirCards) -> None:
    assert "takes the token" in await registry.check()


async def test_a_wrong_token_is_unavailability_that_names_no_token(sandbox: str) -> None:
    registry = FhirCards(f"{sandbox}/fhir", "wrong-token")

    for asked in (registry.check(), registry.cards_by_snils(SNILS), registry.card("card-1001")):
        with pytest.raises(RegistryUnavailable, match="HTTP 401, login") as refused:
            await asked
        assert "wrong-token" not in str(refused.value)
    await registry.close()


@pytest.mark.parametrize("fault", ["down", "slow", "html", "garbage"])
async def test_every_fault_is_unavailability_and_passes(
    sandbox: str, switch: Callable[[str], None], fault: str
) -> None:
    registry = FhirCards(f"{sandbox}/fhir", TOKEN, timeout=0.1 if fault == "slow" else PATIENCE)
    switch(fault)
    for asked in (
        registry.cards_by_snils(SNILS), registry.cards_by_policy(POLICY), registry.card("card-1001"), registry.check(),
    ):  # fmt: skip
        with pytest.raises(RegistryUnavailable):
            await asked

    switch("none")
    if fault == "slow":
        await registry.close()
        registry = FhirCards(f"{sandbox}/fhir", TOKEN, timeout=PATIENCE)
    assert len(await registry.cards_by_snils(SNILS)) == 2
    await registry.close()


async def test_nobody_listening_is_unavailability() -> None:
    with pytest.raises(RegistryUnavailable):
        await FhirCards(f"http://127.0.0.1:{free_port()}/fhir", TOKEN).check()


async def test_nothing_personal_is_logged(sandbox: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    registry = FhirCards(f"{sandbox}/fhir", TOKEN, page_size=1)
    await registry.cards_by_snils(SNILS)
    await registry.cards_by_policy(POLICY)
    await registry.close()

    # The stand-in's server runs in this process.
    said = [record.getMessage() for record in caplog.records if not record.name.startswith("uvicorn")]
    assert said
    for secret in (SNILS, POLICY, TOKEN, "Соколов"):
        assert secret not in "".join(said)


# What other servers answer, written down.

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


async def test_spellings_of_other_servers_are_understood() -> None:
    server = Written(Patient___search=bundle(PATIENT, CLINIC, COVER))

    (card,) = await server.registry().cards_by_snils(SNILS)

    assert (card.number, card.snils, card.oms_policy) == ("А-17", SNILS, POLICY)
    assert (card.last_name, card.first_name, card.patronymic) == ("Соколов", "Дмитрий", "")
    assert (card.birth_date, card.attached_since) == (None, date(2019, 4, 1))
    assert (card.clinic_name, card.clinic_phone) == ("Поликлиника № 7", "8 (800) 000-00-07")
    assert card.clinic_address == "000001, Примерск, ул. Ленина, 1"
    assert card.active  # FHIR: active unless told otherwise


async def test_a_search_keeps_the_number_out_of_the_address_and_carries_the_token() -> None:
    server = Written(Patient___search=bundle(PATIENT, CLINIC, COVER))

    await server.registry().cards_by_snils(SNILS)

    (request,) = server.seen
    assert (request.method, str(request.url)) == ("POST", f"{BASE}/Patient/_search")
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert request.headers["Accept"] == "application/fhir+json"
    assert parse_qs(request.content.decode())["identifier"] == [f"urn:oid:1.2.643.100.3|{SNILS}"]


async def test_a_server_without_includes_is_asked_again_and_its_clinics_are_remembered() -> None:
    server = Written(
        Patient___search=bundle(PATIENT),
        Coverage___search=bundle(COVER),
        Organization__o1=CLINIC,
        Patient__p1=PATIENT,
    )
    registry = server.registry()

    (card,) = await registry.cards_by_snils(SNILS)
    again = await registry.cards_by_policy(POLICY)

    assert (card.clinic_name, card.oms_policy) == ("Поликлиника № 7", POLICY)
    assert again == [card]
    assert await registry.card("p1") == card
    assert [request.url.path for request in server.seen].count("/fhir/r4/Organization/o1") == 1


@pytest.mark.parametrize("clinic", [(404, outcome("not-found")), changed(CLINIC, name=7)])
async def test_a_clinic_that_cannot_be_used_is_named_by_the_reference(clinic: Any) -> None:
    server = Written(Patient___search=bundle(PATIENT, COVER), Organization__o1=clinic)

    (card,) = await server.registry().cards_by_snils(SNILS)

    assert (card.clinic_name, card.clinic_address, card.clinic_phone) == ("Поликлиника по ссылке", "", "")


async def test_a_lenient_server_that_answers_with_everybody_shows_nobody_elses_card() -> None:
    other = changed(PATIENT, id="p2", identifier=[{"system": Systems().snils, "value": "00000070202"}])
    cover = changed(COVER, id="c2", subscriberId="7707791102000218", beneficiary={"reference": "Patient/p2"})
    server = Written(
        Patient___search=bundle(PATIENT, other, CLINIC, COVER, cover),
        Coverage___search=bundle(COVER, cover, PATIENT, other, CLINIC),
    )

    assert [card.ref for card in await server.registry().cards_by_snils(SNILS)] == ["p1"]
    assert [card.ref for card in await server.registry().cards_by_policy(POLICY)] == ["p1"]


async def test_one_bad_record_is_passed_over_with_a_warning_that_quotes_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bad = changed(PATIENT, id="p2", birthDate="вчера")
    server = Written(Patient___search=bundle(bad, PATIENT, CLINIC, COVER, None, {"id": "x"}, outcome("informational")))

    cards = await server.registry().cards_by_snils(SNILS)

    assert [card.ref for card in cards] == ["p1"]
    assert "unusable Patient" in caplog.text
    assert "вчера" not in caplog.text
    assert "701 01" not in caplog.text


@pytest.mark.parametrize(
    "bad",
    [
        changed(PATIENT, birthDate="вчера"),
        changed(PATIENT, id=".."),
        changed(PATIENT, id=None),
        changed(PATIENT, name="Соколов"),
        changed(PATIENT, карта=1),
        changed(PATIENT, identifier=[{"system": ["x"]}]),
    ],
)
async def test_only_bad_records_are_unavailability_and_not_an_empty_list(bad: dict[str, Any]) -> None:
    server = Written(Patient___search=bundle(bad), Patient__p1=bad)

    for asked in (server.registry().cards_by_snils(SNILS), server.registry().card("p1")):
        with pytest.raises(RegistryUnavailable) as refused:
            await asked
        assert "Соколов" not in "".join(traceback.format_exception(refused.value))


@pytest.mark.parametrize(
    "changes",
    [
        {"link": [{"other": {"reference": "Patient/p2"}, "type": "replaced-by"}]},
        {"managingOrganization": None, "identifier": [PATIENT["identifier"][0]]},
    ],
)
async def test_a_merged_record_and_a_person_without_a_clinic_are_no_cards(changes: dict[str, Any]) -> None:
    record = {key: value for key, value in changed(PATIENT, **changes).items() if value is not None}
    server = Written(Patient___search=bundle(record), Patient__p1=record)

    assert await server.registry().cards_by_snils(SNILS) == []
    assert await server.registry().card("p1") is None


async def test_a_policy_entered_in_error_covers_nobody_and_an_active_one_goes_first() -> None:
    wrong = changed(COVER, id="c0", status="entered-in-error", subscriberId="1111111111111111")
    old = changed(COVER, id="c2", status="cancelled", subscriberId="2222222222222222")
    server = Written(Patient___search=bundle(PATIENT, CLINIC, wrong, old, COVER))

    (card,) = await server.registry().cards_by_snils(SNILS)

    assert card.oms_policy == POLICY


@pytest.mark.parametrize("status", [404, 410])
async def test_gone_in_fhirs_words_is_none_and_in_others_words_a_wrong_address(status: int) -> None:
    assert await Written(Patient__p1=(status, outcome("deleted"))).registry().card("p1") is None

    for words in ((status, {"message": "no route"}), httpx.Response(status, text="<html>")):
        with pytest.raises(RegistryUnavailable):
            await Written(Patient__p1=words).registry().card("p1")


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, text="<html>"),
        httpx.Response(200, text=""),
        httpx.Response(200, text='{"a":' * 5_000),
        httpx.Response(200, text="[" * 200_000),
        httpx.Response(200, text="null"),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={"resourceType": "Bundle", "entry": {"resource": {}}}),
        httpx.Response(200, json={"resourceType": "Bundle", "link": "next"}),
        httpx.Response(200, json=PATIENT),
        httpx.Response(200, json=outcome("processing")),
        httpx.Response(200, json={"padding": "0" * 3_000_000}),
        httpx.Response(301, headers={"Location": "https://elsewhere.test"}),
        httpx.Response(400, json={"resourceType": "OperationOutcome", "issue": [{"code": SNILS}]}),
        httpx.Response(403, json=outcome("forbidden")),
        httpx.Response(429, text="slow down"),
        httpx.Response(500, json=outcome("exception")),
    ],
)
async def test_only_unavailability_leaves_the_adapter(answer: httpx.Response) -> None:
    server = Written(Patient___search=answer, Coverage___search=answer, metadata=answer)

    for asked in ("cards_by_snils", "cards_by_policy"):
        with pytest.raises(RegistryUnavailable) as refused:
            await getattr(server.registry(), asked)(SNILS)
        assert SNILS not in "".join(traceback.format_exception(refused.value))
        assert refused.value.detail.startswith("fhir: ")
    with pytest.raises(RegistryUnavailable):
        await server.registry().check()


@pytest.mark.parametrize(
    "following",
    [
        "https://elsewhere.test/fhir/r4/Patient?page=2",
        "http://registry.test/fhir/r4/Patient?page=2",
        "https://registry.test:8443/fhir/r4/Patient?page=2",
        "https://registry.test/other/Patient?page=2",
        "https://registry.test/fhir/r4other?page=2",
        "//elsewhere.test/fhir/r4/Patient",
        "https://registry.test@elsewhere.test/fhir/r4/Patient",
        "file:///etc/passwd",
        "https://[",
    ],
)
async def test_a_next_page_elsewhere_is_never_fetched(following: str) -> None:
    server = Written(Patient___search=bundle(PATIENT, CLINIC, COVER, following=following))

    with pytest.raises(RegistryUnavailable, match="another place"):
        await server.registry().cards_by_snils(SNILS)

    assert len(server.seen) == 1


async def test_five_pages_are_read_and_no_more(caplog: pytest.LogCaptureFixture) -> None:
    pages = [bundle(changed(PATIENT, id=f"p{number}"), CLINIC, COVER, following="Patient?n=1") for number in range(9)]
    server = Written(Patient___search=pages[0], Patient=pages[1:])

    assert len(await server.registry().cards_by_snils(SNILS)) == 5
    assert len(server.seen) == 5
    assert "over 5 pages" in caplog.text


async def test_references_to_other_servers_are_not_followed() -> None:
    elsewhere = changed(PATIENT, managingOrganization={"reference": "https://elsewhere.test/fhir/r4/Organization/o1"})
    cover = changed(COVER, beneficiary={"reference": "https://elsewhere.test/fhir/r4/Patient/p1"})
    server = Written(Patient___search=bundle(elsewhere, cover), Coverage___search=bundle(cover))

    (card,) = await server.registry().cards_by_snils(SNILS)

    assert (card.clinic_name, card.oms_policy) == ("", "")
    assert await server.registry().cards_by_policy(POLICY) == []
    assert {request.url.host for request in server.seen} == {"registry.test"}


async def test_the_regions_own_systems_are_used() -> None:
    systems = Systems(snils="urn:x:s", policy="urn:x:p", card="urn:x:c")
    identifiers = [{"system": "urn:x:s", "value": SNILS}, {"system": "urn:x:c", "value": "17"}]
    server = Written(Patient___search=bundle(changed(PATIENT, identifier=identifiers), CLINIC, COVER))

    (card,) = await server.registry(systems=systems).cards_by_snils(SNILS)

    assert card.number == "17"
    assert b"urn%3Ax%3As%7C" in server.seen[0].content


@pytest.mark.parametrize("version", ["3.0.2", "5.0.0", None, 4])
async def test_check_refuses_another_version_of_fhir(version: object) -> None:
    server = Written(metadata={"resourceType": "CapabilityStatement", "fhirVersion": version})

    with pytest.raises(RegistryUnavailable, match="R4"):
        await server.registry().check()


def test_links_are_cut_to_what_stands_behind_the_base_url() -> None:
    assert path_below(BASE, f"{BASE}?_getpages=1") == "?_getpages=1"
    assert path_below(BASE, f"{BASE}/Patient?a=%7Cb#c") == "/Patient?a=%7Cb"
    assert path_below(BASE, "Patient?page=2") == "/Patient?page=2"
    assert path_below("http://r.test", "http://R.test:80/Patient") == "/Patient"
    assert path_below(BASE, BASE) is None
