"""ESIA's person API at the stand-in: formats, shapes, scopes."""

from __future__ import annotations

import httpx
import pytest

from tests.sandbox.gosuslugi import DELETED, DENIES, NEW, UNVERIFIED
from tests.sandbox.gosuslugi_esia import get, signed_in, tokens


async def test_the_person_comes_in_esias_formats(gosuslugi: httpx.AsyncClient) -> None:
    access = (await tokens(gosuslugi, await signed_in(str(gosuslugi.base_url))))["access_token"]
    person = (await get(gosuslugi, str(NEW.oid), access)).json()

    assert (person["lastName"], person["firstName"], person["middleName"]) == ("Соколов", "Дмитрий", "Андреевич")
    assert (person["birthDate"], person["gender"], person["snils"]) == ("14.03.1985", "M", "000-000-701 01")
    assert (person["trusted"], person["status"]) == (True, "REGISTERED")


@pytest.mark.parametrize(("listed", "types"), [("ctts", ["MBT", "EML"]), ("docs", ["MDCL_PLCY"])])
async def test_lists_come_whole_or_as_addresses(gosuslugi: httpx.AsyncClient, listed: str, types: list[str]) -> None:
    access = (await tokens(gosuslugi, await signed_in(str(gosuslugi.base_url))))["access_token"]
    whole = (await get(gosuslugi, f"{NEW.oid}/{listed}?embed=(elements)", access)).json()
    addresses = (await get(gosuslugi, f"{NEW.oid}/{listed}", access)).json()
    bearer = {"Authorization": f"Bearer {access}"}
    one_by_one = [(await gosuslugi.get(address, headers=bearer)).json() for address in addresses["elements"]]

    assert [item["type"] for item in whole["elements"]] == types
    assert whole["size"] == addresses["size"] == len(types)
    assert one_by_one == whole["elements"]


async def test_contacts_and_policy_have_their_values(gosuslugi: httpx.AsyncClient) -> None:
    access = (await tokens(gosuslugi, await signed_in(str(gosuslugi.base_url))))["access_token"]
    contacts = (await get(gosuslugi, f"{NEW.oid}/ctts?embed=(elements)", access)).json()["elements"]
    policy = (await get(gosuslugi, f"{NEW.oid}/docs?embed=(elements)", access)).json()["elements"][0]

    assert [(item["value"], item["vrfStu"]) for item in contacts] == [
        ("+7(900)0001011", "VERIFIED"),
        ("sokolov@example.com", "VERIFIED"),
    ]
    assert policy["number"] == NEW.policy


async def test_an_unverified_mobile_is_marked_so(gosuslugi: httpx.AsyncClient) -> None:
    access = (await tokens(gosuslugi, await signed_in(str(gosuslugi.base_url), UNVERIFIED)))["access_token"]
    contacts = (await get(gosuslugi, f"{UNVERIFIED.oid}/ctts?embed=(elements)", access)).json()["elements"]

    assert [(item["type"], item["vrfStu"]) for item in contacts] == [("MBT", "NOT_VERIFIED")]


async def test_fields_come_only_for_granted_scopes(gosuslugi: httpx.AsyncClient) -> None:
    scope = "openid birthdate email"
    code = await signed_in(str(gosuslugi.base_url), scope=scope)
    access = (await tokens(gosuslugi, code, scope=scope))["access_token"]
    person = (await get(gosuslugi, str(NEW.oid), access)).json()
    contacts = (await get(gosuslugi, f"{NEW.oid}/ctts?embed=(elements)", access)).json()
    documents = (await get(gosuslugi, f"{NEW.oid}/docs", access)).json()

    assert person["birthDate"]
    assert not person.keys() & {"firstName", "lastName", "middleName", "gender", "snils"}
    assert [item["type"] for item in contacts["elements"]] == ["EML"]
    assert documents["elements"] == []
    assert (await get(gosuslugi, f"{NEW.oid}/ctts/{NEW.oid * 10 + 1}", access)).status_code == 404


async def test_the_person_api_wants_a_token_of_that_person(gosuslugi: httpx.AsyncClient) -> None:
    answer = await tokens(gosuslugi, await signed_in(str(gosuslugi.base_url)))

    assert (await gosuslugi.get(f"/gosuslugi/rs/prns/{NEW.oid}")).status_code == 401
    assert (await get(gosuslugi, str(NEW.oid), "forged")).status_code == 401
    assert (await get(gosuslugi, str(NEW.oid), answer["id_token"])).status_code == 401
    assert (await get(gosuslugi, str(DENIES.oid), answer["access_token"])).status_code == 403
    assert (await get(gosuslugi, f"{NEW.oid}/vhls", answer["access_token"])).status_code == 404


async def test_a_deleted_account_signs_in_and_is_called_deleted(gosuslugi: httpx.AsyncClient) -> None:
    access = (await tokens(gosuslugi, await signed_in(str(gosuslugi.base_url), DELETED)))["access_token"]

    assert (await get(gosuslugi, str(DELETED.oid), access)).json()["status"] == "DELETED"
