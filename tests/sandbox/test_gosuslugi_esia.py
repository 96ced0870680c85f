"""ESIA's own protocol at the stand-in: what it checks, what it answers, which errors it names."""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from base64 import urlsafe_b64decode
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jws import JWSRegistry

from medonline.sandbox.people import DemoPerson
from tests.sandbox.gosuslugi import (
    BY_NAME,
    CLIENT_ID,
    DELETED,
    DENIES,
    ISSUER,
    LOGOUT,
    NEW,
    NO_PHONE,
    RETURN,
    SCOPES,
    UNCONFIRMED,
    UNVERIFIED,
    Person,
    ac,
    challenge_of,
    common,
    sign,
    signed,
    te,
    timestamp,
    verifying_key,
)

AC, TE = "/gosuslugi/aas/oauth2/v2/ac", "/gosuslugi/aas/oauth2/v3/te"
ANY_HEADER = JWSRegistry(strict_check_header=False)


async def signed_in(url: str, person: DemoPerson = NEW, **asked: str) -> str:
    """A fresh code."""
    async with Person(url) as browser:
        assert await browser.open(AC, **ac(**asked)) is None
        return (await browser.sign_in(person)).code


async def tokens(http: httpx.AsyncClient, code: str, **changes: str) -> dict[str, Any]:
    answer = await http.post(TE, data=te(code, **changes))
    assert answer.status_code == 200, answer.text
    return answer.json()


def claims(token: str, key: str = "signing") -> dict[str, Any]:
    return jwt.decode(token, verifying_key(key), algorithms=["RS256"], registry=ANY_HEADER).claims


def get(http: httpx.AsyncClient, path: str, token: str) -> Any:
    return http.get(f"/gosuslugi/rs/prns/{path}", headers={"Authorization": f"Bearer {token}"})


async def test_a_sign_in_comes_back_with_a_code_and_the_state(gosuslugi_url: str) -> None:
    asked = ac()
    async with Person(gosuslugi_url) as browser:
        assert await browser.open(AC, **asked) is None
        back = await browser.sign_in(NEW)

    assert back.address.startswith(f"{RETURN}&code=")
    assert back.query["state"] == asked["state"]
    assert 1000 <= len(back.code) <= 1400
    assert back.code.count(".") == 2


async def test_the_answer_of_the_token_endpoint_echoes_the_new_state(gosuslugi: httpx.AsyncClient) -> None:
    state = str(uuid.uuid4())
    answer = await gosuslugi.post(TE, data=te(await signed_in(str(gosuslugi.base_url)), state=state))

    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json().keys() == {"access_token", "id_token", "state", "token_type", "expires_in"}
    assert (answer.json()["state"], answer.json()["token_type"]) == (state, "Bearer")


async def test_the_id_token_has_an_integer_subject(gosuslugi: httpx.AsyncClient) -> None:
    got = claims((await tokens(gosuslugi, await signed_in(str(gosuslugi.base_url))))["id_token"])

    assert (got["iss"], got["aud"], got["sub"], got["amr"]) == (ISSUER, CLIENT_ID, NEW.oid, "PWD")
    assert isinstance(got["sub"], int)
    assert got["urn:esia:sbj"]["urn:esia:sbj:oid"] == NEW.oid
    assert got["urn:esia:sbj"]["urn:esia:sbj:nam"]
    assert got["urn:esia:sbj"]["urn:esia:sbj:is_tru"] is True
    assert got["nbf"] == got["iat"] < got["exp"]


async def test_only_a_confirmed_account_is_called_trusted(gosuslugi: httpx.AsyncClient) -> None:
    answer = await tokens(gosuslugi, await signed_in(str(gosuslugi.base_url), UNCONFIRMED))

    assert "urn:esia:sbj:is_tru" not in claims(answer["id_token"])["urn:esia:sbj"]
    assert (await get(gosuslugi, str(UNCONFIRMED.oid), answer["access_token"])).json()["trusted"] is False


async def test_the_access_token_names_person_and_session_and_no_audience(gosuslugi: httpx.AsyncClient) -> None:
    answer = await tokens(gosuslugi, await signed_in(str(gosuslugi.base_url)))
    access, identity = claims(answer["access_token"]), claims(answer["id_token"])

    assert "aud" not in access
    assert access["urn:esia:sbj_id"] == NEW.oid
    assert access["urn:esia:sid"] == identity["urn:esia:sid"]
    assert f"fullname?oid={NEW.oid}" in access["scope"].split()


async def test_without_openid_there_is_no_id_token(gosuslugi: httpx.AsyncClient) -> None:
    scope = "fullname snils"
    answer = await tokens(gosuslugi, await signed_in(str(gosuslugi.base_url), scope=scope), scope=scope)

    assert "id_token" not in answer


