"""Traces: nothing that a patient typed or was sent reaches the collector, and a collector that is gone costs patients nothing."""

from __future__ import annotations

import re
from contextlib import suppress
from urllib.parse import quote

import httpx
import pytest

from medonline.services.desk.accounts import NewAccount
from tests.attacks.conftest import StartServer
from tests.e2e.server import Server, free_port, plain_http
from tests.in_clear import holds_code
from tests.patience import PATIENCE
from tests.state.account_handlers import HANDLERS
from tests.state.steps import begin, wait_for_step
from tests.state.tab import LOGIN, RECOVERY, Closed, Tab
from tests.state.watching import code_to, fresh_phone, log_of, new_tab
from tests.traces.collector import Collector, collecting

PASSWORD = "KorablLipa4781"
NAME, FIRST_NAME, POLICY, EMAIL = "Непохожева", "Аграфена", "7708850314001178", "agrafena@example.ru"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture
def patient() -> str:
    return fresh_phone()


def planted(phone: str) -> dict[str, str]:
    """A form with everything that a patient may type."""
    return {
        "phone": phone,
        "password": PASSWORD,
        "password_confirmation": PASSWORD,
        "current_password": PASSWORD,
        "last_name": NAME,
        "first_name": FIRST_NAME,
        "patronymic": NAME,
        "email": EMAIL,
        "policy": POLICY,
        "birth_date": "17.05.1983",
        "code": "8317",
        "channel": "flash_call",
        "page": "p",
        "token": PASSWORD,
    }


def recovered_and_signed_in(server: Server, phone: str) -> list[str]:
    """A whole journey, then every handler with everything that can be typed. Gives the secrets that came up."""
    with new_tab(server) as tab:
        begin(tab, phone)
        code = code_to(server, phone)
        tab.call(f"{RECOVERY}.confirm_code", form={"code": code})
        wait_for_step(tab, "new_password")
        tab.call(f"{RECOVERY}.change_password", form={"new_password": PASSWORD})
        wait_for_step(tab, "done")
        tab.call(f"{LOGIN}.log_in", form={"phone": phone, "password": PASSWORD, "page": "p"})
        ticket = tab.wait_for(LOGIN, "ticket")
    with httpx.Client(base_url=server.url, trust_env=False, timeout=PATIENCE, cookies=tab.cookies) as http:
        opened = http.post("/session/open", data={"ticket": ticket}, headers={"Origin": server.url})
    cookies = tab.cookies | dict(opened.cookies)
    with httpx.Client(base_url=server.url, trust_env=False, timeout=PATIENCE, cookies=cookies) as http:
        odd = {"User-Agent": quote(NAME), "X-Request-Id": phone[1:], "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
        http.get(f"/recovery?phone={phone}&name={quote(NAME)}", headers=odd)
        http.get(f"/nowhere/{phone}/{quote(NAME)}")
        http.post(f"/gosuslugi/start?{POLICY}", data={"purpose": POLICY}, headers={"Origin": server.url})
        http.request(PASSWORD, "/recovery", headers={"Origin": server.url})
        http.post("/recovery", headers={"Origin": "https://evil.example"})  # a line of the log
    for handler, honest in HANDLERS.items():
        form = {name: planted(phone) if isinstance(value, dict) else PASSWORD for name, value in honest.items()}
        with suppress(Closed), Tab(server.url, cookies) as signed_in:
            signed_in.call(handler, **form)
            signed_in.settle()
    return [ticket, code, *cookies.values()]


def ended(server: Server) -> int:
    """Tell it to end, and wait for it."""
    process = server._process
    assert process is not None
    process.terminate()
    code = int(process.wait(PATIENCE))
    server._process = None
    return code


def test_nothing_of_a_patient_reaches_the_collector(start_server: StartServer, patient: str) -> None:
    with collecting() as collector:
        server = start_server(TRACES_URL=collector.url, LOG_LEVEL="debug")
        server.add_account(NewAccount(patient, None, NAME, FIRST_NAME, NAME))
        secrets = recovered_and_signed_in(server, patient)
        assert ended(server) == 0
    received = b"".join(collector.bodies)
    text = " ".join(f"{one.name} {one.attributes}" for one in collector.spans)

    for value in (patient, patient[1:], patient[2:], PASSWORD, NAME, FIRST_NAME, POLICY, EMAIL, "1983", *secrets[:1]):
        assert value.encode() not in received, value
        assert quote(value).encode() not in received, value
    for secret in secrets[2:]:
        assert secret.encode() not in received
    assert not holds_code(text, secrets[1])
    assert not holds_code(text, "8317")
    assert TRACE not in {one.trace for one in collector.spans}
    assert_tells_the_journey(collector, log_of(server))


def assert_tells_the_journey(collector: Collector, log: str) -> None:
    """It would be easy to be silent about patients by saying nothing."""
    (begun,) = collector.named(f"{RECOVERY}.begin")
    within = [one.name for one in collector.spans if one.trace == begun.trace]
    assert "write PasswordRecoveryService._begin" in within
    (page,) = [one for one in collector.named("GET /recovery") if one.attributes["http.response.status_code"] == 200]
    assert page.attributes["http.route"] == "/recovery"
    calls = collector.named("POST ucaller")
    assert {one.attributes["medonline.outcome"] for one in calls} == {"answered"}
    (refused,) = re.findall(r"Change refused: .+ request=[0-9a-f]{8} trace=([0-9a-f]{32})", log)
    assert [one.name for one in collector.spans if one.trace == refused] == ["POST /recovery"]


def test_a_forged_trace_in_an_event_closes_the_socket(start_server: StartServer) -> None:
    with collecting() as collector:
        server = start_server(TRACES_URL=collector.url)
        with new_tab(server) as tab:
            event = {"name": f"{RECOVERY}.load", "payload": {}, "router_data": {}}
            tab.emit("event", event | {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"})
            tab.wait_until_closed()
        assert ended(server) == 0

    assert TRACE not in {one.trace for one in collector.spans}


@pytest.mark.parametrize("gone", ["silent", "refusing"])
def test_a_collector_that_is_gone_costs_patients_nothing(start_server: StartServer, gone: str, patient: str) -> None:
    with collecting(answers=False) as collector:
        url = collector.url if gone == "silent" else f"http://127.0.0.1:{free_port()}/v1/traces"
        server = start_server(TRACES_URL=url)
        for _ in range(30):
            assert plain_http().get(f"{server.url}/recovery").status_code == 200
        if gone == "silent":
            assert collector.arrived.wait(PATIENCE)
        with new_tab(server) as tab:
            begin(tab, patient)
        assert not collector.may_answer.is_set()
        assert ended(server) == 0  # and it does not wait for the collector either
    assert "Traceback" not in log_of(server)
    assert patient not in log_of(server)
