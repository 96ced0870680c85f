"""The registry of cards over FHIR: the stand-in over a socket, and answers written down as other servers give them."""

from __future__ import annotations

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
from medonline.providers.patient_cards.fhir_bundle import Bases
from medonline.services.ports import FoundCards
from tests.patience import PATIENCE
from tests.providers.patient_cards.written import (
    BASE,
    CLINIC,
    COVER,
    PATIENT,
    POLICY,
    SNILS,
    TOKEN,
    Written,
    bundle,
    changed,
    outcome,
)
from tests.sandbox.server import free_port, running_sandbox, settings


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
    (card,) = (await registry.cards_by_snils("00000070303")).cards

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
    assert [(card.active, card.oms_policy) for card in by_snils.cards] == [(True, POLICY), (False, POLICY)]
    assert len({card.clinic_name for card in by_snils.cards}) == 2


async def test_a_child_is_found_by_policy(registry: FhirCards) -> None:
    (card,) = (await registry.cards_by_policy("7707161005001210")).cards

    assert (card.first_name, card.last_name) == ("Анна", "Соколова")


@pytest.mark.parametrize("snils", ["00000070404", "11111111111", "", "1|2", "*"])
async def test_a_person_without_cards_has_none(registry: FhirCards, snils: str) -> None:
    assert await registry.cards_by_snils(snils) == FoundCards()


async def test_a_policy_that_nobody_has_finds_none(registry: FhirCards) -> None:
    assert await registry.cards_by_policy("7707000000000000") == FoundCards()


async def test_one_card_is_read_by_its_ref(registry: FhirCards) -> None:
    first = (await registry.cards_by_snils(SNILS)).cards[0]

    assert await registry.card(first.ref) == FoundCards((first,))


@pytest.mark.parametrize("ref", ["card-9999", "", ".", "..", "../Organization/clinic-1", "a?b", "ключ", "a" * 65])
async def test_a_card_that_is_not_there_is_none(registry: FhirCards, ref: str) -> None:
    assert await registry.card(ref) == FoundCards()


async def test_pages_are_followed(sandbox: str) -> None:
    registry = FhirCards(f"{sandbox}/fhir", TOKEN, page_size=1)

    assert len((await registry.cards_by_snils(SNILS)).cards) == 2
    assert len((await registry.cards_by_policy(POLICY)).cards) == 2
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
    assert len((await registry.cards_by_snils(SNILS)).cards) == 2
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


async def test_spellings_of_other_servers_are_understood() -> None:
    server = Written(Patient___search=bundle(PATIENT, CLINIC, COVER))

    (card,) = (await server.registry().cards_by_snils(SNILS)).cards

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

    (card,) = (await registry.cards_by_snils(SNILS)).cards
    again = await registry.cards_by_policy(POLICY)

    assert (card.clinic_name, card.oms_policy) == ("Поликлиника № 7", POLICY)
    assert again == FoundCards((card,))
    assert await registry.card("p1") == FoundCards((card,))
    assert [request.url.path for request in server.seen].count("/fhir/r4/Organization/o1") == 1


@pytest.mark.parametrize("clinic", [(404, outcome("not-found")), changed(CLINIC, id="o2"), PATIENT])
async def test_a_clinic_that_cannot_be_used_is_named_by_the_reference(clinic: Any) -> None:
    server = Written(Patient___search=bundle(PATIENT, COVER), Organization__o1=clinic)

    (card,) = (await server.registry().cards_by_snils(SNILS)).cards

    assert (card.clinic_name, card.clinic_address, card.clinic_phone) == ("Поликлиника по ссылке", "", "")


async def test_a_clinic_with_an_unreadable_name_keeps_its_address_and_phone() -> None:
    server = Written(Patient___search=bundle(PATIENT, COVER), Organization__o1=changed(CLINIC, name=7))

    (card,) = (await server.registry().cards_by_snils(SNILS)).cards

    assert (card.clinic_name, card.clinic_phone) == ("Поликлиника по ссылке", "8 (800) 000-00-07")
    assert card.clinic_address


