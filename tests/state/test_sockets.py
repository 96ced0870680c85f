"""The socket: who may open one, what closes it, whose state it shows."""

from __future__ import annotations

import json

import httpx
import pytest
import websocket

from tests.e2e.server import Server
from tests.patience import PATIENCE
from tests.state.steps import begin, has_shown, wait_for_step
from tests.state.tab import ACCOUNT, NAMESPACE, RECOVERY, Closed, Tab
from tests.state.watching import VISITOR, fresh_phone, log_of, new_tab, record, step_of

CANARY = "canary-51bd"


@pytest.mark.parametrize(
    "origin",
    [None, "null", "https://evil.example", "http://127.0.0.1:1", "{url}.evil.example", "{url}/", "https://x{url}"],
)
def test_a_handshake_without_the_portals_origin_is_refused(server: Server, origin: str | None) -> None:
    tab = new_tab(server)
    with pytest.raises(websocket.WebSocketBadStatusException) as refusal:
        tab.open(origin=origin.format(url=server.url) if origin else origin)

    assert refusal.value.status_code == 403


def test_the_page_of_an_address_that_does_not_exist_is_connected(server: Server) -> None:
    address = "/no/such/page"
    router_data = {"pathname": address, "asPath": address, "query": {"splat": address.strip("/").split("/")}}
    with new_tab(server) as tab:
        tab.emit("event", {"name": f"{ACCOUNT}.load_page", "payload": {}, "router_data": router_data})
        tab.settle()


@pytest.mark.parametrize(
    "data",
    [
        ["connect", {"HTTP_COOKIE": f"{VISITOR}={CANARY}", "REMOTE_ADDR": CANARY}],
        ["connect"],
        ["disconnect"],
        [CANARY, {}],
        ["on_event", {}],
        ["__init__", {}],
        [""],
        [],
        [["event"], {}],
        [{"event": CANARY}],
        [None],
        [0],
        {"event": CANARY},
        CANARY,
        None,
        ["event"],
        ["event", CANARY],
        ["event", [CANARY]],
        ["event", None],
        ["event", {}, CANARY],
    ],
    ids=lambda data: json.dumps(data)[:40],
)
def test_an_event_the_portal_does_not_have_closes_the_socket(server: Server, data: object) -> None:
    before, logged = record(server), len(log_of(server))
    with new_tab(server) as tab:
        tab.send_raw(f"42{NAMESPACE},{json.dumps(data)}")
        tab.wait_until_closed()

        assert record(server) == before
        assert CANARY not in log_of(server)[logged:]
        assert "Traceback" not in log_of(server)[logged:]


def test_a_forged_connect_does_not_make_another_browser_of_this_one(server: Server) -> None:
    with new_tab(server) as victim:
        victim.call(f"{RECOVERY}.begin", form={"phone": fresh_phone(), "channel": "flash_call"})
        victim.wait_for(RECOVERY, "screen")
        cookie = f"{VISITOR}={victim.cookies[VISITOR]}"
        scope = {"type": "websocket", "headers": [["cookie", cookie]], "client": ["192.0.2.1", 1]}
        with new_tab(server) as thief:
            thief.emit("connect", {"asgi.scope": scope, "HTTP_COOKIE": cookie, "QUERY_STRING": f"token={victim.token}"})
            thief.wait_until_closed()
            assert all("900 ***" not in frame for frame in thief.said)
        victim.settle()


@pytest.mark.parametrize("event", [CANARY, [CANARY], {"name": CANARY}, {"name": {}, "payload": CANARY}, {}, 7])
def test_an_event_in_the_connect_packet_is_no_way_around(server: Server, event: object) -> None:
    before, logged = record(server), len(log_of(server))
    tab = new_tab(server)
    try:
        tab.open(auth={"event": event})
        tab.settle()
    except Closed:
        pass  # refused: as good
    finally:
        tab.close()

    assert record(server) == before
    assert CANARY not in log_of(server)[logged:]


