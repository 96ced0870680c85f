"""The routes that the page's script for passkeys asks: JSON, from the portal's own pages, a ticket at the end and no cookie."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from medonline.bootstrap import Portal
from medonline.services.crypto.tokens import token_hash
from medonline.web.cookies import SESSION
from tests.services.passkeys.device import Device
from tests.services.world import MovableClock
from tests.web.conftest import Browser
from tests.web.tickets import ticket_of


async def signed_in(portal: Portal, browser: httpx.AsyncClient) -> httpx.AsyncClient:
    await browser.post("/session/open", data={"ticket": await ticket_of(portal, browser)})
    await browser.get("/")  # the name of the browser is another one after a sign-in
    return browser


async def ask(browser: httpx.AsyncClient, what: str, **asked: object) -> Any:
    answer = await browser.post(f"/passkeys/{what}", json=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def with_passkey(portal: Portal, open_browser: Browser) -> Device:
    anna, device = await signed_in(portal, open_browser()), Device()
    added = await ask(anna, "add", answer=device.make(await ask(anna, "add/begin")), name="Мой телефон")
    assert added == {"name": "Мой телефон"}
    return device


async def test_a_passkey_that_was_added_gives_a_ticket_in_another_browser(
    portal: Portal, open_browser: Browser
) -> None:
    device = await with_passkey(portal, open_browser)
    other = open_browser()
    await other.get("/")
    options = await ask(other, "login/begin", purpose="recovery")
    assert (options["rpId"], options["userVerification"]) == ("localhost", "required")
    given = await other.post("/passkeys/login", json={"purpose": "recovery", "answer": device.sign(options)})

    assert given.headers.get("cache-control") == "no-store"
    assert SESSION not in given.headers.get("set-cookie", "")
    opened = await other.post("/session/open", data={"ticket": given.json()["ticket"]})
    assert (opened.status_code, opened.headers["location"]) == (303, "/settings?focus=password")
    assert await portal.login.who(token_hash(other.cookies[SESSION])) is not None


async def test_an_unknown_key_is_named_so_that_the_device_forgets_it(open_browser: Browser) -> None:
    browser = open_browser()
    await browser.get("/")
    device = Device(handle="AAAA")
    answer = await browser.post(
        "/passkeys/login",
        json={"purpose": "sign_in", "answer": device.sign(await ask(browser, "login/begin", purpose="sign_in"))},
    )

    refused = answer.json()
    assert refused["refused"].startswith("Этот вход по отпечатку, лицу или PIN больше не открывает личный кабинет")
    assert refused["unknown"]["rpId"] == "localhost"
    assert len(refused["unknown"]["credentialId"]) == 43


async def test_what_needs_a_proof_or_a_session_says_so(
    portal: Portal, open_browser: Browser, clock: MovableClock
) -> None:
    anna = await signed_in(portal, open_browser())
    clock.move(minutes=16)

    assert (await anna.post("/passkeys/add/begin", json={})).json()["why"] == "prove"
    nobody = open_browser()
    await nobody.get("/")
    for what in ("add/begin", "add"):
        answer = await nobody.post(f"/passkeys/{what}", json={})
        assert answer.json()["why"] == "signed_out"
    assert await ask(nobody, "offer") == {"offer": False}
    answered = await nobody.post("/passkeys/offer", json={"answered": True})
    assert answered.json()["why"] == "signed_out"


async def test_the_offer_is_made_until_it_is_answered(portal: Portal, open_browser: Browser) -> None:
    anna = await signed_in(portal, open_browser())

    assert await ask(anna, "offer") == {"offer": True}
    assert await ask(anna, "offer", answered="yes") == {"offer": True}
    assert await ask(anna, "offer", answered=True) == {"offer": False}
    assert await ask(anna, "offer") == {"offer": False}


@pytest.mark.parametrize("what", ["login/begin", "login", "add/begin", "add", "offer"])
async def test_a_foreign_page_asks_nothing(portal: Portal, open_browser: Browser, what: str) -> None:
    anna = await signed_in(portal, open_browser())
    for origin in ("https://phishing.example", "null"):
        answer = await anna.post(f"/passkeys/{what}", json={}, headers={"Origin": origin})
        assert answer.status_code == 403
        assert "refused" not in answer.text
    assert (await anna.get(f"/passkeys/{what}")).status_code in (404, 405)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"7",
        b'"x"',
        b"{",
        b"\xff",
        b'{"answer": []}',
        b'{"answer": "x"}',
        b"[" * 8000,
        b'{"answer": {"id": 1}}',
    ],
)
async def test_any_other_body_is_refused_in_words(portal: Portal, open_browser: Browser, body: bytes) -> None:
    anna = await signed_in(portal, open_browser())
    for what in ("login", "add"):
        answer = await anna.post(f"/passkeys/{what}", content=body)
        assert answer.json()["refused"].startswith("Устройство не подтвердило, что это вы.")


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("\x00", "Устройство"),
        ("Мой\ud800", "Мой"),
        ("\x1b[31m\r\nМой", "[31m Мой"),
        (["Мой"], "Устройство"),
        ("я" * 999, "я" * 40),
    ],
    ids=["nothing", "half a character", "colours", "a list", "long"],
)
async def test_a_name_that_no_screen_writes_is_kept_as_far_as_one_does(
    portal: Portal, open_browser: Browser, name: object, kept: str
) -> None:
    anna = await signed_in(portal, open_browser())
    answer = Device().make(await ask(anna, "add/begin"))
    # As escapes: no client that counts bytes sends half a character.
    added = await anna.post("/passkeys/add", content=json.dumps({"answer": answer, "name": name}))

    assert added.json() == {"name": kept}


async def test_a_browser_without_cookies_is_told_so(open_browser: Browser) -> None:
    answer = await open_browser().post("/passkeys/login/begin", json={"purpose": "sign_in"})

    assert answer.json()["refused"].startswith("Разрешите куки")


async def test_the_host_is_told(open_browser: Browser) -> None:
    assert (await open_browser().get("/passkeys/host")).json() == {"host": "localhost"}