@pytest.mark.parametrize(
    ("changes", "number"),
    [
        ({"client_id": ""}, "007014"),
        ({"client_id": "SOMEBODY"}, "007005"),
        ({"redirect_uri": ""}, "007014"),
        ({"redirect_uri": "https://evil.test/"}, "007023"),
        ({"redirect_uri": RETURN + "&x=1"}, "007023"),
    ],
)
async def test_an_unknown_client_or_address_is_never_redirected_to(
    gosuslugi: httpx.AsyncClient, changes: dict[str, str], number: str
) -> None:
    answer = await gosuslugi.get(AC, params=ac(**changes))

    assert answer.status_code == 400
    assert "Location" not in answer.headers
    assert f"ESIA-{number}" in answer.text
    assert "evil.test" not in answer.text


AGO = timestamp(datetime.now(UTC) - timedelta(minutes=16))
AHEAD = timestamp(datetime.now(UTC) + timedelta(minutes=30))
BREACHES = [
    ({"scope": ""}, "007013"),
    ({"scope": "openid everything"}, "007006"),
    ({"state": ""}, "007014"),
    ({"state": "12345"}, "007003"),
    ({"timestamp": ""}, "007014"),
    ({"timestamp": AGO}, "007015"),
    ({"timestamp": AHEAD}, "007015"),
    ({"timestamp": datetime.now(UTC).isoformat()}, "007015"),
    ({"timestamp": "2026.13.41 10:00:00 +0300"}, "007015"),
    ({"client_certificate_hash": ""}, "007014"),
    ({"client_certificate_hash": "0" * 64}, "007053"),
    ({"client_secret": ""}, "007014"),
    ({"client_secret": sign("something else")}, "007053"),
    ({"client_secret": "not base64!"}, "007053"),
    ({"client_secret": "абв"}, "007053"),
]


@pytest.mark.parametrize(
    ("changes", "number"),
    [
        *BREACHES,
        ({"response_type": ""}, "007014"),
        ({"response_type": "token"}, "007009"),
        ({"access_type": ""}, "007014"),
        ({"access_type": "always"}, "007003"),
        ({"code_challenge": challenge_of("v"), "code_challenge_method": "plain"}, "007003"),
        ({"code_challenge": "short", "code_challenge_method": "S256"}, "007003"),
    ],
)
async def test_a_breach_goes_back_to_the_portal_with_its_number(
    gosuslugi_url: str, changes: dict[str, str], number: str
) -> None:
    asked = ac(**changes)
    async with Person(gosuslugi_url) as browser:
        back = await browser.open(AC, **asked)

    assert back is not None
    assert back.address.startswith(RETURN)
    assert re.fullmatch(rf"ESIA-{number}: .+", back.query["error_description"])
    assert back.query["error"]
    assert back.query.get("state") == asked.get("state")


async def test_a_padded_or_foreign_signature_is_refused(gosuslugi_url: str) -> None:
    asked = ac()
    text = "".join(asked[name] for name in ("client_id", "scope", "timestamp", "state", "redirect_uri"))
    async with Person(gosuslugi_url) as browser:
        for secret in (asked["client_secret"] + "==", sign(text, "rotated"), asked["client_secret"][:-4]):
            back = await browser.open(AC, **(asked | {"client_secret": secret}))
            assert back.query["error_description"].startswith("ESIA-007053")


async def test_a_repeated_parameter_is_refused(gosuslugi: httpx.AsyncClient) -> None:
    answer = await gosuslugi.get(AC, params=[*ac().items(), ("scope", "openid")])

    assert "ESIA-007003" in answer.headers["Location"]


@pytest.mark.parametrize(
    ("changes", "number"),
    [
        *BREACHES,
        ({"client_id": "SOMEBODY"}, "007005"),
        ({"redirect_uri": "https://evil.test/"}, "007023"),
        ({"grant_type": ""}, "007014"),
        ({"grant_type": "password"}, "007012"),
        ({"token_type": "mac"}, "007003"),
        ({"code": "x.y.z"}, "007011"),
        ({"scope": "openid"}, "007011"),
    ],
)
async def test_a_breach_at_the_token_endpoint_is_json_and_leaves_the_code_alone(
    gosuslugi: httpx.AsyncClient, changes: dict[str, str], number: str
) -> None:
    code = await signed_in(str(gosuslugi.base_url))
    request = te(**({"code": code} | changes))
    answer = await gosuslugi.post(TE, data=request)

    assert answer.status_code == 400
    assert answer.json().keys() == {"error", "error_description", "state"}
    assert answer.json()["error_description"].startswith(f"ESIA-{number}: ")
    assert answer.json()["state"] == request.get("state", "")
    assert (await tokens(gosuslugi, code))["access_token"]


async def test_a_token_request_needs_a_code(gosuslugi: httpx.AsyncClient) -> None:
    answer = await gosuslugi.post(TE, data=te(""))

    assert answer.json()["error_description"].startswith("ESIA-007014")