async def test_a_lenient_server_that_answers_with_everybody_shows_nobody_elses_card() -> None:
    other = changed(PATIENT, id="p2", identifier=[{"system": Systems().snils[0], "value": "00000070202"}])
    cover = changed(COVER, id="c2", subscriberId="7707791102000218", beneficiary={"reference": "Patient/p2"})
    server = Written(
        Patient___search=bundle(PATIENT, other, CLINIC, COVER, cover),
        Coverage___search=bundle(COVER, cover, PATIENT, other, CLINIC),
    )

    assert [card.ref for card in (await server.registry().cards_by_snils(SNILS)).cards] == ["p1"]
    assert [card.ref for card in (await server.registry().cards_by_policy(POLICY)).cards] == ["p1"]


async def test_one_bad_record_is_passed_over_with_a_warning_that_quotes_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bad = changed(PATIENT, id="p2", birthDate="вчера")
    server = Written(Patient___search=bundle(bad, PATIENT, CLINIC, COVER, None, {"id": "x"}, outcome("informational")))

    found = await server.registry().cards_by_snils(SNILS)

    assert ([card.ref for card in found.cards], found.left_out) == (["p1"], 2)
    assert "a Patient that cannot be used (Patient.birthDate: no date)" in caplog.text
    assert "вчера" not in caplog.text
    assert "701 01" not in caplog.text


@pytest.mark.parametrize(
    "bad",
    [
        changed(PATIENT, birthDate="вчера"),
        changed(PATIENT, id=".."),
        changed(PATIENT, id=None),
        changed(PATIENT, identifier=[{"system": ["x"]}, PATIENT["identifier"][1]]),
        7,
    ],
)
async def test_only_bad_records_are_an_answer_in_part_and_not_an_empty_list(
    bad: Any, caplog: pytest.LogCaptureFixture
) -> None:
    assert await Written(Patient___search=bundle(bad)).registry().cards_by_snils(SNILS) == FoundCards((), 1)
    assert "Соколов" not in caplog.text


@pytest.mark.parametrize(
    "bad", [changed(PATIENT, birthDate="вчера"), changed(PATIENT, id=".."), changed(PATIENT, id="p2")]
)
async def test_a_card_that_is_there_and_cannot_be_read_is_not_gone(bad: dict[str, Any]) -> None:
    assert await Written(Patient__p1=bad).registry().card("p1") == FoundCards((), 1)


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

    assert await server.registry().cards_by_snils(SNILS) == FoundCards()
    assert await server.registry().card("p1") == FoundCards()


async def test_a_policy_entered_in_error_covers_nobody_and_an_active_one_goes_first() -> None:
    wrong = changed(COVER, id="c0", status="entered-in-error", subscriberId="1111111111111111")
    old = changed(COVER, id="c2", status="cancelled", subscriberId="2222222222222222")
    server = Written(Patient___search=bundle(PATIENT, CLINIC, wrong, old, COVER))

    (card,) = (await server.registry().cards_by_snils(SNILS)).cards

    assert card.oms_policy == POLICY