def test_cookies_are_in_nothing_the_server_sends(server: Server) -> None:
    with new_tab(server) as tab:
        tab.cookies["medonline_session"] = "s" * 43
        secret = tab.cookies[VISITOR].partition(".")[0]
    with Tab(server.url, tab.cookies) as tab:
        tab.call(f"{ACCOUNT}.load_home")
        tab.call(f"{RECOVERY}.load")
        tab.call(f"{RECOVERY}.begin", form={"phone": fresh_phone(), "channel": "flash_call"})
        tab.wait_for(RECOVERY, "screen")
        tab.settle()

        said = "".join(tab.said)
        assert secret not in said
        assert "s" * 43 not in said
        assert "cookie" not in said.lower()


def test_another_browser_with_the_same_client_token_does_not_see_the_first_ones_state(server: Server) -> None:
    with new_tab(server) as anna:
        anna.call(f"{RECOVERY}.begin", form={"phone": fresh_phone(), "channel": "flash_call"})
        masked = anna.wait_for(RECOVERY, "screen")["phone"]
        boris = new_tab(server)
        boris.token = anna.token
        nobody = Tab(server.url, token=anna.token)
        for other in (boris, nobody):
            with other:
                other.call(f"{RECOVERY}.load")
                other.call(f"{ACCOUNT}.load_home")
                other.settle()
                assert masked
                assert masked not in "".join(other.said)
        anna.settle()  # still its own


def test_a_tab_after_a_sign_out_does_not_see_what_was_shown_before(server: Server) -> None:
    with new_tab(server) as before:
        before.call(f"{RECOVERY}.begin", form={"phone": fresh_phone(), "channel": "flash_call"})
        masked = before.wait_for(RECOVERY, "screen")["phone"]
    after = Tab(server.url, {**before.cookies, VISITOR: "n" * 43}, before.token)
    with after:
        after.call(f"{RECOVERY}.load")
        after.settle()

        assert masked not in "".join(after.said)


def test_an_open_page_comes_back_under_the_name_that_its_browser_has_now(server: Server) -> None:
    with new_tab(server) as tab:
        begin(tab, fresh_phone())
        cookies = posted(server, tab.cookies, "/gosuslugi/start", purpose="recovery")
        tab.wait_until_closed()
    assert cookies[VISITOR] != tab.cookies[VISITOR]
    with Tab(server.url, tab.cookies, tab.token) as under_the_old_name:
        under_the_old_name.call(f"{RECOVERY}.load")
        under_the_old_name.settle()
        assert not has_shown(under_the_old_name, "code")
    with Tab(server.url, cookies, tab.token) as again:
        again.call(f"{RECOVERY}.load")
        wait_for_step(again, "code")


def test_an_open_page_does_not_stay_at_its_step_after_a_sign_out(server: Server) -> None:
    with new_tab(server) as tab:
        begin(tab, fresh_phone())
        cookies = posted(server, tab.cookies, "/session/close")
        tab.wait_until_closed()
    assert step_of(server, tab) is None
    with Tab(server.url, cookies, tab.token) as again:
        again.call(f"{RECOVERY}.load")
        again.settle()
        assert not has_shown(again, "code")


def posted(server: Server, cookies: dict[str, str], path: str, **form: str) -> dict[str, str]:
    """What the browser has after a plain form."""
    with httpx.Client(base_url=server.url, trust_env=False, timeout=PATIENCE, cookies=cookies) as http:
        answer = http.post(path, data=form, headers={"Origin": server.url})
    return cookies | dict(answer.cookies)


def test_a_pages_own_ping_is_answered(server: Server) -> None:
    with new_tab(server) as tab:
        tab.emit("ping")
        tab.settle()

        assert any('"pong"' in frame or frame.startswith(f'42{NAMESPACE},["ping"') for frame in tab.said)
