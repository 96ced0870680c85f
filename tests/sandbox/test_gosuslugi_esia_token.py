"""ESIA's token endpoint at the stand-in: codes, signatures, tokens."""

from __future__ import annotations

import asyncio
import json
import uuid
from base64 import urlsafe_b64decode

import httpx
import pytest

from tests.sandbox.gosuslugi import CLIENT_ID, ISSUER, NEW, TE, UNCONFIRMED, challenge_of, common, signed, te
from tests.sandbox.gosuslugi_esia import BREACHES, claims, get, signed_in, tokens


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


async def test_tokens_are_told_apart_by_their_headers(gosuslugi: httpx.AsyncClient) -> None:
    answer = await tokens(gosuslugi, await signed_in(str(gosuslugi.base_url)))
    headers = [
        json.loads(urlsafe_b64decode(answer[name].split(".")[0] + "==")) for name in ("access_token", "id_token")
    ]

    assert [(header["alg"], header["sbt"]) for header in headers] == [("RS256", "access"), ("RS256", "id")]