@pytest.mark.parametrize("status", [404, 410])
async def test_gone_in_fhirs_words_is_none_and_in_others_words_a_wrong_address(status: int) -> None:
    assert await Written(Patient__p1=(status, outcome("deleted"))).registry().card("p1") == FoundCards()

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
    ("following", "asked"),
    [
        ("https://elsewhere.test/fhir/r4/Patient?page=2", "/fhir/r4/Patient?page=2"),
        ("http://registry.test/fhir/r4/Patient?page=2", "/fhir/r4/Patient?page=2"),
        ("https://registry.test:8443/fhir/r4/Patient?page=2", "/fhir/r4/Patient?page=2"),
        ("https://registry.test/other/Patient?page=2", "/fhir/r4/Patient?page=2"),
        ("//elsewhere.test/fhir/r4/Patient", "/fhir/r4/Patient"),
        ("https://registry.test@elsewhere.test/fhir/r4/Patient", "/fhir/r4/Patient"),
        ("https://registry.test/fhir/r4other?page=2", None),
        ("https://registry.test/fhir/r4/%2e%2e/admin", None),
        ("file:///etc/passwd", None),
        ("https://[", None),
    ],
)
async def test_a_next_page_elsewhere_is_asked_for_here_or_left_out(following: str, asked: str | None) -> None:
    more = bundle(changed(PATIENT, id="p2"))
    server = Written(Patient___search=bundle(PATIENT, CLINIC, COVER, following=following), Patient=more)

    found = await server.registry().cards_by_snils(SNILS)

    assert (len(found.cards), found.left_out) == ((2, 0) if asked else (1, 1))
    assert [request.url.raw_path.decode() for request in server.seen[1:]] == ([asked] if asked else [])
    assert {(request.url.scheme, request.url.netloc) for request in server.seen} == {("https", b"registry.test")}


async def test_five_pages_are_read_and_no_more(caplog: pytest.LogCaptureFixture) -> None:
    pages = [bundle(changed(PATIENT, id=f"p{number}"), CLINIC, COVER, following="Patient?n=1") for number in range(9)]
    server = Written(Patient___search=pages[0], Patient=pages[1:])

    found = await server.registry().cards_by_snils(SNILS)
    assert (len(found.cards), found.left_out) == (5, 1)
    assert len(server.seen) == 5
    assert "over 5 pages" in caplog.text


async def test_references_to_other_servers_are_not_followed() -> None:
    elsewhere = changed(PATIENT, managingOrganization={"reference": "https://elsewhere.test/fhir/r4/Organization/o1"})
    cover = changed(COVER, beneficiary={"reference": "https://elsewhere.test/fhir/r4/Patient/p1"})
    server = Written(Patient___search=bundle(elsewhere, cover), Coverage___search=bundle(cover))

    (card,) = (await server.registry().cards_by_snils(SNILS)).cards

    assert (card.clinic_name, card.oms_policy) == ("", "")
    assert await server.registry().cards_by_policy(POLICY) == FoundCards((), 1)
    assert {request.url.host for request in server.seen} == {"registry.test"}


async def test_the_regions_own_systems_are_used() -> None:
    systems = Systems(snils=("urn:x:s",), policy=("urn:x:p",), card=("urn:x:c",))
    identifiers = [{"system": "urn:x:s", "value": SNILS}, {"system": "urn:x:c", "value": "17"}]
    server = Written(Patient___search=bundle(changed(PATIENT, identifier=identifiers), CLINIC, COVER))

    (card,) = (await server.registry(systems=systems).cards_by_snils(SNILS)).cards

    assert card.number == "17"
    assert b"urn%3Ax%3As%7C" in server.seen[0].content


@pytest.mark.parametrize("version", ["3.0.2", "5.0.0", None, 4])
async def test_check_refuses_another_version_of_fhir(version: object) -> None:
    server = Written(metadata={"resourceType": "CapabilityStatement", "fhirVersion": version})

    with pytest.raises(RegistryUnavailable, match="R4"):
        await server.registry().check()


def test_links_are_cut_to_what_comes_after_the_base_url() -> None:
    here = Bases(BASE)

    assert here.path_of(f"{BASE}?_getpages=1", "Patient") == "?_getpages=1"
    assert here.path_of(f"{BASE}/Patient?a=%7Cb#c", "Patient") == "/Patient?a=%7Cb"
    assert here.path_of("Patient?page=2", "Patient") == "/Patient?page=2"
    assert Bases("http://r.test").path_of("http://R.test:80/Patient", "Patient") == "/Patient"
    assert here.path_of(BASE, "Patient") is None
