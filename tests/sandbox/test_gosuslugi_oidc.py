"""The standard OpenID Connect face of the stand-in."""

from __future__ import annotations

import re
import secrets
from typing import Any
from urllib.parse import quote_plus

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from medonline.sandbox.people import DemoPerson
from medonline.services.ports import Departure
from tests.sandbox.gosuslugi import (
    CLIENT_ID,
    CLIENT_SECRET,
    DENIES,
    LOGOUT,
    NEW,
    NO_PHONE,
    RETURN,
    UNCONFIRMED,
    UNVERIFIED,
    Person,
    ac,
    oidc,
    te,
)

VERIFIER = "v" * 50
OIDC = "/gosuslugi/oidc"
BASIC = (quote_plus(CLIENT_ID), quote_plus(CLIENT_SECRET))


async def signed_in(url: str, person: DemoPerson = NEW, **asked: str) -> str:
    async with Person(url) as browser:
        assert await browser.open(f"{OIDC}/authorize", **oidc(VERIFIER, **asked)) is None
        return (await browser.sign_in(person)).code


def exchange(code: str, **changes: str) -> dict[str, str]:
    given = {"grant_type": "authorization_code", "code": code, "redirect_uri": RETURN, "code_verifier": VERIFIER}
    return given | changes


async def tokens(http: httpx.AsyncClient, code: str) -> dict[str, Any]:
    answer = await http.post(f"{OIDC}/token", data=exchange(code), auth=BASIC)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def userinfo(http: httpx.AsyncClient, access: str) -> dict[str, Any]:
    return (await http.get(f"{OIDC}/userinfo", headers={"Authorization": f"Bearer {access}"})).json()


async def test_discovery_names_the_endpoints(gosuslugi: httpx.AsyncClient) -> None:
    found = (await gosuslugi.get(f"{OIDC}/.well-known/openid-configuration")).json()

    assert found["issuer"] == f"{gosuslugi.base_url!s}".rstrip("/") + OIDC
    assert found["code_challenge_methods_supported"] == ["S256"]
    for name in ("authorization", "token", "userinfo", "end_session"):
        assert found[f"{name}_endpoint"].startswith(found["issuer"] + "/")
    assert (await gosuslugi.get(found["jwks_uri"])).status_code == 200


async def test_the_id_token_is_signed_by_a_published_key(gosuslugi: httpx.AsyncClient) -> None:
    answer = await tokens(gosuslugi, await signed_in(str(gosuslugi.base_url), nonce="n-0S6_WzA2Mj"))
    published = (await gosuslugi.get(f"{OIDC}/jwks")).json()
    token = jwt.decode(answer["id_token"], KeySet.import_key_set(published), algorithms=["RS256"])

    assert token.header["kid"] == published["keys"][0]["kid"]
    assert "d" not in published["keys"][0]
    assert (token.claims["sub"], token.claims["aud"]) == (str(NEW.oid), CLIENT_ID)
    assert token.claims["iss"].endswith("/gosuslugi/oidc")
    assert token.claims["nonce"] == "n-0S6_WzA2Mj"


async def test_userinfo_has_the_standard_claims(gosuslugi: httpx.AsyncClient) -> None:
    answer = await tokens(gosuslugi, await signed_in(str(gosuslugi.base_url)))

    assert await userinfo(gosuslugi, answer["access_token"]) == {
        "sub": str(NEW.oid),
        "family_name": "Соколов",
        "given_name": "Дмитрий",
        "middle_name": "Андреевич",
        "birthdate": "1985-03-14",
        "gender": "male",
        "trusted": True,
        "phone_number": NEW.phone,
        "phone_number_verified": True,
        "email": NEW.email,
        "email_verified": True,
        "snils": NEW.snils,
        "oms_policy": NEW.policy,
    }


async def test_claims_come_only_for_granted_scopes(gosuslugi: httpx.AsyncClient) -> None:
    answer = await tokens(gosuslugi, await signed_in(str(gosuslugi.base_url), scope="openid email"))

    assert (await userinfo(gosuslugi, answer["access_token"])).keys() == {"sub", "email", "email_verified"}