async def test_a_token_request_needs_a_state_of_its_own(gosuslugi: httpx.AsyncClient) -> None:
    state = str(uuid.uuid4())
    code = await signed_in(str(gosuslugi.base_url), state=state)
    answer = await gosuslugi.post(TE, data=te(code, state=state))

    assert answer.json()["error_description"].startswith("ESIA-007003")


async def test_a_code_works_once_and_its_second_use_kills_the_tokens(gosuslugi: httpx.AsyncClient) -> None:
    code = await signed_in(str(gosuslugi.base_url))
    access = (await tokens(gosuslugi, code))["access_token"]
    assert (await get(gosuslugi, str(NEW.oid), access)).status_code == 200

    again = await gosuslugi.post(TE, data=te(code))

    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert again.json()["error_description"].startswith("ESIA-007011")
    assert (await get(gosuslugi, str(NEW.oid), access)).status_code == 401


async def test_of_many_parallel_uses_of_a_code_one_wins(gosuslugi: httpx.AsyncClient) -> None:
    code = await signed_in(str(gosuslugi.base_url))
    answers = await asyncio.gather(*(gosuslugi.post(TE, data=te(code)) for _ in range(8)))

    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 7


async def test_pkce_is_checked_when_it_was_sent(gosuslugi: httpx.AsyncClient) -> None:
    pkce = {"code_challenge": challenge_of("right" * 10), "code_challenge_method": "S256"}
    code = await signed_in(str(gosuslugi.base_url), **pkce)

    for verifier, number in (("", "007014"), ("wrong" * 10, "007011")):
        answer = await gosuslugi.post(TE, data=te(code, code_verifier=verifier))
        assert answer.json()["error_description"].startswith(f"ESIA-{number}")
    assert (await tokens(gosuslugi, code, code_verifier="right" * 10))["access_token"]


async def test_offline_access_comes_with_a_refresh_token_that_rotates(gosuslugi: httpx.AsyncClient) -> None:
    first = await tokens(gosuslugi, await signed_in(str(gosuslugi.base_url), access_type="offline"))
    request = common(grant_type="refresh_token", refresh_token=first["refresh_token"])
    second = await gosuslugi.post(TE, data=signed(request))
    third = await gosuslugi.post(TE, data=signed(request | {"state": str(uuid.uuid4())}))

    assert second.json()["refresh_token"] != first["refresh_token"]
    assert (await get(gosuslugi, str(NEW.oid), second.json()["access_token"])).status_code == 200
    assert third.json()["error_description"].startswith("ESIA-007011")


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


async def test_who_denies_comes_back_without_a_code(gosuslugi_url: str) -> None:
    asked = ac()
    async with Person(gosuslugi_url) as browser:
        await browser.open(AC, **asked)
        back = await browser.sign_in(DENIES)

    assert back.query["error"] == "access_denied"
    assert back.query["error_description"].startswith("ESIA-007004")
    assert back.query["state"] == asked["state"]


async def test_logout_ends_the_session_and_goes_where_it_may(gosuslugi_url: str) -> None:
    async with Person(gosuslugi_url) as browser:
        await browser.open(AC, **ac())
        await browser.sign_in(NO_PHONE)
        assert (await browser.open(AC, **ac())).code
        back = await browser.open("/gosuslugi/idp/ext/Logout", client_id=CLIENT_ID, redirect_url=LOGOUT)
        assert back.address == LOGOUT

        assert await browser.open(AC, **ac()) is None
        assert "Телефон / Email / СНИЛС" in browser.page.text


@pytest.mark.parametrize(
    ("given", "number"),
    [
        ({"client_id": CLIENT_ID, "redirect_url": "https://evil.test/"}, "007023"),
        ({"client_id": "SOMEBODY", "redirect_url": LOGOUT}, "007005"),
        ({"redirect_url": LOGOUT}, "007005"),
    ],
)
async def test_logout_goes_to_no_other_address(
    gosuslugi: httpx.AsyncClient, given: dict[str, str], number: str
) -> None:
    answer = await gosuslugi.get("/gosuslugi/idp/ext/Logout", params=given)

    assert (answer.status_code, f"ESIA-{number}" in answer.text) == (400, True)


async def test_tokens_are_told_apart_by_their_headers(gosuslugi: httpx.AsyncClient) -> None:
    answer = await tokens(gosuslugi, await signed_in(str(gosuslugi.base_url)))
    headers = [
        json.loads(urlsafe_b64decode(answer[name].split(".")[0] + "==")) for name in ("access_token", "id_token")
    ]

    assert [(header["alg"], header["sbt"]) for header in headers] == [("RS256", "access"), ("RS256", "id")]


def test_the_scopes_the_portal_asks_for_are_known_here() -> None:
    assert set(SCOPES.split()) == {
        "openid",
        "fullname",
        "birthdate",
        "gender",
        "snils",
        "mobile",
        "email",
        "medical_doc",
    }
    assert len(BY_NAME) == 10
