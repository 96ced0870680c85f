"""The account's handlers, called by anyone, in any order, with anything: no effect without the session or the step (I9)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import pytest
import reflex as rx

from medonline import bootstrap
from medonline.bootstrap import Portal
from medonline.domain.client import Client
from medonline.services.crypto.tokens import token_hash
from medonline.state import account_sessions, account_settings, login, patient_cards
from medonline.state.account_settings import SettingsState
from medonline.state.gosuslugi import link_account, login_failed, register
from medonline.state.gosuslugi.link_account import LinkAccountState
from medonline.state.login import LoginState
from medonline.state.reauthentication import ReauthenticationState
from medonline.web.sockets.server import Visitor
from tests.e2e.server import Server
from tests.patience import PATIENCE
from tests.services.gosuslugi.journeys import MARIA
from tests.services.outside import VERA, ScriptedIdentity, arrive, with_provider
from tests.services.world import ANNA, CALL, KNOWN, PASSWORD, UNKNOWN, MovableClock, last_code, sign_in
from tests.state.account_handlers import (
    CANARY,
    CARDS,
    FAILED,
    FORM,
    HANDLERS,
    LINK,
    OUT_OF_ORDER,
    REAUTHENTICATION,
    REGISTER,
    SESSIONS,
    SETTINGS,
    record,
)
from tests.state.tab import LOGIN, Tab
from tests.state.watching import log_of, new_tab

NO_TEXT = [
    None,
    0,
    1.5,
    True,
    [],
    ["flash_call"],
    {},
    {"phone": CANARY},
    CANARY,
    "\x00",
    [[[]]],
    CANARY.ljust(60_000, "9"),
]
VALUES = [None, 7, True, [CANARY], {"text": CANARY}, f"{CANARY}\x00", CANARY.ljust(60_000, "9")]


@pytest.fixture
def quiet(server: Server) -> Iterator[None]:
    """No handler may fail, and nothing that was sent may be logged."""
    logged = len(log_of(server))
    yield
    new = log_of(server)[logged:]
    assert "A handler failed" not in new
    assert CANARY not in new


@pytest.fixture(scope="module")
def cookies(server: Server) -> dict[str, str]:
    """A browser in which Мария is signed in."""
    with httpx.Client(base_url=server.url, trust_env=False, timeout=PATIENCE) as http:
        http.get("/").raise_for_status()
        with Tab(server.url, dict(http.cookies)) as tab:
            tab.call(f"{LOGIN}.log_in", form={"phone": KNOWN, "password": PASSWORD, "page": "p"})
            ticket = tab.wait_for(LOGIN, "ticket")
        http.post("/session/open", data={"ticket": ticket}, headers={"Origin": server.url})
        return dict(http.cookies)


def call_all_ways(tab: Tab, handler: str, honest: dict[str, Any]) -> None:
    tab.call(handler, **honest)
    for name, value in honest.items():
        for odd in NO_TEXT:
            tab.call(handler, **{name: odd})
        tab.settle()
        if isinstance(value, dict):
            tab.call(handler, **{name: {field: {"x": CANARY} for field in value}})
    tab.settle()


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("handler", HANDLERS)
def test_without_a_session_or_a_journey_nothing_has_an_effect(server: Server, handler: str) -> None:
    before = record(server)
    with new_tab(server) as tab:
        call_all_ways(tab, handler, HANDLERS[handler])

        assert record(server) == before


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("handler", HANDLERS)
def test_without_any_cookie_nothing_has_an_effect(server: Server, handler: str) -> None:
    before = record(server)
    with Tab(server.url) as tab:
        tab.call(handler, **HANDLERS[handler])
        tab.settle()

        assert record(server) == before


@pytest.mark.parametrize("handler", HANDLERS)
def test_a_call_without_its_values_or_with_others_has_no_effect_and_is_not_logged(
    server: Server, cookies: dict[str, str], handler: str
) -> None:
    before, logged = record(server), len(log_of(server))
    changes = handler in (f"{SESSIONS}.end_others", f"{CARDS}.fetch", f"{CARDS}.load", f"{CARDS}.refresh")
    with new_tab(server) if changes else Tab(server.url, cookies) as tab:
        tab.call(handler)
        tab.call(handler, unexpected=CANARY)
        tab.call(handler, **HANDLERS[handler], unexpected=CANARY)
        tab.settle()

        assert record(server) == before
        assert CANARY not in log_of(server)[logged:]


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("handler", OUT_OF_ORDER)
def test_a_signed_in_patient_out_of_order_has_no_effect(server: Server, cookies: dict[str, str], handler: str) -> None:
    before = record(server)
    with Tab(server.url, cookies) as tab:
        call_all_ways(tab, handler, HANDLERS[handler])

        assert record(server) == before


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("handler", [f"{SETTINGS}.save", f"{SETTINGS}.prove", f"{CARDS}.link"])
def test_a_signed_in_patients_field_that_is_no_text_changes_nothing(
    server: Server, cookies: dict[str, str], handler: str
) -> None:
    before = record(server)
    with Tab(server.url, cookies) as tab:
        for odd in NO_TEXT:
            tab.call(handler, form=odd)
        tab.settle()
    for name in ("last_name", "first_name", "phone", "policy", "current_password"):
        with Tab(server.url, cookies) as tab:  # a socket takes so many bytes at once
            for odd in VALUES:
                form = {"phone": KNOWN, "last_name": "Иванова", "first_name": "Мария"} | {name: odd}
                tab.call(handler, form=form)
            tab.settle()

    assert record(server) == before


@pytest.mark.parametrize(
    ("state", "variable", "value"),
    [
        (SETTINGS, "phone", CANARY),
        (REAUTHENTICATION, "asked", False),
        (CARDS, "unlinking", CANARY),
        (SESSIONS, "notice", CANARY),
        (REGISTER, "ticket", CANARY),
        (LINK, "ticket", CANARY),
        (LINK, "step", CANARY),
        (FAILED, "text", CANARY),
    ],
)
def test_a_client_cannot_set_a_variable(server: Server, state: str, variable: str, value: object) -> None:
    logged = len(log_of(server))
    for handler, payload in (
        ("setvar", {"var_name": variable, "value": value}),
        (f"set_{variable}", {"value": value}),
    ):
        with new_tab(server) as tab:
            tab.call(f"{state}.{handler}", **payload)
            tab.wait_until_closed()

            assert all(CANARY not in frame for frame in tab.said)
            assert CANARY not in log_of(server)[logged:]


@pytest.mark.usefixtures("quiet")
def test_a_signed_out_tab_sees_no_more_of_the_account(server: Server, cookies: dict[str, str]) -> None:
    gone = {name: value for name, value in cookies.items() if "session" not in name}
    with Tab(server.url, cookies) as tab:
        tab.call(f"{SETTINGS}.load")
        assert tab.wait_for(SETTINGS, "first_name") == "Мария"
        token = tab.token
    with Tab(server.url, gone, token) as stale:
        for name in (f"{SETTINGS}.load", f"{CARDS}.load", f"{SESSIONS}.load"):
            stale.call(name)
        stale.settle()

        assert all("Мария" not in frame and "Иванова" not in frame for frame in stale.said)


@pytest.mark.usefixtures("quiet")
def test_an_unknown_reason_in_the_address_is_not_repeated(server: Server) -> None:
    with new_tab(server) as tab:
        path = f"/login-failed?reason={CANARY}"
        router = {"pathname": "/login-failed", "query": {"reason": CANARY}, "asPath": path}
        tab.emit("event", {"name": f"{FAILED}.load", "payload": {}, "router_data": router})
        text = tab.wait_for(FAILED, "text")

        assert text
        assert CANARY not in text


# --- passwords are never kept in a state ------------------------------------------------------------------------

SECRETS = ("KorablLipa47", "Lipa47Korabl", "nedostatochno", PASSWORD, "$argon2id$")


@pytest.fixture
def seen_as(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> Callable[[Portal, Client, str], None]:
    """Let the handlers of this process serve this portal to this browser."""

    def see(of: Portal, client: Client, session_key: str) -> None:
        visitor = Visitor(visitor_key=client.visitor_key, session_key=session_key, address="192.0.2.1")
        monkeypatch.setattr(bootstrap, "_portal", of)
        for module in (account_settings, patient_cards, account_sessions, register, link_account, login_failed, login):
            monkeypatch.setattr(module, "visitor_of", lambda _: visitor)

    return see


def new_state(kind: type[rx.State]) -> tuple[rx.State, Any]:
    root = rx.State(_reflex_internal_init=True)
    return root, root.get_substate(kind.get_full_name().split("."))


async def run(state: Any, handler: str, *values: Any) -> None:
    await type(state).event_handlers[handler].fn(state, *values)


def assert_keeps_no_secret(root: rx.State, state: Any) -> None:
    kept = root._serialize() + repr((state.dict(), vars(state))).encode()
    assert all(secret.encode() not in kept for secret in SECRETS)


@pytest.mark.parametrize(
    "password",
    [
        {},
        {"password": "nedostatochno"},
        {"password_confirmation": "Lipa47Korabl"},
        {"password": "nedostatochno", "password_confirmation": "nedostatochno", "phone": "123"},
    ],
    ids=["saved", "one alone", "differ", "refused"],
)
async def test_a_password_that_was_saved_or_refused_is_not_in_the_state(
    portal: Portal, seen_as: Callable[[Portal, Client, str], None], password: dict[str, str]
) -> None:
    seen_as(portal, ANNA, token_hash(await sign_in(portal, ANNA)))
    root, state = new_state(SettingsState)
    await run(state, "load")
    await run(state, "save", FORM | {"phone": KNOWN, "email": ""} | password)

    assert state.saved or state.errors
    assert_keeps_no_secret(root, state)


async def test_a_password_that_waits_for_the_code_is_not_in_the_state(
    portal: Portal, seen_as: Callable[[Portal, Client, str], None], clock: MovableClock
) -> None:
    seen_as(portal, ANNA, token_hash(await sign_in(portal, ANNA)))
    root, state = new_state(SettingsState)
    await run(state, "save", FORM)
    assert state.waiting_code
    assert_keeps_no_secret(root, state)

    clock.move(minutes=16)
    await run(state, "save", FORM)
    panel = root.get_substate(ReauthenticationState.get_full_name().split("."))
    assert panel.asked
    await run(state, "prove", {"current_password": "Lipa47Korabl"})
    assert panel.error
    await run(state, "prove", {"current_password": PASSWORD})
    assert not panel.asked
    assert state.proofs == 1
    assert_keeps_no_secret(root, state)


@pytest.mark.parametrize("password", SECRETS[:3])
async def test_a_password_that_was_rated_is_not_in_the_state(
    portal: Portal, seen_as: Callable[[Portal, Client, str], None], password: str
) -> None:
    seen_as(portal, ANNA, token_hash(await sign_in(portal, ANNA)))
    root, state = new_state(SettingsState)
    await run(state, "rate_password", password)

    assert state.strength
    assert_keeps_no_secret(root, state)


@pytest.mark.parametrize("session_key", ["", "0" * 64])
async def test_without_a_session_no_password_is_rated(
    portal: Portal, seen_as: Callable[[Portal, Client, str], None], session_key: str
) -> None:
    seen_as(portal, ANNA, session_key)
    _, state = new_state(SettingsState)
    await run(state, "rate_password", "KorablLipa47")

    assert not state.strength


async def test_a_password_that_proves_is_not_in_the_state(
    portal: Portal, seen_as: Callable[[Portal, Client, str], None]
) -> None:
    served = with_provider(portal, ScriptedIdentity())
    seen_as(served, ANNA, "")
    await arrive(served, ANNA, VERA)
    root, state = new_state(LinkAccountState)
    await served.answers.have_account(ANNA)
    await run(state, "load")
    await run(state, "prove_by_password", {"phone": KNOWN, "password": "nedostatochno", "page": "p"})
    await run(state, "prove_by_password", {"phone": KNOWN, "password": PASSWORD, "page": "p"})

    assert state.error
    assert_keeps_no_secret(root, state)


@pytest.mark.parametrize("phone", [KNOWN, UNKNOWN])
async def test_a_code_that_was_accepted_is_not_followed(
    portal: Portal, monkeypatch: pytest.MonkeyPatch, seen_as: Callable[[Portal, Client, str], None], phone: str
) -> None:
    """Its answer leads elsewhere: a screen that calls the code dead meanwhile would ask for another one in vain."""
    served = with_provider(portal, ScriptedIdentity())
    seen_as(served, ANNA, "")
    await arrive(served, ANNA, MARIA)
    looks: list[Any] = []

    async def follow(
        _state: Any, _is_on_screen: Any, look: Callable[[Visitor], Any], _show: Any
    ) -> AsyncIterator[None]:
        looks.append(await look(Visitor(visitor_key=ANNA.visitor_key, address="192.0.2.1")))
        yield

    monkeypatch.setattr(link_account, "follow", follow)
    _, state = new_state(LinkAccountState)
    watch = LinkAccountState.event_handlers["watch"].fn
    await served.answers.send_code(ANNA, phone, CALL)
    [_ async for _ in watch(state)]
    await served.answers.confirm_code(ANNA, await last_code(served))
    [_ async for _ in watch(state)]

    assert [look is not None for look in looks] == [True, False]


async def test_a_password_that_signs_in_is_not_in_the_state(
    portal: Portal, seen_as: Callable[[Portal, Client, str], None]
) -> None:
    seen_as(portal, ANNA, "")
    root, state = new_state(LoginState)
    await run(state, "log_in", {"phone": KNOWN, "password": "nedostatochno", "page": "p"})
    assert state.error
    await run(state, "log_in", {"phone": KNOWN, "password": PASSWORD, "page": "p"})

    assert state.ticket
    assert_keeps_no_secret(root, state)
