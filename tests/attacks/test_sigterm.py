"""SIGTERM in the middle of a handler and of a send: the server ends by itself, nothing is half-done, no one is called twice."""

from __future__ import annotations

import json
import re
import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version

import pytest

from tests.attacks.conftest import StartServer
from tests.e2e.server import Server, plain_http
from tests.patience import PATIENCE
from tests.state.steps import wait_for_step
from tests.state.tab import LOGIN, RECOVERY, Tab
from tests.state.watching import ask, log_of, new_tab

KNOWN, NEW = "+79000001002", "KorablLipa47"


class SlowProvider(ThreadingHTTPServer):
    """uCaller as far as a call goes; answers when it is told to."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Call)
        self.asked: list[str] = []
        self.arrived, self.answer = threading.Event(), threading.Event()
        self.answer.set()


class _Call(BaseHTTPRequestHandler):
    server: SlowProvider

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        answer = {"status": True, "ucaller_id": 5, "code": "0427", "call_status": 1}
        if self.path.endswith("/initCall"):
            self.server.asked.append(request["unique"])
            self.server.arrived.set()
            self.server.answer.wait(PATIENCE)
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_values: object) -> None:
        return None


@pytest.fixture(scope="module")
def provider() -> Iterator[SlowProvider]:
    provider = SlowProvider()
    serving = threading.Thread(target=provider.serve_forever, daemon=True)
    serving.start()
    yield provider
    provider.shutdown()
    provider.server_close()


@pytest.fixture(scope="module")
def mortal(start_server: StartServer, provider: SlowProvider) -> Server:
    return start_server(UCALLER_BASE_URL=f"http://127.0.0.1:{provider.server_port}", RESEND_PAUSES="1 s")


def terminate(server: Server) -> None:
    """Say SIGTERM; `end_of` waits."""
    assert server._process is not None
    server._process.terminate()


def end_of(server: Server) -> int:
    assert server._process is not None
    code = server._process.wait(PATIENCE)
    server._process = None
    return int(code)


def is_listening(server: Server) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", server.port)) == 0


def test_ready_says_no_while_new_connections_are_still_taken(start_server: StartServer) -> None:
    """So that a balancer turns away before anybody meets a closed port."""
    server = start_server(DRAIN="5 min")
    http = plain_http()
    assert http.get(f"{server.url}/health/ready").status_code == 200

    terminate(server)
    for _ in range(int(PATIENCE * 20)):
        ready = http.get(f"{server.url}/health/ready")  # a connection of its own each time
        if ready.status_code == 503:
            break
        threading.Event().wait(0.05)
    page = http.get(f"{server.url}/recovery")
    terminate(server)  # asked twice: without the rest of the drain

    assert (ready.status_code, ready.json()["process"]) == (503, "stopping")
    assert page.status_code == 200
    assert end_of(server) == 0
    assert not is_listening(server)
    who = f"medonline {version('medonline')} (demo)"
    steps = re.findall(r" INFO medonline\.web\.wire\.server (.+)", log_of(server))
    assert steps == [
        f"Started: {who} serves 127.0.0.1:{server.port}",
        "Told to end: not ready any more, and no new connection after 300 s",
        "Stopping: no new connection; what is under way is finished",
        f"Stopped: {who}",
    ]


def again(server: Server, tab: Tab) -> Tab:
    """The same tab after a reload."""
    return Tab(server.url, tab.cookies, tab.token)


def wait_until_all_are_sent(server: Server) -> None:
    question = "SELECT count(*) FROM one_time_code WHERE delivery IN ('queued', 'sending')"
    for _ in range(int(PATIENCE * 20)):
        if ask(server, question) == [(0,)]:
            return
        threading.Event().wait(0.05)
    pytest.fail("codes are still waiting")


def test_a_recovery_cut_off_while_it_calls_and_while_it_writes_goes_on_after_the_restart(
    mortal: Server, provider: SlowProvider
) -> None:
    logged = len(log_of(mortal))
    provider.arrived.clear()
    provider.answer.clear()
    with new_tab(mortal) as tab:
        tab.call(f"{RECOVERY}.begin", form={"phone": KNOWN, "channel": "flash_call"})
        assert provider.arrived.wait(PATIENCE)
        terminate(mortal)  # in the middle of a send
        provider.answer.set()
        assert end_of(mortal) == 0
    ((delivery, reference),) = ask(mortal, "SELECT delivery, provider_ref FROM one_time_code")
    assert (delivery, reference) == ("sent", "5")  # it was waited for, and recorded

    mortal.start()
    with again(mortal, tab) as tab:
        tab.call(f"{RECOVERY}.confirm_code", form={"code": "0427"})
        wait_for_step(tab, "new_password")
        before = ask(mortal, "SELECT * FROM patient ORDER BY id")
        with closing(sqlite3.connect(mortal.data_dir / "medonline.sqlite3", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")  # so the handler is in the middle of it
            tab.call(f"{RECOVERY}.change_password", form={"new_password": NEW})
            terminate(mortal)
            assert end_of(mortal) == 0
            other.execute("ROLLBACK")
    assert ask(mortal, "SELECT step FROM password_recovery") == [("new_password",)]
    assert ask(mortal, "SELECT * FROM patient ORDER BY id") == before

    mortal.start()
    with again(mortal, tab) as tab:
        tab.call(f"{RECOVERY}.change_password", form={"new_password": NEW})
        wait_for_step(tab, "done")
        tab.call(f"{LOGIN}.log_in", form={"phone": KNOWN, "password": NEW, "page": "p"})
        assert len(tab.wait_for(LOGIN, "ticket")) == 43
    assert len(provider.asked) == 1
    news = log_of(mortal)[logged:]
    for secret in (NEW, "Traceback", "UPDATE "):
        assert secret not in news


def test_frames_that_arrive_while_it_ends_do_all_or_nothing(mortal: Server, provider: SlowProvider) -> None:
    """Many patients at once, at whatever point SIGTERM finds each of them."""
    tabs = [new_tab(mortal).open() for _ in range(8)]
    for number, tab in enumerate(tabs):
        tab.call(f"{RECOVERY}.begin", form={"phone": f"+790000019{number:02d}", "channel": "flash_call"})
    terminate(mortal)
    assert end_of(mortal) == 0
    for tab in tabs:
        tab.close()
    recoveries = ask(mortal, "SELECT id FROM password_recovery WHERE phone LIKE '+790000019%' ORDER BY id")
    flows = ask(mortal, "SELECT flow_id FROM one_time_code WHERE phone LIKE '+790000019%' ORDER BY flow_id")
    assert recoveries == flows  # each recovery with its code, or neither

    mortal.start()
    wait_until_all_are_sent(mortal)
    assert len(provider.asked) == len(set(provider.asked)) == len(flows) + 1