async def test_claims_tell_what_is_not_confirmed(gosuslugi: httpx.AsyncClient) -> None:
    answer = await tokens(gosuslugi, await signed_in(str(gosuslugi.base_url), UNVERIFIED))
    assert (await userinfo(gosuslugi, answer["access_token"]))["phone_number_verified"] is False

    answer = await tokens(gosuslugi, await signed_in(str(gosuslugi.base_url), UNCONFIRMED))
    assert (await userinfo(gosuslugi, answer["access_token"]))["trusted"] is False


async def test_the_secret_may_come_in_the_form(gosuslugi: httpx.AsyncClient) -> None:
    secret = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    code = await signed_in(str(gosuslugi.base_url))

    assert (await gosuslugi.post(f"{OIDC}/token", data=exchange(code, **secret))).status_code == 200


async def test_a_wrong_client_gets_no_token(gosuslugi: httpx.AsyncClient) -> None:
    code = await signed_in(str(gosuslugi.base_url))
    form = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    requests: list[dict[str, Any]] = [
        {"data": exchange(code)},
        {"data": exchange(code), "auth": (CLIENT_ID, "wrong")},
        {"data": exchange(code), "auth": ("SOMEBODY", BASIC[1])},
        {"data": exchange(code, **form), "auth": BASIC},
        {"data": exchange(code), "headers": {"Authorization": "Basic ?"}},
        {"data": exchange(code, **form), "headers": {"Authorization": "Bearer x"}},
    ]
    for request in requests:
        answer = await gosuslugi.post(f"{OIDC}/token", **request)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
        assert "WWW-Authenticate" in answer.headers
    assert await tokens(gosuslugi, code)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_verifier": "w" * 50}, "invalid_grant"),
        ({"code_verifier": ""}, "invalid_grant"),
        ({"redirect_uri": "https://evil.test/"}, "invalid_grant"),
        ({"code": "x.y.z"}, "invalid_grant"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
async def test_a_bad_exchange_is_refused_and_leaves_the_code_alone(
    gosuslugi: httpx.AsyncClient, changes: dict[str, str], error: str
) -> None:
    code = await signed_in(str(gosuslugi.base_url))
    answer = await gosuslugi.post(f"{OIDC}/token", data=exchange(code) | changes, auth=BASIC)

    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert await tokens(gosuslugi, code)


async def test_a_code_works_once_and_its_second_use_kills_the_token(gosuslugi: httpx.AsyncClient) -> None:
    code = await signed_in(str(gosuslugi.base_url))
    access = (await tokens(gosuslugi, code))["access_token"]
    again = await gosuslugi.post(f"{OIDC}/token", data=exchange(code), auth=BASIC)

    assert again.json()["error"] == "invalid_grant"
    assert (await userinfo(gosuslugi, access)) == {"error": "invalid_token"}


async def test_a_code_and_a_token_of_one_face_mean_nothing_at_the_other(gosuslugi: httpx.AsyncClient) -> None:
    code = await signed_in(str(gosuslugi.base_url))
    answer = await gosuslugi.post("/gosuslugi/aas/oauth2/v3/te", data=te(code))
    assert answer.json()["error_description"].startswith("ESIA-007011")

    access = (await tokens(gosuslugi, code))["access_token"]
    person = await gosuslugi.get(f"/gosuslugi/rs/prns/{NEW.oid}", headers={"Authorization": f"Bearer {access}"})
    assert person.status_code == 401


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"scope": "openid everything"}, "invalid_scope"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": ""}, "invalid_request"),
        ({"prompt": "none"}, "login_required"),
    ],
)
async def test_a_bad_request_goes_back_as_an_error(gosuslugi_url: str, changes: dict[str, str], error: str) -> None:
    asked = oidc(VERIFIER, **changes)
    async with Person(gosuslugi_url) as browser:
        back = await browser.open(f"{OIDC}/authorize", **asked)

    assert back is not None
    assert (back.query["error"], back.query["state"]) == (error, asked["state"])


