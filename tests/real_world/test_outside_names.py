"""Regions name things otherwise: with the names in a file the same person is found, and `doctor` says which name is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from medonline.bootstrap.adapters import build_identity, build_registry
from medonline.config.settings import load_config
from medonline.domain.errors import RegistryUnavailable
from medonline.providers.gosuslugi.oidc.client import ClaimNames
from medonline.providers.patient_cards.fhir import Systems, TestPerson
from tests.providers.gosuslugi.oidc_script import OidcScript
from tests.providers.patient_cards.written import CLINIC, COVER, PATIENT, POLICY, SNILS, Written, bundle, changed

CLAIMS: list[tuple[dict[str, str], dict[str, Any]]] = [
    ({"family_name": "lastName"}, {"lastName": "Безымянная", "family_name": "nickname"}),
    ({"birthdate": "birthDate"}, {"birthDate": "09.05.1971", "birthdate": "скрыто"}),
    ({"trusted": "verified"}, {"verified": "true", "trusted": False}),
    ({"phone_number": "urn:esia:mobile"}, {"urn:esia:mobile": "+7(926)1234567", "phone_number": None}),
    ({"snils": "urn:esia:sbj:snils"}, {"urn:esia:sbj:snils": "112-233-445 95", "snils": 5}),
    ({"oms_policy": "mdcl_plcy"}, {"mdcl_plcy": "7707850314000117"}),
]


@pytest.mark.parametrize(("names", "userinfo"), CLAIMS, ids=str)
async def test_a_gateway_may_name_its_claims_otherwise(
    gateway: OidcScript, names: dict[str, str], userinfo: dict[str, Any]
) -> None:
    gateway.userinfo.update(userinfo)

    person = await gateway.fetch(claims=ClaimNames(**names))

    assert (person.last_name, str(person.birth_date), person.confirmed) == ("Безымянная", "1971-05-09", True)
    assert (person.phone, person.snils) == ("+79261234567", "11223344595")
    assert person.oms_policy == ("7707850314000117" if "oms_policy" in names else "")


@pytest.mark.parametrize(
    "systems",
    [("urn:region:snils",), ("urn:oid:1.2.643.100.3", "urn:region:snils"), ("http://fhir.region.test/snils?v=1",)],
)
async def test_a_registry_may_name_its_identifiers_otherwise(systems: tuple[str, ...]) -> None:
    record = changed(PATIENT)
    record["identifier"][0]["system"] = systems[-1]
    server = Written(Patient___search=bundle(record, CLINIC, COVER))

    (card,) = (await server.registry(systems=Systems(snils=systems)).cards_by_snils(SNILS)).cards

    assert card.snils == SNILS
    assert server.seen[0].content.decode().count("%7C" + SNILS) == len(systems)


def known_as(system: str) -> Written:
    record, cover = changed(PATIENT), changed(COVER, identifier=[{"system": system, "value": POLICY}])
    record["identifier"][0]["system"] = system
    metadata = {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"}
    empty = bundle()
    # By the configured system it finds nothing; by the bare number it does.
    return Written(
        metadata=metadata, Patient___search=[empty, empty, bundle(record)], Coverage___search=[empty, bundle(cover)]
    )


@pytest.mark.parametrize("person", [TestPerson(snils=SNILS), TestPerson(policy=POLICY)], ids=["snils", "policy"])
async def test_doctor_says_under_which_name_the_registry_knows_a_number(person: TestPerson) -> None:
    with pytest.raises(RegistryUnavailable) as told:
        await known_as("urn:region:7").registry(test_person=person).check()

    assert "knows it under urn:region:7: name that in [identifiers]" in told.value.detail
    assert SNILS not in told.value.detail
    assert POLICY not in told.value.detail


async def test_doctor_says_when_nobody_knows_the_number() -> None:
    metadata = {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"}
    server = Written(metadata=metadata, Patient___search=bundle())

    with pytest.raises(RegistryUnavailable, match="under no system at all"):
        await server.registry(test_person=TestPerson(snils=SNILS)).check()


async def test_doctor_is_content_when_the_number_is_found() -> None:
    metadata = {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"}
    server = Written(metadata=metadata, Patient___search=bundle(PATIENT), Coverage___search=bundle(COVER))

    text = await server.registry(test_person=TestPerson(SNILS, POLICY)).check()

    assert "It knows the test snils." in text
    assert SNILS not in text


def test_the_file_reaches_both_adapters(tmp_path: Path) -> None:
    path = tmp_path / "names.toml"
    path.write_text(
        '[identifiers]\nsnils = "urn:x"\n[claims]\ntrusted = "verified"\n[test]\nsnils = "112-233-445 95"\n'
    )
    config = load_config(mode="demo", data_dir=tmp_path, outside_names_file=path, identity_provider="oidc")

    registry, identity = build_registry(config), build_identity(config)

    assert vars(registry)["_systems"] == Systems(snils=("urn:x",))
    assert vars(registry)["_test_person"] == TestPerson(snils="11223344595")
    assert vars(identity)["_claims"] == ClaimNames(trusted="verified")
