"""CR LF, ANSI and other terminal tricks in every value that is logged: one line stays one line, and says nothing of its own."""

from __future__ import annotations

import ast
import logging
import re
import socket
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

import medonline
from medonline.logs.setup import set_up
from medonline.state.socket_server import callable_handlers
from tests.attacks.raw import NAMESPACE, Raw
from tests.e2e.server import Server
from tests.patience import PATIENCE
from tests.state.watching import log_of

PACKAGE = Path(medonline.__file__).parent
FORGED = "FORGED-7f3c"
HOSTILE = f"\r\n2026-01-01T00:00:00.000000Z ERROR medonline.x {FORGED}\x1b[2J\x1b]0;x\x07\x9b1m\u2028\u202e\x00\x85"
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z (DEBUG|INFO|WARNING|ERROR|CRITICAL) [\w.]+ .*")


def logging_calls() -> dict[str, tuple[str, str]]:
    """Where the portal logs -> the method and its text with placeholders."""
    found: dict[str, tuple[str, str]] = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            kind = re.fullmatch(r"_?log(?:ger)?\.(debug|info|warning|error|exception|critical)", called)
            if kind and isinstance(node, ast.Call):
                assert isinstance(node.args[0], ast.Constant), f"{file}:{node.lineno} logs a text that is put together"
                found[f"{file.relative_to(PACKAGE)}:{node.lineno}"] = kind[1], str(node.args[0].value)
    return found


CALLS = logging_calls()


def test_every_place_that_logs_is_known() -> None:
    assert len(CALLS) > 25
    assert sum("%" in text for _, text in CALLS.values()) > 15


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_value_of_any_place_that_logs_makes_a_line_or_moves_the_cursor(
    capsys: pytest.CaptureFixture[str], form: str
) -> None:
    for place, (method, text) in CALLS.items():
        set_up(
            "debug", form
        )  # again for each: this loop is one place, of which no more than 60 lines a minute are written
        values = tuple(7 if kind in "di" else HOSTILE for kind in re.findall(r"%[^%a-z]*([a-z])", text))
        try:
            raise ValueError(HOSTILE)
        except ValueError:
            getattr(logging.getLogger("medonline.somewhere"), method)(text, *values)
        written = capsys.readouterr().err
        assert written.count("\n") == 1, place
        assert not CONTROL.search(written.rstrip("\n")), place


def test_nothing_is_written_past_the_log() -> None:
    """No `print` and no writing to a standard stream where patients are served."""
    for file in PACKAGE.rglob("*.py"):
        if file.name not in ("greeting.py", "frontend.py") and "cli" not in file.relative_to(PACKAGE).parts:  # commands
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call):
                    called = ast.unparse(node.func)
                    assert called not in ("print", "warnings.warn", "sys.stdout.write", "sys.stderr.write"), file


# --- what anybody can send to a server ----------------------------------------------------------------------------

ESCAPED = "%0d%0a2026-01-01T00:00:00.000000Z%20ERROR%20medonline.x%20" + FORGED + "%1b%5b31m%00"
RAW = f"\x1b[31m{FORGED}\x9b1m"
HEADERS = [
    "User-Agent",
    "Cookie",
    "Origin",
    "Referer",
    "X-Forwarded-For",
    "X-Request-Id",
    "X-Request-Timestamp",
    "X-Request-Signature",
    "Sec-Fetch-Site",
    "Content-Type",
    "Accept-Language",
]
PATHS = [
    f"/{ESCAPED}",
    f"/?login={ESCAPED}",
    f"/gosuslugi/return?state={ESCAPED}&code={ESCAPED}",
    f"/gosuslugi/return?state={ESCAPED}&error={ESCAPED}&error_description={ESCAPED}",
    f"/login-failed?reason={ESCAPED}",
    f"/callbacks/telegram?{ESCAPED}",
    f"/assets/{ESCAPED}.js",
    f"/sandbox/{ESCAPED}",
    f"{NAMESPACE}/?EIO=4&transport=websocket&token={ESCAPED}",
    f"{NAMESPACE}/{ESCAPED}",
]


def say(server: Server, request: bytes) -> None:
    """Bytes that no HTTP client would send."""
    address = urlsplit(server.url)
    with socket.create_connection((str(address.hostname), int(address.port or 0)), timeout=PATIENCE) as connection:
        connection.sendall(request)
        while connection.recv(65_536):
            pass


def test_nothing_that_is_sent_forges_a_line_of_the_servers_log(server: Server) -> None:
    logged = len(log_of(server))
    origin = {"Origin": server.url}
    with httpx.Client(base_url=server.url, trust_env=False, timeout=PATIENCE) as http:
        for path in PATHS:
            http.get(path)
            http.post(path, headers=origin, content=HOSTILE.encode())
        for path in ("/session/open", "/session/region", "/gosuslugi/start", "/callbacks/telegram", "/recovery"):
            form = dict.fromkeys(("ticket", "region", "purpose", "consent"), HOSTILE)
            http.post(path, headers=origin, data=form)
            http.post(path, headers=origin, content=HOSTILE.encode())
        for name in HEADERS:
            http.get("/", headers={name: RAW.encode("latin-1")})
            http.post("/callbacks/telegram", headers={name: RAW.encode("latin-1")}, content=b"{}")
    for line in (f"GET /{RAW} HTTP/1.1", f"{RAW} / HTTP/1.1", f"GET / HTTP/1.1\r\nX: a\r\n {RAW}", f"GET / {RAW}"):
        say(server, f"{line}\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode("latin-1"))
    for handler in sorted(callable_handlers()):
        with Raw(server) as attacker:
            attacker.join()
            attacker.call(handler, {"form": {"phone": HOSTILE, "code": HOSTILE, "channel": HOSTILE}, "info": HOSTILE})
            attacker.call(f"{handler}{HOSTILE}")
            attacker.is_closed()
    with Raw(server) as attacker:
        attacker.send(f'42{NAMESPACE},["{FORGED}"]')
        attacker.is_closed()

    news = log_of(server)[logged:]
    lines = news.split("\n")[:-1]
    assert lines
    assert [line for line in lines if not LINE.fullmatch(line) or CONTROL.search(line)] == []
    assert FORGED not in news
