"""Each wrong setting and each vendor that is down makes `doctor` fail with a sentence that names it, and with no trace of the code."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from medonline.config.settings import load_config
from tests.cli.commands import ADD, findings
from tests.providers.limits.redis_server import redis_server
from tests.providers.private_vendor import HOST, authority, connect_proxy, tls_vendor
from tests.sandbox.server import free_port

KEY = "2b7e151628aed2a6abf7158809cf4f3c"
PRODUCTION = {
    "MODE": "production",
    "TRUSTED_PROXY_HOPS": "1",
    "PUBLIC_URL": "https://portal.example.ru",
    "SECRET_KEY": KEY,
    "CODE_CHANNELS": "flash_call",
    "UCALLER_KEY": "a-key",
    "UCALLER_SERVICE_ID": "42",
}
ESIA = {
    "IDENTITY_PROVIDER": "esia",
    "ESIA_CLIENT_ID": "MEDONLINE",
    "ESIA_CERTIFICATE_HASH": "A" * 64,
    "ESIA_SIGNER": "http",
    "ESIA_SIGNER_URL": "http://127.0.0.1:1/sign",
    "OPERATOR_NAME": "Министерство",
}


class Vendor(threading.Thread):
    """Answers every request alike; counts nothing, keeps nothing."""

    def __init__(self, status: str, body: str, date: datetime) -> None:
        super().__init__(daemon=True)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        head = f"HTTP/1.1 {status}\r\nDate: {format_datetime(date, usegmt=True)}\r\nConnection: close\r\n"
        self._answer = f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()

    def run(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                connection.sendall(self._answer)

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.join()


@contextmanager
def vendor(status: str = "200 OK", body: str = "{}", ahead: timedelta = timedelta(0)) -> Iterator[str]:
    made = Vendor(status, body, datetime.now(UTC) + ahead)
    made.start()
    try:
        yield made.address
    finally:
        made.close()


def production(monkeypatch: pytest.MonkeyPatch, **changes: str) -> None:
    monkeypatch.delenv("MEDONLINE_PORT")
    for name, value in {**PRODUCTION, **changes}.items():
        monkeypatch.setenv(f"MEDONLINE_{name}", value)


@pytest.mark.parametrize(
    ("changes", "subject", "says"),
    [
        ({"TRUSTED_PROXY_HOPS": "0"}, "proxy", "MEDONLINE_TRUSTED_PROXY_HOPS is 0, and MEDONLINE_PUBLIC_URL is https"),
        ({"PUBLIC_URL": "https://portal.example.ru/med"}, "", "MEDONLINE_PUBLIC_URL is scheme and host alone"),
        ({"PUBLIC_URL": "https://portal.example.ru?a=b"}, "", "MEDONLINE_PUBLIC_URL is scheme and host alone"),
        ({"PUBLIC_URL": "https://a:b@portal.example.ru"}, "", "MEDONLINE_PUBLIC_URL is scheme and host alone"),
        ({"UCALLER_BASE_URL": "http://ucaller.example.ru"}, "", "MEDONLINE_UCALLER_BASE_URL must be an https address"),
        (
            {"CODE_CHANNELS": "telegram", "TELEGRAM_TOKEN": "t", "TELEGRAM_BASE_URL": "http://10.0.0.5"},
            "",
            "MEDONLINE_TELEGRAM_BASE_URL must be an https address",
        ),
        (
            {"CARD_REGISTRY_URL": "http://10.0.0.5/fhir", "CARD_REGISTRY_TOKEN": "t"},
            "",
            "MEDONLINE_CARD_REGISTRY_URL must be an https address",
        ),
        (
            {"LIMITS_STORAGE": "redis://10.0.0.5:6379"},
            "",
            "MEDONLINE_LIMITS_STORAGE goes to another machine without TLS",
        ),
        ({"SECRET_KEY": "k" * 40}, "", "MEDONLINE_SECRET_KEY repeats itself"),
        ({"DATABASE_URL": "postgresql+psycopg://u:canary@127.0.0.1:1/x"}, "database", "does not answer"),
        ({"ESIA_KEYS": "NOTHING"} | ESIA, "identity", "MEDONLINE_ESIA_KEYS: "),
        (
            {"ESIA_KEYS": "KEY", **ESIA, "ESIA_CERTIFICATE_HASH": "12"},
            "identity",
            "MEDONLINE_ESIA_CERTIFICATE_HASH cannot",
        ),
        ({"ESIA_KEYS": "MISSING"} | ESIA, "", "MEDONLINE_ESIA_KEYS (1): there is no file"),
    ],
)
def test_a_wrong_setting_is_named(
    run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, changes: dict[str, str], subject: str, says: str
) -> None:
    files = {"NOTHING": tmp_path / "no.pem", "MISSING": tmp_path / "missing.pem"}
    files["NOTHING"].write_text("-----BEGIN CERTIFICATE-----\nbm90aGluZw==\n-----END CERTIFICATE-----\n")
    files["KEY"] = load_config().esia_keys[0]  # of the demo's stand-in
    changes = {name: str(files.get(value, value)) for name, value in changes.items()}
    production(monkeypatch, **{"UCALLER_BASE_URL": f"http://127.0.0.1:{free_port()}"} | changes)
    code, out, err = run("doctor")

    assert code == 1
    assert says in (findings(out)[subject][1] if subject else err)
    assert not subject or findings(out)[subject][0] == "FAIL"
    assert "Traceback" not in out + err
    assert "canary" not in out + err
    if not subject or subject == "identity":  # the start refuses it, too
        monkeypatch.setattr("medonline.frontend.is_fresh", lambda: True)
        assert run("accounts", "list")[::2] == (1, err or f"{findings(out)[subject][1]}\n")


def test_the_portals_own_certificate_is_no_key_of_esia(run, monkeypatch: pytest.MonkeyPatch) -> None:
    own = load_config().esia_client_certificate_file
    monkeypatch.setenv("MEDONLINE_ESIA_KEYS", str(own))
    code, out, _ = run("doctor")

    assert code == 1
    assert findings(out)["identity"] == (
        "FAIL",
        f"MEDONLINE_ESIA_KEYS: {own} cannot be used: it is the portal's own certificate, not one of ESIA's.",
    )


def test_a_key_that_the_rows_do_not_know_is_named_and_writes_nothing(
    run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run(*ADD, "--phone", "+79000002001", stdin="Zima2026")
    monkeypatch.setenv("MEDONLINE_SECRET_KEY", KEY)
    monkeypatch.setattr("medonline.frontend.is_fresh", lambda: True)
    code, out, _ = run("doctor")

    assert code == 1
    assert findings(out)["key of the rows"][0] == "FAIL"
    assert "MEDONLINE_OLD_SECRET_KEYS" in findings(out)["key of the rows"][1]
    for arguments in (["serve"], [*ADD, "--phone", "+79000002002"]):
        code, _, err = run(*arguments, stdin="Zima2026")
        assert (code, err) == (1, f"{findings(out)['key of the rows'][1]}\n")
    monkeypatch.setenv("MEDONLINE_OLD_SECRET_KEYS", (tmp_path / "demo.key").read_text())
    assert "key of the rows" not in findings(run("doctor")[1])
    assert run("journal", "verify")[0] == 0


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("http://vendor.invalid", "does not answer: ProviderDown: ucaller: its name has no address (DNS)"),
        ("http://127.0.0.1:FREE", "does not answer: ProviderDown: ucaller: the connection is refused"),
        ("https://127.0.0.1:PLAIN", "does not answer: ProviderDown: ucaller: TLS: "),
    ],
)
def test_why_a_vendor_does_not_answer_is_told(run, monkeypatch: pytest.MonkeyPatch, address: str, says: str) -> None:
    with vendor() as plain:
        address = address.replace("FREE", str(free_port())).replace("PLAIN", plain.rpartition(":")[2])
        monkeypatch.setenv("MEDONLINE_UCALLER_BASE_URL", address)
        code, out, _ = run("doctor")

    assert code == 1
    assert findings(out)["flash_call"][0] == "FAIL"
    assert says in findings(out)["flash_call"][1]


@pytest.mark.parametrize(
    ("status", "body", "ahead", "says"),
    [
        (
            "404 Not Found",
            "<html>",
            0,
            "answers, and cannot be used: ProviderRefused: ucaller: HTTP 404: there is no /v1.0/",
        ),
        ("503 Busy", "<html>", 0, "does not answer: ProviderDown: ucaller: HTTP 503"),
        (
            "200 OK",
            "{}",
            300,
            "answers, and cannot be used: ProviderRefused: ucaller: its clock and this machine's differ by ",
        ),
    ],
)
def test_a_vendor_that_cannot_be_used_is_told(
    run, monkeypatch: pytest.MonkeyPatch, status: str, body: str, ahead: int, says: str
) -> None:
    with vendor(status, body, timedelta(seconds=ahead)) as address:
        monkeypatch.setenv("MEDONLINE_UCALLER_BASE_URL", address)
        _, out, _ = run("doctor")

    assert findings(out)["flash_call"][0] == "FAIL"
    assert says in findings(out)["flash_call"][1]


@pytest.mark.parametrize(
    ("ended", "mark", "says"),
    [(None, "ok", "the first of 1 certificates in "), (timedelta(days=3), "FAIL", "CN=a root of the region ended on ")],
)
def test_when_the_trusted_roots_end_is_told(
    run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ended: timedelta | None, mark: str, says: str
) -> None:
    root = authority(tmp_path / "authority", "a root of the region", ended).root
    monkeypatch.setenv("MEDONLINE_UCALLER_CA_FILE", str(root))
    found = findings(run("doctor")[1])["trusted roots"]

    assert found[0] == mark
    assert f"MEDONLINE_UCALLER_CA_FILE: {says}" in found[1]


def test_roots_that_are_none_are_refused_in_one_sentence(run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "roots.pem"
    monkeypatch.setenv("MEDONLINE_CA_FILE", str(file))

    assert run("doctor") == (
        1,
        "",
        f"MEDONLINE_CA_FILE names {file}, which cannot be read: No such file or directory.\n",
    )
    file.write_text("no roots")
    assert run("doctor") == (1, "", f"MEDONLINE_CA_FILE names {file}, which is no PEM file of certificates.\n")


def test_a_vendor_is_asked_through_the_proxy_and_believed_by_its_root(
    run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    of_vendor = authority(tmp_path / "authority")
    with tls_vendor(of_vendor) as port, connect_proxy() as proxy:
        monkeypatch.setenv("MEDONLINE_UCALLER_BASE_URL", f"https://{HOST}:{port}")
        monkeypatch.setenv("MEDONLINE_OUTGOING_PROXY", proxy.address)
        without = findings(run("doctor")[1])["flash_call"]
        monkeypatch.setenv("MEDONLINE_UCALLER_CA_FILE", str(of_vendor.root))
        found = findings(run("doctor")[1])["flash_call"]

    assert (without[0], "its certificate is not trusted" in without[1]) == ("FAIL", True)
    assert "not trusted" not in found[1]
    assert f"https://{HOST}:{port} through the proxy 127.0.0.1" in found[1]
    assert len(proxy.asked) == 2


def test_a_vendor_that_answers_in_json_is_there(run, monkeypatch: pytest.MonkeyPatch) -> None:
    for status in ("200 OK", "404 Not Found"):  # a method that misses its parameters
        with vendor(status) as address:
            monkeypatch.setenv("MEDONLINE_UCALLER_BASE_URL", address)
            assert findings(run("doctor")[1])["flash_call"][0] == "ok"


def test_a_password_that_redis_refuses_is_told_apart_from_a_silent_redis(
    run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "redis").mkdir()
    with redis_server(tmp_path / "redis") as server:
        for address in (f"redis://:canary@127.0.0.1:{server.port}/0", f"redis://127.0.0.1:{server.port}/0"):
            monkeypatch.setenv("MEDONLINE_LIMITS_STORAGE", address)
            mark, text = findings(run("doctor")[1])["limits"]
            assert mark == "FAIL"
            assert text.startswith("Redis answers and refuses the password of MEDONLINE_LIMITS_STORAGE")
        monkeypatch.setenv("MEDONLINE_LIMITS_STORAGE", server.address)
        assert findings(run("doctor")[1])["limits"] == ("ok", "Redis answers")
    assert findings(run("doctor")[1])["limits"][1].startswith("Redis does not answer")


def test_a_clock_that_differs_from_the_databases_is_told(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("medonline.cli.doctor.clock_ahead", lambda _session: timedelta(seconds=-90))

    assert findings(run("doctor")[1])["clock"][0] == "FAIL"
    assert "differ by 90 s" in findings(run("doctor")[1])["clock"][1]


def test_below_each_failure_is_a_hint_where_it_is_asked_for(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDONLINE_UCALLER_BASE_URL", f"http://127.0.0.1:{free_port()}")
    plain = run("doctor")[1].splitlines()
    hinted = run("doctor", "--fix-hints")[1].splitlines()

    fails = [line for line in plain if line.startswith("FAIL")]
    assert fails
    assert [line for line in hinted if not line.startswith("      hint: ")] == plain
    for number, line in enumerate(hinted):
        assert line.startswith("FAIL") == (
            hinted[number + 1 : number + 2] != [] and hinted[number + 1].startswith("      hint: ")
        )