@pytest.mark.parametrize(
    "changes", [{"client_id": "SOMEBODY"}, {"redirect_uri": "https://evil.test/"}, {"redirect_uri": ""}]
)
async def test_an_unknown_client_or_address_is_never_redirected_to(
    gosuslugi: httpx.AsyncClient, changes: dict[str, str]
) -> None:
    answer = await gosuslugi.get(f"{OIDC}/authorize", params=oidc(VERIFIER, **changes))

    assert (answer.status_code, "Location" in answer.headers) == (400, False)


async def test_who_denies_comes_back_without_a_code(gosuslugi_url: str) -> None:
    async with Person(gosuslugi_url) as browser:
        await browser.open(f"{OIDC}/authorize", **oidc(VERIFIER))
        back = await browser.sign_in(DENIES)

    assert back.query["error"] == "access_denied"
    assert "ESIA" not in back.query["error_description"]


async def test_one_session_serves_both_faces_unless_a_login_is_demanded(gosuslugi_url: str) -> None:
    async with Person(gosuslugi_url) as browser:
        await browser.open("/gosuslugi/aas/oauth2/v2/ac", **ac())
        await browser.sign_in(NO_PHONE)
        assert (await browser.open(f"{OIDC}/authorize", **oidc(VERIFIER))).code
        assert (await browser.open(f"{OIDC}/authorize", **oidc(VERIFIER, prompt="none"))).code

        assert await browser.open(f"{OIDC}/authorize", **oidc(VERIFIER, prompt="login")) is None
        assert ">ГОСУСЛУГИ</h1>" in browser.page.text


async def test_logout_goes_only_to_a_registered_address(gosuslugi_url: str) -> None:
    async with Person(gosuslugi_url) as browser:
        await browser.open(f"{OIDC}/authorize", **oidc(VERIFIER))
        code = (await browser.sign_in(NO_PHONE)).code
        hint = (await tokens(browser.http, code))["id_token"]
        state = secrets.token_hex(4)
        given = {"id_token_hint": hint, "state": state}

        for wrong in ({"post_logout_redirect_uri": "https://evil.test/"}, {"post_logout_redirect_uri": RETURN}):
            assert await browser.open(f"{OIDC}/logout", **(given | wrong)) is None
            assert browser.page.status_code == 400
        forged = {"id_token_hint": hint[:-8] + "AAAAAAAA", "post_logout_redirect_uri": LOGOUT}
        assert await browser.open(f"{OIDC}/logout", **forged) is None
        back = await browser.open(f"{OIDC}/logout", **given, post_logout_redirect_uri=LOGOUT)
        assert back.address == f"{LOGOUT}?state={state}"
        assert await browser.open(f"{OIDC}/logout") is None
        assert "Вы вышли" in browser.page.text

        assert await browser.open(f"{OIDC}/authorize", **oidc(VERIFIER)) is None
        assert re.search("Телефон / Email / СНИЛС", browser.page.text)


async def test_a_token_posted_from_another_site_ends_the_session_that_it_names(gosuslugi_url: str) -> None:
    async with Person(gosuslugi_url) as browser, Person(gosuslugi_url) as without_cookies:
        await browser.open(f"{OIDC}/authorize", **oidc(VERIFIER))
        hint = (await tokens(browser.http, (await browser.sign_in(NO_PHONE)).code))["id_token"]
        assert (await browser.open(f"{OIDC}/authorize", **oidc(VERIFIER))).code  # it remembers
        forged = {"id_token_hint": hint[:-8] + "AAAAAAAA", "post_logout_redirect_uri": LOGOUT}
        assert await without_cookies.leave(Departure(f"{gosuslugi_url}{OIDC}/logout", forged)) is None
        assert (await browser.open(f"{OIDC}/authorize", **oidc(VERIFIER))).code
        fields = {"id_token_hint": hint, "post_logout_redirect_uri": LOGOUT}
        back = await without_cookies.leave(Departure(f"{gosuslugi_url}{OIDC}/logout", fields))

        assert back is not None
        assert back.address == LOGOUT
        assert await browser.open(f"{OIDC}/authorize", **oidc(VERIFIER)) is None
