"""The visitor cookie changes on the way to Gosuslugi, at a sign-in and at a sign-out: a copy of the one before shows nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from medonline import bootstrap
from medonline.bootstrap import Portal
from medonline.domain.client import Client
from medonline.domain.password_recovery import RecoveryStep
from medonline.domain.personal_data_consent import VERSION
from medonline.services.crypto.tokens import new_token
from medonline.web.cookies import SESSION, SITTING, VISITOR, issued_visitor_key_in, sitting_key_in, visitor_key_in
from tests.services.outside import VERA, ScriptedIdentity, provider_of, with_provider
from tests.services.world import CALL, KNOWN, MovableClock, last_code, opened, prove, told_of
from tests.web.conftest import Browser
from tests.web.tickets import ticket_of

HOST = "127.0.0.1"  # of ORIGIN: a cookie set without it would stay beside the portal's own
START, RETURN, LEAVE = "/gosuslugi/start", "/gosuslugi/return", "/gosuslugi/leave"


@pytest.fixture
async def portal(folder: Path, clock: MovableClock) -> AsyncIterator[Portal]:
    async with opened(folder, clock) as portal:
        yield with_provider(portal, ScriptedIdentity())


@pytest.fixture
async def anna(open_browser: Browser) -> httpx.AsyncClient:
    browser = open_browser()
    await browser.get("/")
    return browser


def key_of(browser: httpx.AsyncClient) -> str:
    return issued_visitor_key_in(browser.cookies)


def named(key: str) -> Client:
    return Client(visitor_key=key)


def in_its_sitting(browser: httpx.AsyncClient) -> Client:
    return Client(visitor_key=key_of(browser), sitting_key=sitting_key_in(browser.cookies))


def copy_of(browser: httpx.AsyncClient, open_browser: Browser) -> httpx.AsyncClient:
    """Another browser with the same cookies."""
    thief = open_browser()
    for name, value in browser.cookies.items():
        thief.cookies.set(name, value, domain=HOST)
    return thief


def answer_of(portal: Portal) -> dict[str, str]:
    provider = provider_of(portal)
    return {"state": provider.asked[-1].state, "code": provider.code_for(VERA)}


async def step_of(portal: Portal, visitor_key: str) -> RecoveryStep | None:
    view = await portal.recovery.current(named(visitor_key))
    return view.step if view else None


async def test_the_way_to_gosuslugi_and_back_goes_on_under_another_name(
    portal: Portal, anna: httpx.AsyncClient
) -> None:
    before = key_of(anna)
    await portal.recovery.begin(named(before), KNOWN, CALL)
    await anna.post(START, data={"purpose": "recovery"})
    after = key_of(anna)
    await anna.get("/recovery")  # a second tab

    assert after not in ("", before)
    assert key_of(anna) == after
    assert await step_of(portal, before) is None
    assert await step_of(portal, after) is RecoveryStep.CODE
    assert (await anna.get(RETURN, params=answer_of(portal))).headers["location"] == "/register"


async def test_a_copied_cookie_shows_neither_the_journey_nor_who_waits_for_consent(
    portal: Portal, anna: httpx.AsyncClient, open_browser: Browser
) -> None:
    thief = copy_of(anna, open_browser)
    await anna.post(START, data={"purpose": "login"})
    back = answer_of(portal)
    stolen = await thief.get(RETURN, params=back)
    assert (await anna.get(RETURN, params=back)).headers["location"] == "/register"

    assert stolen.headers["location"] == "/login-failed?reason=stale"
    assert await portal.answers.current(named(key_of(thief))) is None
    assert await portal.answers.current(named(key_of(anna))) is not None


async def test_a_name_that_a_stranger_made_up_is_not_kept_on_the_way(portal: Portal, open_browser: Browser) -> None:
    """Planted before: it has no mark of the portal, and would get one from any page."""
    planted = new_token()
    victim = open_browser()
    victim.cookies.set(VISITOR, planted, domain=HOST)
    answer = await victim.post(START, data={"purpose": "login"})

    assert len([line for line in answer.headers.get_list("set-cookie") if line.startswith(VISITOR)]) == 1
    assert key_of(victim) not in ("", visitor_key_in({VISITOR: planted}))


async def test_a_start_that_is_refused_changes_no_name(portal: Portal, anna: httpx.AsyncClient) -> None:
    before = key_of(anna)
    provider_of(portal).down = True
    answer = await anna.post(START, data={"purpose": "login"})

    assert answer.headers["location"].startswith("/login-failed")
    assert key_of(anna) == before


async def test_a_sign_in_ends_the_recovery_of_this_browser_and_its_name(
    portal: Portal, anna: httpx.AsyncClient
) -> None:
    before = key_of(anna)
    ticket = await ticket_of(portal, anna)
    await prove(portal, named(before))
    await anna.post("/session/open", data={"ticket": ticket})

    assert key_of(anna) not in ("", before)
    assert await step_of(portal, before) is None
    assert await step_of(portal, key_of(anna)) is None


async def test_a_sign_in_through_gosuslugi_ends_the_recovery_of_this_browser_and_its_name(
    portal: Portal, anna: httpx.AsyncClient
) -> None:
    await prove(portal, named(key_of(anna)))
    await anna.post(START, data={"purpose": "login", "consent": VERSION})
    on_the_way = key_of(anna)
    await anna.get(RETURN, params=answer_of(portal))

    assert SESSION in anna.cookies
    assert key_of(anna) != on_the_way
    assert await step_of(portal, on_the_way) is None


async def test_signing_out_leaves_nothing_to_the_next_person(portal: Portal, anna: httpx.AsyncClient) -> None:
    await anna.post("/session/open", data={"ticket": await ticket_of(portal, anna)})
    signed_in = key_of(anna)
    await prove(portal, named(signed_in))
    await anna.post("/session/close")

    assert key_of(anna) not in ("", signed_in)
    assert await step_of(portal, signed_in) is None
    assert await step_of(portal, key_of(anna)) is None


async def test_letting_another_person_to_gosuslugi_leaves_nothing_either(
    portal: Portal, anna: httpx.AsyncClient
) -> None:
    before = key_of(anna)
    await prove(portal, named(before))
    await anna.post(LEAVE)

    assert key_of(anna) not in ("", before)
    assert await step_of(portal, before) is None


async def test_a_ticket_that_is_none_changes_no_name(portal: Portal, anna: httpx.AsyncClient) -> None:
    before = key_of(anna)
    await portal.recovery.begin(named(before), KNOWN, CALL)
    await anna.post("/session/open", data={"ticket": new_token()})

    assert key_of(anna) == before
    assert await step_of(portal, before) is RecoveryStep.CODE


async def test_open_pages_are_closed_when_the_browser_has_the_new_name(portal: Portal, anna: httpx.AsyncClient) -> None:
    told = told_of(portal, "visitor")
    names = [key_of(anna)]
    await anna.post(START, data={"purpose": "login"})
    names.append(key_of(anna))
    await anna.post("/session/open", data={"ticket": await ticket_of(portal, anna)})
    names.append(key_of(anna))
    await anna.post("/session/close")

    assert told == names
    assert len(set(names)) == 3


async def test_without_a_cookie_nobody_is_told(portal: Portal, open_browser: Browser) -> None:
    told = told_of(portal, "visitor")
    await open_browser().post("/session/close")

    assert told == []


# --- a sitting --------------------------------------------------------------------------------------------------


async def proved(portal: Portal, browser: httpx.AsyncClient) -> None:
    """The phone is proved in this browser."""
    await portal.recovery.begin(named(key_of(browser)), KNOWN, CALL)
    code = await last_code(portal)
    await portal.recovery.confirm_code(in_its_sitting(browser), code)


async def shown(portal: Portal, browser: httpx.AsyncClient) -> RecoveryStep | None:
    view = await portal.recovery.current(in_its_sitting(browser))
    return view.step if view else None


async def close_and_open_again(browser: httpx.AsyncClient) -> None:
    """What ends with a browser is gone, what has a date is there."""
    browser.cookies.delete(SITTING)
    await browser.get("/recovery")


async def test_a_page_begins_a_sitting_that_ends_with_the_browser(anna: httpx.AsyncClient) -> None:
    sitting = anna.cookies[SITTING]
    answer = await anna.get("/recovery")
    anna.cookies.delete(SITTING)
    again = await anna.get("/recovery")

    assert "set-cookie" not in answer.headers
    assert again.headers.get_list("set-cookie") == [
        f"{SITTING}={anna.cookies[SITTING]}; Path=/; HttpOnly; SameSite=Lax"
    ]
    assert anna.cookies[SITTING] != sitting
    assert len(anna.cookies[SITTING]) == 43


async def test_the_next_person_at_a_shared_computer_finds_no_proof(portal: Portal, anna: httpx.AsyncClient) -> None:
    await proved(portal, anna)
    await anna.get("/recovery")
    assert await shown(portal, anna) is RecoveryStep.NEW_PASSWORD
    await close_and_open_again(anna)

    assert await shown(portal, anna) is None


async def test_who_closes_the_browser_before_the_code_came_goes_on(portal: Portal, anna: httpx.AsyncClient) -> None:
    await portal.recovery.begin(named(key_of(anna)), KNOWN, CALL)
    await close_and_open_again(anna)

    assert await shown(portal, anna) is RecoveryStep.CODE


async def test_the_start_page_ends_a_proof(portal: Portal, anna: httpx.AsyncClient) -> None:
    await proved(portal, anna)
    await anna.get("/")

    assert await shown(portal, anna) is None


@pytest.mark.parametrize(
    "headers", [{"Sec-Purpose": "prefetch;prerender"}, {"Purpose": "prefetch"}, {"Sec-Fetch-Dest": "empty"}]
)
async def test_what_nobody_looks_at_ends_no_proof(
    portal: Portal, anna: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    await proved(portal, anna)
    await anna.get("/", headers=headers)
    await anna.head("/")

    assert await shown(portal, anna) is RecoveryStep.NEW_PASSWORD


async def test_the_start_page_comes_without_a_database(
    portal: Portal, anna: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        async def leave_proved(self, _visitor_key: str) -> None:
            raise OSError("secret")

    bootstrap._portal = replace(portal, recovery=Broken())  # type: ignore[arg-type]
    assert (await anna.get("/")).status_code == 200
    assert [message for message in caplog.messages if "OSError" in message and "secret" not in message]


async def test_a_proof_goes_along_to_gosuslugi_in_its_sitting(portal: Portal, anna: httpx.AsyncClient) -> None:
    await proved(portal, anna)
    sitting = anna.cookies[SITTING]
    await anna.post(START, data={"purpose": "recovery"})

    assert anna.cookies[SITTING] == sitting
    assert await shown(portal, anna) is RecoveryStep.NEW_PASSWORD


async def test_signing_in_and_out_begin_a_sitting_each(portal: Portal, anna: httpx.AsyncClient) -> None:
    sittings = [anna.cookies[SITTING]]
    await anna.post("/session/open", data={"ticket": await ticket_of(portal, anna)})
    sittings.append(anna.cookies[SITTING])
    await anna.post("/session/close")
    sittings.append(anna.cookies[SITTING])

    assert len(set(sittings)) == 3
