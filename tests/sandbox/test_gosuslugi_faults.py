"""Faults of the stand-in: switched on for everybody, by page and by JSON, kept over a restart."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from medonline.sandbox.gosuslugi.faults import LABELS, Fault
from tests.patience import PATIENCE
from tests.sandbox.gosuslugi import (
    CLIENT_ID,
    CLIENT_SECRET,
    ISSUER,
    NO_PHONE,
    RETURN,
    Person,
    ac,
    oidc,
    running_gosuslugi,
    switch,
    te,
    verifying_key,
)

ANY_HEADER = JWSRegistry(strict_check_header=False)
VERIFIER = "v" * 50
SECRET = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running_gosuslugi() as address:
        yield address


@pytest.fixture
async def http(url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=PATIENCE) as client:
        yield client
        await switch(client, "none")


async def esia(http: httpx.AsyncClient) -> httpx.Response:
    async with Person(str(http.base_url)) as browser:
        await browser.open("/gosuslugi/aas/oauth2/v2/ac", **ac())
        back = await browser.sign_in(NO_PHONE)
    return await http.post("/gosuslugi/aas/oauth2/v3/te", data=te(back.code))


async def openid(http: httpx.AsyncClient) -> httpx.Response:
    async with Person(str(http.base_url)) as browser:
        await browser.open("/gosuslugi/oidc/authorize", **oidc(VERIFIER))
        back = await browser.sign_in(NO_PHONE)
    given = {"grant_type": "authorization_code", "code": back.code, "redirect_uri": RETURN, "code_verifier": VERIFIER}
    return await http.post("/gosuslugi/oidc/token", data=given | SECRET)


def claims(token: str, key: str = "signing") -> dict[str, Any]:
    return jwt.decode(token, verifying_key(key), algorithms=["RS256"], registry=ANY_HEADER).claims


FACES = pytest.mark.parametrize("face", [esia, openid])


@FACES
async def test_html_500(http: httpx.AsyncClient, face: Any) -> None:
    await switch(http, "html_500")
    answer = await face(http)

    assert (answer.status_code, answer.headers["Content-Type"].split(";")[0]) == (500, "text/html")


@FACES
async def test_slow(http: httpx.AsyncClient, face: Any) -> None:
    await switch(http, "slow")
    http.timeout = httpx.Timeout(5, read=0.2)
    with pytest.raises(httpx.ReadTimeout):
        await face(http)


@FACES
async def test_oversized(http: httpx.AsyncClient, face: Any) -> None:
    await switch(http, "oversized")

    assert len((await face(http)).content) >= 2_000_000


@FACES
async def test_rotated_key(http: httpx.AsyncClient, face: Any) -> None:
    await switch(http, "rotated_key")
    token = (await face(http)).json()["id_token"]

    assert claims(token, "rotated")
    with pytest.raises(JoseError):
        claims(token)


async def test_a_rotated_key_is_published_beside_the_old_one(http: httpx.AsyncClient) -> None:
    before = (await http.get("/gosuslugi/oidc/jwks")).json()["keys"]
    await switch(http, "rotated_key")
    published = (await http.get("/gosuslugi/oidc/jwks")).json()
    token = (await openid(http)).json()["id_token"]

    assert len(before) == 1
    assert published["keys"][0] == before[0]
    assert jwt.decode(token, KeySet.import_key_set(published), algorithms=["RS256"]).header["kid"] != before[0]["kid"]


@FACES
async def test_wrong_issuer(http: httpx.AsyncClient, face: Any) -> None:
    await switch(http, "wrong_issuer")
    got = claims((await face(http)).json()["id_token"])

    assert got["iss"] not in (ISSUER, f"{str(http.base_url).rstrip('/')}/gosuslugi/oidc")


@FACES
async def test_wrong_audience(http: httpx.AsyncClient, face: Any) -> None:
    await switch(http, "wrong_audience")

    assert claims((await face(http)).json()["id_token"])["aud"] != CLIENT_ID


@FACES
async def test_expired_token(http: httpx.AsyncClient, face: Any) -> None:
    await switch(http, "expired_token")

    assert claims((await face(http)).json()["id_token"])["exp"] < time.time() - 600


@FACES
async def test_unsigned(http: httpx.AsyncClient, face: Any) -> None:
    await switch(http, "unsigned")
    head, body, signature = (await face(http)).json()["id_token"].split(".")

    assert json.loads(base64.urlsafe_b64decode(head + "=="))["alg"] == "none"
    assert str(json.loads(base64.urlsafe_b64decode(body + "=="))["sub"]) == str(NO_PHONE.oid)
    assert signature == ""


async def test_code_used(http: httpx.AsyncClient) -> None:
    await switch(http, "code_used")

    assert (await esia(http)).json()["error_description"].startswith("ESIA-007011")
    assert (await openid(http)).json()["error"] == "invalid_grant"


async def test_unavailable(http: httpx.AsyncClient) -> None:
    await switch(http, "unavailable")
    async with Person(str(http.base_url)) as browser:
        back = await browser.open("/gosuslugi/aas/oauth2/v2/ac", **ac())
        assert back.query["error_description"].startswith("ESIA-007008")
        back = await browser.open("/gosuslugi/oidc/authorize", **oidc(VERIFIER))
        assert back.query["error"] == "temporarily_unavailable"


async def test_the_page_shows_and_switches_the_fault(http: httpx.AsyncClient) -> None:
    page = (await http.get("/gosuslugi/faults")).text
    assert all(label in page for label in LABELS.values())
    assert 'value="none" checked' in page

    answer = await http.post("/gosuslugi/faults", data={"fault": "slow"}, follow_redirects=True)

    assert 'value="slow" checked' in answer.text
    assert f"Сейчас: <strong>{LABELS[Fault.SLOW]}</strong>" in answer.text
    assert (await http.get("/gosuslugi/faults.json")).json() == {"fault": "slow"}


@pytest.mark.parametrize("body", [b"", b"[]", b'{"fault": "fire"}', b'{"fault": ["none"]}', b"{"])
async def test_an_unknown_fault_changes_nothing(http: httpx.AsyncClient, body: bytes) -> None:
    await switch(http, "code_used")

    assert (await http.post("/gosuslugi/faults.json", content=body)).status_code == 400
    assert (await http.post("/gosuslugi/faults", data={"fault": "fire"})).status_code == 400
    assert (await http.get("/gosuslugi/faults.json")).json() == {"fault": "code_used"}


def test_every_fault_has_a_label() -> None:
    assert set(LABELS) == set(Fault)


async def test_fault_session_and_code_outlive_a_restart(tmp_path: Path) -> None:
    store = tmp_path / "sandbox.sqlite3"
    with running_gosuslugi(store=store) as url:
        async with Person(url) as browser:
            await browser.open("/gosuslugi/aas/oauth2/v2/ac", **ac())
            code = (await browser.sign_in(NO_PHONE)).code
            await switch(browser.http, "wrong_issuer")
            cookies = dict(browser.http.cookies)
    with running_gosuslugi(store=store) as url:
        async with Person(url) as browser:
            answer = await browser.http.post("/gosuslugi/aas/oauth2/v3/te", data=te(code))
            browser.http.cookies.update(cookies)

            assert claims(answer.json()["id_token"])["iss"] != ISSUER
            assert (await browser.open("/gosuslugi/aas/oauth2/v2/ac", **ac())).code
