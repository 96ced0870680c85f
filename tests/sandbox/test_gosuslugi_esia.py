"""ESIA's own protocol at the stand-in: the start of a sign-in, its way back, signing out."""

from __future__ import annotations

import re

import httpx
import pytest

from tests.sandbox.gosuslugi import (
    AC,
    BY_NAME,
    CLIENT_ID,
    DENIES,
    LOGOUT,
    NEW,
    NO_PHONE,
    RETURN,
    SCOPES,
    Person,
    ac,
    challenge_of,
    sign,
)
from tests.sandbox.gosuslugi_esia import BREACHES


async def test_a_sign_in_comes_back_with_a_code_and_the_state(gosuslugi_url: str) -> None:
    asked = ac()
    async with Person(gosuslugi_url) as browser:
        assert await browser.open(AC, **asked) is None
        back = await browser.sign_in(NEW)

    assert back.address.startswith(f"{RETURN}&code=")
    assert back.query["state"] == asked["state"]
    assert 1000 <= len(back.code) <= 1400
    assert back.code.count(".") == 2


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
