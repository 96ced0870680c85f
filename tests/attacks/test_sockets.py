"""Who may open a socket and what closes it; nothing an attacker sends is in the log (docs/decisions/0010)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import websocket

from tests.attacks.raw import HYDRATE, NAMESPACE, SHOW, SIGN_OF_LIFE, STATE, Raw
from tests.e2e.server import Server
from tests.state.tab import LOGIN, RECOVERY, visitor_cookies
from tests.state.watching import log_of, record

CANARY = "canary-77c0"
BEGIN = f"{RECOVERY}.begin"
MASKED = "900 ***"  # of the phone number that a recovery shows
N = NAMESPACE


@pytest.fixture
def quiet(server: Server) -> Iterator[None]:
    """The attack has no effect, and its words are not in the log."""
    before, logged = record(server), len(log_of(server))
    yield
    news = log_of(server)[logged:]
    assert record(server) == before
    assert CANARY not in news
    assert "Traceback" not in news


# --- the handshake ---------------------------------------------------------------------------------------------------

FOREIGN = [
    None,
    "null",
    "https://evil.example",
    "{url}.evil.example",
    "{url}/",
    "http://127.0.0.1:1",
    "file://",
    CANARY,
]


@pytest.mark.parametrize("origin", FOREIGN)
@pytest.mark.usefixtures("quiet")
def test_a_handshake_from_a_foreign_page_is_refused(server: Server, origin: str | None) -> None:
    attacker = Raw(server, origin=origin.format(url=server.url) if origin else None)
    with pytest.raises(websocket.WebSocketBadStatusException) as refusal, attacker:
        pass
    assert refusal.value.status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/cards",
        "/sandbox/phone",
        f"/{CANARY}",
        f"{N}/{CANARY}",
        f"{N}/?EIO=3&transport=websocket",
        f"{N}/?EIO=4&transport=polling",
        f"{N}/?EIO=4&transport={CANARY}",
        f"{N}/?EIO=4&transport=websocket&sid={CANARY}",
        f"{N}/?EIO=4&transport=websocket&sid=0",
        f"{N}/",
    ],
)
@pytest.mark.usefixtures("quiet")
def test_there_is_no_socket_at_another_address(server: Server, path: str) -> None:
    try:
        with Raw(server, path=path) as attacker:
            assert attacker.is_closed()
    except websocket.WebSocketBadStatusException as refusal:
        assert 400 <= refusal.status_code < 500


@pytest.mark.usefixtures("quiet")
def test_a_handshake_that_never_joins_is_closed(server: Server) -> None:
    with Raw(server) as attacker:
        assert attacker.is_closed()


@pytest.mark.usefixtures("quiet")
def test_pongs_are_no_joining(server: Server) -> None:
    with Raw(server) as attacker:
        attacker.hear()
        attacker.send("3")
        attacker.send("3")
        assert attacker.is_closed()


@pytest.mark.parametrize("token", ["", CANARY * 1000, "%00%ff", "a&token=b", "%C3%A9"])
@pytest.mark.usefixtures("quiet")
def test_any_token_of_a_tab_is_taken_and_leads_to_a_state_of_its_own(server: Server, token: str) -> None:
    path = f"{N}/?EIO=4&transport=websocket&token={token}"
    with Raw(server, path=path) as attacker:
        assert attacker.join().serves()


@pytest.mark.usefixtures("quiet")
def test_bytes_that_no_address_has_are_refused_before_the_handshake(server: Server) -> None:
    attacker = Raw(server, path=f"{N}/?EIO=4&transport=websocket&token=\u00e9{CANARY}")
    with pytest.raises(websocket.WebSocketBadStatusException) as refusal, attacker:
        pass
    assert refusal.value.status_code == 400


# --- frames ----------------------------------------------------------------------------------------------------------

MALFORMED: list[str | bytes] = [
    "",
    " ",
    "x",
    "0",
    "2",
    "2probe",
    "3probe",
    "5",
    "6",
    "7",
    "4",
    "40",
    "42",
    "42[]",
    '42["event",{}]',
    '40/,{"x":1}',
    f"40/{CANARY},",
    f"40{N}",
    f"40{N},[]",
    f'40{N},"{CANARY}"',
    f"40{N},{{",
    f"41{N},{{}}",
    f"42{N}",
    f"42{N},",
    f"42{N},{{}}",
    f"42{N},[",
    f'42{N},["event",',
    f'42{N},7["event",{{"name":"{SHOW}"}}]',
    f'42{N},{"9" * 200}["event",{{}}]',
    f'43{N},1["{CANARY}"]',
    f'44{N},"{CANARY}"',
    f'45{N},1-["event",{{"_placeholder":true,"num":0}}]',
    f'451-{N},["event",{{"_placeholder":true,"num":0}}]',
    f'459999999999-{N},["{CANARY}"]',
    f"461-{N},1[]",
    f"42{N}?x=1,[]",
    f"42{N}\x00,[]",
    f"42{N},[NaN]",
    f"42{N},[{'9' * 5000}]",
    f"42{N},{'[' * 60_000}",
    f"42{N},{'[' * 20_000}{']' * 20_000}",
    f'42{N},["event",{"[" * 400}{"]" * 400}]',
    f'42{N},["\\ud800"]',
    "4" + "1" * 5000,
    '4{"a":1}',
    "4[1,2]",
    "bAAAA",
    "b!!!",
    "1x",
    b"",
    b"4",
    b"5",
    f'42{N},["event",{{}}]'.encode(),
    b"\xff\xfe\x00",
    "٤٢",
    "\U0001f600" * 100,
]


def test_there_are_enough_of_them() -> None:
    assert len(MALFORMED) >= 27
    assert len({repr(frame) for frame in MALFORMED}) == len(MALFORMED)


@pytest.mark.parametrize("frame", MALFORMED, ids=lambda frame: ascii(frame)[:40])
@pytest.mark.usefixtures("quiet")
def test_a_malformed_frame_closes_the_socket(server: Server, frame: str | bytes) -> None:
    with Raw(server) as first:
        first.hear()
        first.send(frame)
        assert first.is_closed()
    with Raw(server) as later:
        later.join()
        later.send(frame)
        assert later.is_closed()


@pytest.mark.parametrize(
    "data",
    [
        b"\x81\x05Hello",  # not masked
        b"\x83\x80\x00\x00\x00\x00",  # an opcode that is reserved
        b"\xc1\x80\x00\x00\x00\x00",  # a reserved bit
        b"\x89\xfe\x00\xff\x00\x00\x00\x00" + b"p" * 255,  # a ping too long for a ping
        b"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00",  # 16 exabytes are announced
        b"\x81\x82\x00\x00\x00\x00\xc3\x28",  # text that is no UTF-8
        b"GET / HTTP/1.1\r\n\r\n",
    ],
    ids=lambda data: data[:8].hex(),
)
@pytest.mark.usefixtures("quiet")
def test_bytes_that_are_no_websocket_close_the_socket(server: Server, data: bytes) -> None:
    with Raw(server) as attacker:
        attacker.join()
        attacker.send_bytes(data)
        assert attacker.is_closed()


@pytest.mark.parametrize("size", [64 * 1024 + 1, 1024 * 1024])
@pytest.mark.parametrize("joined", [True, False])
@pytest.mark.usefixtures("quiet")
def test_a_frame_over_64_kb_closes_the_socket(server: Server, size: int, joined: bool) -> None:
    with Raw(server) as attacker:
        if joined:
            attacker.join()
        attacker.send(f'42{N},["event",{{"name":"{SHOW}","payload":{{"number":"{CANARY.ljust(size, "9")}"}}}}]')
        assert attacker.is_closed()


# --- events ----------------------------------------------------------------------------------------------------------

FORGED = {"HTTP_COOKIE": f"medonline_session={CANARY}", "REMOTE_ADDR": CANARY, "asgi.scope": {"client": [CANARY, 1]}}
EVENTS: list[Any] = [
    ["connect", FORGED],
    ["connect", FORGED, {"event": {"name": BEGIN}}],
    ["connect"],
    ["disconnect"],
    ["disconnect", CANARY],
    ["on_connect", FORGED],
    ["trigger_event", "connect"],
    [CANARY, {}],
    ["message", CANARY],
    ["new_token", CANARY],
    ["reload", {}],
    ["__class__", {}],
    ["ping", CANARY],
    ["client_error", [CANARY]],
    ["client_error", {"message": {"x": CANARY}}],
    ["event"],
    ["event", None],
    ["event", CANARY],
    ["event", {}, CANARY],
    ["event", {"name": None}],
    ["event", {"name": [SHOW]}],
    ["event", {"name": SHOW, "payload": CANARY}],
    ["event", {"name": SHOW, "payload": [CANARY]}],
    ["event", {"name": SHOW, "payload": {"number": [[[[[[[[[[CANARY]]]]]]]]]]}}],
    ["event", {"name": SHOW, "token": CANARY}],
    ["event", {"name": SHOW, "router_data": CANARY}],
    ["event", {"name": SHOW, "router_data": {"headers": {"cookie": CANARY}}}],
    ["event", {"name": SHOW, "router_data": {"ip": CANARY}}],
    ["event", {"name": SHOW, "router_data": {"session_id": CANARY}}],
    ["event", {"name": SHOW, "router_data": {"pathname": [CANARY]}}],
    ["event", {"name": SHOW, "router_data": {"pathname": CANARY * 1000}}],
    ["event", {"name": SHOW, "router_data": {"query": {"a": [CANARY]}}}],
    ["event", {"name": SHOW, "router_data": {"query": {"splat": [[CANARY]]}}}],
    ["event", {"name": SHOW, "router_data": {"query": {"splat": [CANARY * 1000]}}}],
]
UNKNOWN = [
    CANARY,
    "",
    "show",
    f"{STATE}.{CANARY}",
    f"{STATE}.setvar",
    f"{STATE}.reset",
    f"{STATE}.hydrate",
    f"{STATE}.set_is_hydrated",
    f"{STATE}.get_state",
    f"{LOGIN}.setvar",
    f"{LOGIN}.set_ticket",
    f"{LOGIN}._show",
    f"{LOGIN}.__init__",
    f"{STATE}.reflex___state____on_load_internal_state.set_is_hydrated",
    f"{STATE}.reflex___state____update_vars_internal_state.update_vars_internal",
    f"{SHOW} ",
    f"{SHOW}\x00",
    SHOW.upper(),
    "os.system",
    "_redirect",
    "_call_script",
]


@pytest.mark.parametrize("data", EVENTS, ids=lambda data: json.dumps(data)[:60])
@pytest.mark.usefixtures("quiet")
def test_an_event_the_portal_does_not_have_closes_the_socket(server: Server, data: Any) -> None:
    with Raw(server) as attacker:
        attacker.join()
        attacker.send(f"42{N},{json.dumps(data)}")
        assert attacker.is_closed()


@pytest.mark.parametrize("name", UNKNOWN, ids=ascii)
@pytest.mark.usefixtures("quiet")
def test_a_handler_that_pages_do_not_call_closes_the_socket(server: Server, name: str) -> None:
    with Raw(server) as attacker:
        attacker.join()
        attacker.call(name, {"var_name": "ticket", "value": CANARY})
        assert attacker.is_closed()


@pytest.mark.parametrize(
    "auth",
    [
        *({"event": {"name": name, "payload": {}}} for name in UNKNOWN),
        *({"event": data[1]} for data in EVENTS if data[0] == "event" and len(data) == 2 and data[1] is not None),
        {"event": ["event", {"name": SHOW}]},
        {"token": CANARY},
        {"event": {"name": HYDRATE}, "cookie": CANARY},
        {"state_schema": [CANARY]},
        {"state_schema": CANARY * 100},
        {"state_schema": None, "event": CANARY},
    ],
    ids=lambda auth: json.dumps(auth)[:60],
)
@pytest.mark.usefixtures("quiet")
def test_an_event_in_the_connect_packet_is_no_way_around(server: Server, auth: Any) -> None:
    with Raw(server) as attacker:
        attacker.send(f"40{N},{json.dumps(auth)}")
        assert attacker.is_closed()


def test_a_forged_connect_changes_nothing_for_anyone(server: Server) -> None:
    cookies = visitor_cookies(server.url)
    cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
    with Raw(server, cookie=cookie) as victim:
        victim.join()
        victim.call(BEGIN, {"form": {"phone": "+79000003999", "channel": "flash_call"}})
        while MASKED not in victim.hear():
            pass
        with Raw(server, token=victim.token) as thief:
            thief.join()
            scope = {"type": "websocket", "headers": [["cookie", cookie]], "client": ["192.0.2.1", 1]}
            environment = {"HTTP_COOKIE": cookie, "asgi.scope": scope, "QUERY_STRING": f"token={victim.token}"}
            thief.send(f"42{N},{json.dumps(['connect', environment, {'event': {'name': HYDRATE, 'payload': {}}}])}")
            assert thief.is_closed()
            assert not any(MASKED in frame for frame in thief.heard)
        assert victim.serves()


@pytest.mark.parametrize("joined", [True, False])
@pytest.mark.usefixtures("quiet")
def test_a_socket_that_says_goodbye_is_let_go(server: Server, joined: bool) -> None:
    with Raw(server) as page:
        if joined:
            page.join()
        page.send("1")
        with Raw(server) as later:
            later.join()
            assert page.is_closed()
            assert page.closed_with == 1000
            assert later.serves()
            assert SIGN_OF_LIFE not in later.heard, (
                "Engine.IO would keep the page past the other's sign of life, for 20 s"
            )


# --- order and pace --------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("quiet")
def test_an_event_before_joining_closes_the_socket(server: Server) -> None:
    with Raw(server) as attacker:
        attacker.call(SHOW, {"number": "abc"})
        assert attacker.is_closed()


@pytest.mark.usefixtures("quiet")
def test_joining_twice_closes_the_socket(server: Server) -> None:
    with Raw(server) as attacker:
        attacker.join()
        attacker.send(f"40{N},")
        assert attacker.is_closed()


@pytest.mark.usefixtures("quiet")
def test_an_event_after_leaving_closes_the_socket(server: Server) -> None:
    with Raw(server) as attacker:
        attacker.join()
        attacker.send(f"41{N},")
        attacker.call(SHOW, {"number": "abc"})
        assert attacker.is_closed()


@pytest.mark.parametrize("frame", ["3", f'42{N},["ping"]'])
@pytest.mark.usefixtures("quiet")
def test_more_frames_than_a_hand_can_cause_close_the_socket(server: Server, frame: str) -> None:
    with Raw(server) as attacker:
        attacker.join()
        while attacker.send(frame):
            pass
        assert attacker.is_closed()


def test_a_busy_page_is_served(server: Server) -> None:
    with Raw(server) as page:
        page.join()
        for _ in range(40):
            page.call(SHOW, {"number": "abc"})
        assert page.serves()
