"""Records of registries as they are: what is not used may be anything, what is used is read in its spellings, and what cannot be
read is counted and named without its value.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest

from medonline.domain.errors import RegistryUnavailable
from medonline.services.ports import FoundCards, RegistryCard
from tests.providers.patient_cards.written import (
    BASE,
    CLINIC,
    COVER,
    PATIENT,
    POLICY,
    SNILS,
    Written,
    bundle,
    changed,
    outcome,
)

NOW = datetime(2026, 11, 29, 9, 0, tzinfo=UTC)
WHOLE = changed(PATIENT, birthDate="1985-03-14", name=[{"family": "Соколов", "given": ["Дмитрий", "Иванович"]}])


async def found(*resources: Any, **answers: Any) -> FoundCards:
    server = Written(**{"Patient___search": bundle(*resources)} | answers)
    return await server.registry(clock=lambda: NOW).cards_by_snils(SNILS)


async def card_of(patient: dict[str, Any], clinic: dict[str, Any] = CLINIC, cover: Any = COVER) -> RegistryCard:
    answer = await found(patient, clinic, cover)
    assert answer.left_out == 0
    (card,) = answer.cards
    return card


# --- what is not used -------------------------------------------------------------------------------------------

UNUSED: list[dict[str, Any]] = [
    {"meta": {"lastUpdated": "2026-01-01T10:00:00"}},
    {"meta": {"lastUpdated": "вчера", "versionId": 7}},
    {"meta": "нет"},
    {"карта": True},
    {"unknownElement": [1, None, {"a": []}]},
    {"gender": "м"},
    {"gender": ""},
    {"maritalStatus": []},
    {"deceasedBoolean": "false"},
    {"multipleBirthInteger": "1"},
    {"photo": [{"data": 7}]},
    {"text": "<div>"},
    {"implicitRules": 1},
    {"language": ""},
    {"extension": {"url": None}},
    {"_birthDate": None},
    {"communication": "ru"},
    {"generalPractitioner": {"reference": 5}},
    {"telecom": [{"system": "phone", "value": 89000000007}]},
    {"active": None},
    {"link": [{"type": None}]},
]


@pytest.mark.parametrize("odd", UNUSED, ids=str)
async def test_a_malformed_element_that_is_not_used_costs_nothing(odd: dict[str, Any]) -> None:
    assert await card_of(WHOLE | odd) == await card_of(WHOLE)


@pytest.mark.parametrize(
    "odd", [{"status": 7}, {"order": "1"}, {"payor": []}, {"period": "2020"}, {"meta": 1}, {"id": None}]
)
async def test_the_same_for_a_policy(odd: dict[str, Any]) -> None:
    assert (await card_of(WHOLE, cover=COVER | odd)).oms_policy == POLICY


@pytest.mark.parametrize(
    "odd", [{"active": "да"}, {"type": 5}, {"alias": None}, {"partOf": {"reference": 1}}, {"meta": []}]
)
async def test_the_same_for_a_clinic(odd: dict[str, Any]) -> None:
    card = await card_of(WHOLE, CLINIC | odd)
    assert (card.clinic_name, card.clinic_phone) == ("Поликлиника № 7", "8 (800) 000-00-07")


# --- what is used, in its spellings -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "written",
    [
        "1985-03-14",
        "1985-03-14T00:00:00",
        "1985-03-14T00:00:00Z",
        "1985-03-14T00:00:00+03:00",
        "1985-03-14T00:00:00+1000",
        "1985-03-14 00:00",
        "1985-03-13T21:00:00Z",
        "1985-03-13T21:00:00.000Z",
        "1985-03-14T00:00:00.0000000",
        "14.03.1985",
        " 1985-03-14 ",
        "\u200e1985-03-14",
        "1985\u201303\u201314",
    ],
)
async def test_a_birth_date_is_read(written: str) -> None:
    assert (await card_of(changed(WHOLE, birthDate=written))).birth_date == date(1985, 3, 14)


@pytest.mark.parametrize("written", ["1985", "1985-03", None, ""])
async def test_a_birth_date_of_which_no_day_is_known_is_none(written: str | None) -> None:
    assert (await card_of(changed(WHOLE, birthDate=written))).birth_date is None


@pytest.mark.parametrize(
    "written", ["вчера", "1985-02-30", "31.02.1985", 19850314, True, "1985-3", {"value": "1985-03-14"}]
)
async def test_a_birth_date_that_cannot_be_read_is_named_and_not_quoted(
    written: object, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await found(changed(WHOLE, birthDate=written), changed(WHOLE, id="p2"), CLINIC, COVER)

    assert ([card.ref for card in answer.cards], answer.left_out) == (["p2"], 1)
    assert "Patient.birthDate: no date" in caplog.text
    assert "1985" not in caplog.text


@pytest.mark.parametrize(
    ("start", "day"),
    [
        ("2019-04-01", date(2019, 4, 1)),
        ("2019-04-01T10:00:00", date(2019, 4, 1)),
        ("2019-04-01T10:00", date(2019, 4, 1)),
        ("2019-03-31T21:00:00Z", date(2019, 4, 1)),
        ("01.04.2019", date(2019, 4, 1)),
        ("2019-04", None),
        ("вчера", None),
        (20190401, None),
        ("", None),
        (None, None),
    ],
)
async def test_since_when_a_card_is_attached_is_read_or_left_out(start: object, day: date | None) -> None:
    record = changed(WHOLE)
    record["identifier"][1]["period"] = {"start": start}
    assert (await card_of(record)).attached_since == day


ENDED = {"end": "2020-01-01"}
OLD = {"use": "old", "family": "Прежняя", "given": ["Анна"]}
NOW_NAME = {"use": "usual", "family": "Нынешняя", "given": ["Анна"]}
OFFICIAL = {"use": "official", "family": "Паспортная", "given": ["Анна", "Ивановна"]}
NAMES: list[tuple[Any, tuple[str, str, str]]] = [
    ([OLD, OFFICIAL, NOW_NAME], ("Паспортная", "Анна", "Ивановна")),
    ([OLD, NOW_NAME], ("Нынешняя", "Анна", "")),
    ([OFFICIAL | {"period": ENDED}, NOW_NAME], ("Нынешняя", "Анна", "")),
    ([OFFICIAL | {"period": {"end": "2025"}}, NOW_NAME], ("Нынешняя", "Анна", "")),
    ([OFFICIAL | {"period": {"end": "2026"}}, NOW_NAME], ("Паспортная", "Анна", "Ивановна")),
    ([OFFICIAL | {"period": {"start": "2030-01-01"}}, NOW_NAME], ("Нынешняя", "Анна", "")),
    ([OFFICIAL | {"period": {"end": "не знаю"}}, NOW_NAME], ("Паспортная", "Анна", "Ивановна")),
    ([OLD | {"period": ENDED}], ("", "", "")),
    ([OLD], ("Прежняя", "Анна", "")),
    ([{"use": "nickname", "given": ["Аня"]}, OLD], ("Прежняя", "Анна", "")),
    (OFFICIAL, ("Паспортная", "Анна", "Ивановна")),
    ([{"family": "Одна", "given": "Анна"}], ("Одна", "Анна", "")),
    ([{"family": "Одна", "given": ["Анна Ивановна"]}], ("Одна", "Анна", "Ивановна")),
    ([{"family": "Одна", "given": ["Анна Мария"]}], ("Одна", "Анна Мария", "")),
    ([{"family": "Одна", "given": [None, "Анна", "", 7]}], ("Одна", "Анна", "")),
    ([{"family": None, "given": None, "text": "Соколов Дмитрий Иванович"}], ("Соколов", "Дмитрий", "Иванович")),
    ([{"text": "Соколов, Дмитрий Иванович"}], ("Соколов", "Дмитрий", "Иванович")),
    ([{"text": "Дмитрий Иванович Соколов"}], ("Соколов", "Дмитрий", "Иванович")),
    ([{"text": "Моисей Абрамович Рабинович"}], ("Рабинович", "Моисей", "Абрамович")),
    ([{"text": "Алиев Рауф Ильхам оглы"}], ("Алиев", "Рауф", "Ильхам оглы")),
    ([{"text": "Соколов"}], ("Соколов", "", "")),
    ([{"use": "official", "text": ""}, {"family": "Другая"}], ("Другая", "", "")),
    ("Соколов", ("", "", "")),
    ([7, None, [], "Соколов"], ("", "", "")),
]


@pytest.mark.parametrize(("names", "shown"), NAMES, ids=str)
async def test_the_name_in_use_is_shown(names: Any, shown: tuple[str, str, str]) -> None:
    card = await card_of(changed(WHOLE, name=names))
    assert (card.last_name, card.first_name, card.patronymic) == shown


PHONES: list[tuple[Any, str]] = [
    ([{"system": "phone", "value": 88000000007}], "88000000007"),
    ([{"system": "phone", "value": "1", "use": "old"}, {"system": "phone", "value": "2"}], "2"),
    ([{"system": "phone", "value": "1", "period": ENDED}, {"system": "phone", "value": "2"}], "2"),
    ([{"system": "phone", "value": "1", "rank": 3}, {"system": "phone", "value": "2", "rank": 1}], "2"),
    ([{"system": "phone", "value": "1", "use": "home"}, {"system": "phone", "value": "2", "use": "work"}], "2"),
    ([{"system": "phone", "value": None}, {"system": "phone", "value": "2"}], "2"),
    ([{"system": "phone", "value": True}], ""),
    ([{"system": None, "value": "2"}, {"system": "fax", "value": "3"}], ""),
    ({"system": "phone", "value": "2"}, "2"),
    ("88000000007", ""),
]


@pytest.mark.parametrize(("telecom", "shown"), PHONES, ids=str)
async def test_the_phone_in_use_is_shown(telecom: Any, shown: str) -> None:
    assert (await card_of(WHOLE, CLINIC | {"telecom": telecom})).clinic_phone == shown


ADDRESSES: list[tuple[Any, str]] = [
    ([{"text": "старый", "period": ENDED}, {"text": "новый"}], "новый"),
    ([{"text": "старый", "use": "old"}, {"text": "новый", "use": "work"}], "новый"),
    (
        [{"text": None, "line": "ул. Ленина, 1", "city": "Примерск", "postalCode": 123456}],
        "123456, Примерск, ул. Ленина, 1",
    ),
    ([{"line": [None, "ул. Ленина, 1", ""], "city": 7}], "ул. Ленина, 1"),
    ([{}, {"text": ""}, {"text": "новый"}], "новый"),
    ({"text": "новый"}, "новый"),
    ("ул. Ленина, 1", ""),
]


@pytest.mark.parametrize(("address", "shown"), ADDRESSES, ids=str)
async def test_the_address_in_use_is_shown(address: Any, shown: str) -> None:
    assert (await card_of(WHOLE, CLINIC | {"address": address})).clinic_address == shown


@pytest.mark.parametrize(
    "value",
    [
        "000-000-701 01",
        "00000070101",
        "000\u2011000\u2011701\u00a001",
        "\u202a000-000-701 01\u202c",
        "СНИЛС 000-000-701 01",
    ],
)
async def test_the_own_number_is_known_in_any_spelling(value: str) -> None:
    record = changed(WHOLE)
    record["identifier"][0]["value"] = value
    assert (await card_of(record)).snils == SNILS


# --- references -------------------------------------------------------------------------------------------------

CONTAINED = {"resourceType": "Organization", "id": "c", "name": "Внутри", "address": {"text": "ул. Тихая"}}


def with_clinic(reference: Any, **more: Any) -> dict[str, Any]:
    return changed(WHOLE, managingOrganization={"reference": reference, "display": "По ссылке"}, **more)


@pytest.mark.parametrize(
    "contained", [[CONTAINED], CONTAINED, [CONTAINED | {"id": "#c"}], [None, 7, CONTAINED]], ids=str
)
async def test_a_contained_clinic_is_found(contained: Any) -> None:
    answer = await found(with_clinic("#c", contained=contained), COVER)
    assert (answer.cards[0].clinic_name, answer.cards[0].clinic_address) == ("Внутри", "ул. Тихая")


def entries(*pairs: tuple[str | None, dict[str, Any]], self_link: str | None = None) -> dict[str, Any]:
    links = [{"relation": "self", "url": self_link}] if self_link else []
    entry = [{"resource": resource} | ({"fullUrl": url} if url else {}) for url, resource in pairs]
    return {"resourceType": "Bundle", "type": "searchset", "link": links, "entry": entry}


UUID = "urn:uuid:0d6c3f0e-8a4b-4f3e-9d0a-0a5b8f0c7a11"
INNER = "http://hapi-7.internal:8080/fhir"
ANSWERS: dict[str, tuple[dict[str, Any], bool]] = {
    "urn:uuid": (entries((None, with_clinic(UUID)), (UUID, CLINIC), (None, COVER)), True),
    "urn:uuid of a clinic without an id": (
        entries((None, with_clinic(UUID)), (UUID, CLINIC | {"id": None}), (None, COVER)),
        True,
    ),
    "its full address": (
        entries((None, with_clinic(f"{INNER}/Organization/o1")), (f"{INNER}/Organization/o1", CLINIC), (None, COVER)),
        True,
    ),
    "the inner name, told by the self link": (
        entries(
            (None, with_clinic(f"{INNER}/Organization/o1")),
            (None, CLINIC),
            (None, COVER),
            self_link=f"{INNER}/Patient?identifier=x",
        ),
        True,
    ),
    "the inner name, told by full addresses": (
        entries((f"{INNER}/Patient/p1", with_clinic(f"{INNER}/Organization/o1")), (None, CLINIC), (None, COVER)),
        True,
    ),
    "another scheme": (
        entries((None, with_clinic(f"{BASE.replace('https', 'http')}/Organization/o1")), (None, CLINIC), (None, COVER)),
        True,
    ),
    "a relative one": (entries((None, with_clinic("Organization/o1")), (None, CLINIC), (None, COVER)), True),
    "a version": (entries((None, with_clinic("Organization/o1/_history/2")), (None, CLINIC), (None, COVER)), True),
    "another server": (
        entries(
            (None, with_clinic("https://other.test/fhir/Organization/o1")),
            (None, CLINIC),
            (None, COVER),
            self_link=f"{BASE}/Patient",
        ),
        False,
    ),
    "nothing": (entries((None, with_clinic(None)), (None, CLINIC), (None, COVER)), False),
    "a number": (entries((None, with_clinic(7)), (None, CLINIC), (None, COVER)), False),
}


@pytest.mark.parametrize("case", ANSWERS)
async def test_the_clinic_that_a_reference_means_is_found(case: str) -> None:
    answer, is_found = ANSWERS[case]
    server = Written(Patient___search=answer)

    (card,) = (await server.registry().cards_by_snils(SNILS)).cards

    assert card.clinic_name == ("Поликлиника № 7" if is_found else "По ссылке")
    assert {request.url.host for request in server.seen} == {"registry.test"}


async def test_a_policy_of_a_urn_uuid_finds_its_owner() -> None:
    cover = changed(COVER, beneficiary={"reference": UUID})
    server = Written(Coverage___search=entries((None, cover), (UUID, WHOLE), (None, CLINIC)))

    (card,) = (await server.registry().cards_by_policy(POLICY)).cards

    assert (card.ref, card.oms_policy) == ("p1", POLICY)


async def test_a_policy_of_another_servers_patient_of_the_same_id_shows_nobody() -> None:
    cover = changed(COVER, beneficiary={"reference": "https://other.test/fhir/Patient/p1"})
    answer = entries((None, cover), (None, WHOLE), self_link=f"{BASE}/Coverage")

    assert await Written(Coverage___search=answer).registry().cards_by_policy(POLICY) == FoundCards((), 1)


# --- the size of an answer --------------------------------------------------------------------------------------

PACKED: list[tuple[str, Callable[[bytes], bytes], bool]] = [
    ("gzip", gzip.compress, True),
    ("x-gzip", gzip.compress, True),
    ("GZIP", gzip.compress, True),
    ("identity", bytes, True),
    ("", bytes, True),
    ("gzip", lambda body: gzip.compress(body[:40]) + gzip.compress(body[40:]), True),
    ("gzip", lambda body: gzip.compress(body)[:-12], False),
    ("gzip", bytes, False),
    ("gzip", lambda body: gzip.compress(body) + b"more", False),
    ("gzip", lambda body: gzip.compress(body[:-1] + b" " * 3_000_000 + b"}"), False),
    ("br", bytes, False),
    ("gzip, gzip", lambda body: gzip.compress(gzip.compress(body)), False),
]


@pytest.mark.parametrize(("coding", "pack", "good"), PACKED, ids=range(len(PACKED)))
async def test_gzip_is_unpacked_within_the_limit(coding: str, pack: Callable[[bytes], bytes], good: bool) -> None:
    body = pack(json.dumps(bundle(WHOLE, CLINIC, COVER)).encode())

    class Streamed(httpx.AsyncByteStream):
        async def __aiter__(self) -> Any:
            for start in range(0, len(body), 1000):
                yield body[start : start + 1000]

    headers = {"Content-Encoding": coding} if coding else {}
    server = Written(Patient___search=[httpx.Response(200, headers=headers, stream=Streamed())])
    if good:
        assert len((await server.registry().cards_by_snils(SNILS)).cards) == 1
        assert server.seen[0].headers["Accept-Encoding"] == "gzip"
    else:
        with pytest.raises(RegistryUnavailable):
            await server.registry(timeout=0.5).cards_by_snils(SNILS)


async def test_a_read_of_something_else_is_no_answer() -> None:
    for answer in (bundle(WHOLE), CLINIC, (403, outcome("forbidden"))):
        with pytest.raises(RegistryUnavailable):
            await Written(Patient__p1=answer).registry().card("p1")


@pytest.mark.parametrize(
    "second", [(500, {}), (404, outcome("not-found")), (200, WHOLE), httpx.Response(200, text="<html>")]
)
async def test_a_next_page_that_is_no_page_leaves_an_answer_in_part(second: Any) -> None:
    server = Written(Patient___search=bundle(WHOLE, CLINIC, COVER, following="Patient?page=2"), Patient=second)

    answer = await server.registry().cards_by_snils(SNILS)

    assert (len(answer.cards), answer.left_out) == (1, 1)
