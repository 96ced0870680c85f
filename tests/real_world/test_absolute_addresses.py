"""Absolute addresses inside answers: path and query are followed at the configured address, and the token goes nowhere else."""

from __future__ import annotations

from typing import Any

import pytest

from medonline.domain.errors import IdentityProblem, IdentityRefused
from tests.providers.gosuslugi import esia_script
from tests.providers.gosuslugi.esia_script import EsiaScript
from tests.providers.gosuslugi.world import OID, as_json
from tests.providers.patient_cards.written import CLINIC, COVER, PATIENT, SNILS, Written, bundle, changed

INNER = "http://hapi-7.internal:8080/fhir"
WHOLE = changed(PATIENT, birthDate="1985-03-14", name=[{"family": "Соколов", "given": ["Дмитрий", "Иванович"]}])


@pytest.mark.parametrize(
    ("following", "asked"),
    [
        (f"{INNER}/Patient?_getpages=1", "/fhir/r4/Patient?_getpages=1"),
        (f"{INNER}?_getpages=1&_getpagesoffset=2", "/fhir/r4?_getpages=1&_getpagesoffset=2"),
        ("http://registry.test/fhir/r4/Patient?page=2", "/fhir/r4/Patient?page=2"),
        ("/fhir/r4/Patient?page=2", "/fhir/r4/Patient?page=2"),
        ("Patient?page=2", "/fhir/r4/Patient?page=2"),
        ("?page=2", "/fhir/r4/Patient?page=2"),
        ("https://evil.test/fhir/r4/Patient?page=2", "/fhir/r4/Patient?page=2"),
        ("https://evil.test/steal", None),
        ("https://evil.test/fhir/r4/../../steal", None),
        ("ftp://registry.test/fhir/r4/Patient", None),
        ("javascript:alert(1)", None),
        (7, ""),
    ],
)
async def test_the_next_page_is_asked_for_below_the_configured_address_alone(following: Any, asked: str | None) -> None:
    first = bundle(WHOLE, CLINIC, COVER) | {
        "link": [{"relation": "self", "url": f"{INNER}/Patient?x=1"}, {"relation": "next", "url": following}]
    }
    second = bundle(changed(WHOLE, id="p2"))
    server = Written(
        **{"Patient___search": first, "Patient": second, "https://registry.test/fhir/r4": second, "/fhir/r4": second}
    )

    answer = await server.registry().cards_by_snils(SNILS)

    assert [request.url.raw_path.decode() for request in server.seen[1:]] == ([asked] if asked else [])
    assert answer.left_out == (1 if asked is None else 0)
    assert {request.url.host for request in server.seen} == {"registry.test"}
    assert all(request.headers["Authorization"] for request in server.seen)


@pytest.mark.parametrize(
    "address",
    [
        "{here}/rs/prns/{oid}/ctts/1",
        "{elsewhere}/rs/prns/{oid}/ctts/1",
        "https://esia-inner.gosuslugi.test/rs/prns/{oid}/ctts/1",
        "http://10.0.0.7:8080/rs/prns/{oid}/ctts/1?embed=x",
        "//inner/rs/prns/{oid}/ctts/1",
        "/rs/prns/{oid}/ctts/1",
    ],
)
async def test_an_elements_address_is_followed_at_the_configured_one(esia: EsiaScript, address: str) -> None:
    path = f"/rs/prns/{OID}/ctts/1"
    esia.server.always(path, as_json({"type": "MBT", "value": "+7(926)1234567", "vrfStu": "VERIFIED"}))
    esia.contacts = [address.format(here=esia.server.url, elsewhere=esia.elsewhere.url, oid=OID), None, ""]

    assert (await esia_script.fetch(esia)).phone == "+79261234567"
    assert esia.server.count(path) == 1
    assert not esia.elsewhere.seen


@pytest.mark.parametrize(
    "address",
    [
        "{here}/rs/prns/1/ctts/1",
        "{here}/rs/prns/{oid}/../1/ctts/1",
        "{here}/rs/prns/{oid}/%2e%2e/1/ctts/1",
        "{elsewhere}/steal",
        "{here}@evil.test/",
        "file:///rs/prns/{oid}/ctts/1",
        "http://[/rs/prns/{oid}/ctts/1",
    ],
)
async def test_an_elements_address_of_another_person_or_place_is_refused(esia: EsiaScript, address: str) -> None:
    esia.contacts = [address.format(here=esia.server.url, elsewhere=esia.elsewhere.url, oid=OID)]

    with pytest.raises(IdentityRefused) as refused:
        await esia_script.fetch(esia)

    assert refused.value.problem is IdentityProblem.UNTRUSTWORTHY
    assert not esia.elsewhere.seen
