"""Each wrong setting and each vendor that is down makes `doctor` fail with a sentence that names it, and with no trace of the code."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import httpx
import pytest

from medonline.bootstrap import build_portal
from medonline.cli.checks import links
from medonline.config.records import MAX_ORIGIN
from medonline.config.settings import ConfigurationError, load_config
from medonline.services.notices.queue import MAX_TEXT
from medonline.services.notices.texts import Text
from medonline.wording import notices
from tests.cli.commands import ADD, findings
from tests.providers.limits.redis_server import redis_server
from tests.providers.private_vendor import HOST, authority, connect_proxy, tls_vendor
from tests.sandbox.server import API_ID, TOKEN, free_port
from tests.sandbox.server import KEY as KEY_OF_UCALLER
from tests.traces.collector import collecting

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
        ({"DATABASE_URL": "postgresql+psycopg://u@127.0.0.1:1/x?password=canary"}, "database", "does not answer"),
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
    if not subject:  # every command refuses it
        assert run("accounts", "list")[::2] == (1, err)
    if subject == "identity":  # the start refuses it, too
        with pytest.raises(ConfigurationError) as refused:
            build_portal(load_config())
        assert str(refused.value) == findings(out)[subject][1]


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


def test_a_vendor_that_is_silent_is_told(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("medonline.providers.http.MAX_TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("MEDONLINE_UCALLER_BASE_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        mark, text = findings(run("doctor")[1])["flash_call"]

    assert mark == "FAIL"
    assert text.endswith("does not answer: ProviderDown: ucaller: no answer within 0.2 s")


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


@pytest.mark.parametrize("setting", ["MEDONLINE_UCALLER_CA_FILE", "MEDONLINE_SMTP_CA_FILE"])
@pytest.mark.parametrize(
    ("ended", "mark", "says"),
    [(None, "ok", "the first of 1 certificates in "), (timedelta(days=3), "FAIL", "CN=a root of the region ended on ")],
)
def test_when_the_trusted_roots_end_is_told(
    run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, setting: str, ended: timedelta | None, mark: str, says: str
) -> None:
    root = authority(tmp_path / "authority", "a root of the region", ended).root
    monkeypatch.setenv(setting, str(root))
    found = findings(run("doctor")[1])["trusted roots"]

    assert found[0] == mark
    assert f"{setting}: {says}" in found[1]


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
    with tls_vendor(of_vendor, '{"status": true, "rub_balance": 600}') as port, connect_proxy() as proxy:
        monkeypatch.setenv("MEDONLINE_UCALLER_BASE_URL", f"https://{HOST}:{port}")
        monkeypatch.setenv("MEDONLINE_OUTGOING_PROXY", proxy.address)
        without = findings(run("doctor")[1])["flash_call"]
        monkeypatch.setenv("MEDONLINE_UCALLER_CA_FILE", str(of_vendor.root))
        found = findings(run("doctor")[1])["flash_call"]

    assert (without[0], "its certificate is not trusted" in without[1]) == ("FAIL", True)
    assert found[0] == "ok"
    assert f"https://{HOST}:{port} through the proxy 127.0.0.1" in found[1]
    assert {*proxy.asked} == {f"CONNECT {HOST}:{port} HTTP/1.1"}


@pytest.mark.parametrize("body", ["{}", '{"status": true}', '{"status": true, "rub_balance": "much"}'])
def test_an_answer_without_a_balance_says_nothing_of_the_key(run, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    with vendor(body=body) as address:
        monkeypatch.setenv("MEDONLINE_UCALLER_BASE_URL", address)
        mark, text = findings(run("doctor")[1])["flash_call"]

    assert mark == "FAIL"
    assert "answers, and cannot be used: ProviderRefused: ucaller: " in text


# What a fault of the stand-in makes `doctor` say of each vendor.
SAID = {
    "down": ("FAIL", "does not answer: ProviderDown: {name}: HTTP 503"),
    "missing": ("FAIL", "answers, and cannot be used: ProviderRefused: {name}: HTTP 404: there is no /"),
    "key": ("FAIL", "answers, and does not take {keys}: ProviderRefused: {name}: "),
}
MONEY = {
    "money": ("FAIL", "has no money left: the balance is 0.00 roubles"),
    "low": ("warn", "The balance is low: 3.00 roubles (MEDONLINE_LOW_BALANCE)."),
    "none": ("ok", "The balance is 4122.56 roubles."),
}
VENDORS = {
    "ucaller": ("flash_call", "ucaller", "MEDONLINE_UCALLER_KEY and MEDONLINE_UCALLER_SERVICE_ID", SAID | MONEY),
    "sms_ru": ("notices", "sms_ru", "MEDONLINE_SMS_RU_API_ID", SAID | MONEY),
    "telegram": (
        "telegram",
        "telegram_gateway",
        "MEDONLINE_TELEGRAM_TOKEN",
        SAID | {"none": ("ok", "The token is accepted"), "money": ("ok", "The token is accepted")},
    ),
}


@pytest.mark.usefixtures("_providers")
@pytest.mark.parametrize("stand_in", VENDORS)
def test_what_is_wrong_at_a_vendor_is_told_apart(run, stand_in: str) -> None:
    subject, name, keys, said = VENDORS[stand_in]
    faults = f"{os.environ['MEDONLINE_UCALLER_BASE_URL'].removesuffix('/ucaller')}/code-faults.json"
    for fault, (mark, text) in said.items():
        httpx.put(faults, json={stand_in: fault}, trust_env=False).raise_for_status()
        code, out, err = run("doctor")
        found = findings(out)

        assert found[subject][0] == mark, fault
        assert text.format(name=name, keys=keys) in found[subject][1]
        others = {"flash_call", "telegram", "notices"} - {subject}
        assert [found[other][0] for other in others] == ["ok", "ok"]
        assert (code, err) == (int(mark == "FAIL"), "")
        for secret in (TOKEN, KEY_OF_UCALLER, API_ID, "Traceback"):
            assert secret not in out


@pytest.mark.usefixtures("_providers")
def test_every_vendor_of_a_way_is_asked(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDONLINE_FLASH_CALL_PROVIDER", "ucaller, sms_ru")
    monkeypatch.setenv("MEDONLINE_SMS_RU_API_ID", "withdrawn")
    code, out, _ = run("doctor")
    lines = [line for line in out.splitlines() if "  flash_call: " in line]

    assert code == 1
    assert [line[:4] for line in lines] == ["ok  ", "FAIL"]
    assert "provider sms_ru at " in lines[1]
    assert "does not take MEDONLINE_SMS_RU_API_ID" in lines[1]


@pytest.mark.usefixtures("_providers")
def test_a_mail_server_that_is_down_or_refuses_is_told(run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert findings(run("doctor")[1])["mail"][0] == "ok"

    monkeypatch.setenv("MEDONLINE_SMTP_USER", "portal")
    monkeypatch.setenv("MEDONLINE_SMTP_PASSWORD", "s3cret")
    mark, text = findings(run("doctor")[1])["mail"]
    assert mark == "FAIL"
    assert "s3cret" not in text
    assert "smtp: the server takes no sign-in" in text

    monkeypatch.delenv("MEDONLINE_SMTP_USER")
    monkeypatch.delenv("MEDONLINE_SMTP_PASSWORD")
    monkeypatch.setenv("MEDONLINE_SMTP_SOCKET", "/nowhere/mail.sock")
    code, out, _ = run("doctor")
    assert (code, findings(out)["mail"][0]) == (1, "FAIL")
    assert "/nowhere/mail.sock: smtp: no connection" in findings(out)["mail"][1]


def test_a_collector_of_traces_that_is_gone_or_refuses_is_told(run, monkeypatch: pytest.MonkeyPatch) -> None:
    with collecting() as collector:
        monkeypatch.setenv("MEDONLINE_TRACES_URL", collector.url)
        assert findings(run("doctor")[1])["traces"] == ("ok", f"the collector at {collector.url} takes them")
        monkeypatch.setenv("MEDONLINE_TRACES_URL", collector.url.replace("http:", "https:"))
        mark, text = findings(run("doctor")[1])["traces"]
        assert (mark, text.partition(": ")[2]) == ("FAIL", "its certificate is not trusted, or it speaks no TLS")
    assert collector.spans == []

    monkeypatch.setenv("MEDONLINE_TRACES_URL", collector.url)
    code, out, _ = run("doctor")
    assert (code, findings(out)["traces"][0]) == (1, "FAIL")
    assert "no connection, or no answer in time" in findings(out)["traces"][1]


def link_in(origin: str, text: str) -> int:
    """How long a text is with its link, as the queue of notices counts it."""
    return len(notices.with_link(text, f"{origin}/not-me#{'0' * 64}"))


@pytest.mark.parametrize("characters", [41, 42, 70, 71, 75, 76, MAX_ORIGIN])  # where one more text has no room
def test_an_address_that_has_no_room_for_the_link_in_a_text_is_told(
    run, monkeypatch: pytest.MonkeyPatch, characters: int
) -> None:
    origin = "http://" + "a" * (characters - len("http://"))
    monkeypatch.setenv("MEDONLINE_PUBLIC_URL", origin)
    monkeypatch.setenv("MEDONLINE_NEW_DEVICE_NOTICES", "email")
    (found,) = links.in_texts(load_config())
    lacking = {told for of, told in links.LINKED.items() if link_in(origin, notices.text(of)) > MAX_TEXT}

    assert found.mark == ("warn" if lacking else "ok  ")
    assert f"{origin} ({characters} characters)" in found.text
    for told in links.LINKED.values():
        assert (f"{told};" in found.text or f"{told} go without" in found.text) == (told in lacking)
    if lacking:
        assert "up to 41 fit" in found.text
        assert "must come to the desk. Serve the portal under a shorter name (MEDONLINE_PUBLIC_URL)" in found.text


def test_doctor_says_which_texts_have_no_room_for_the_link(run, monkeypatch: pytest.MonkeyPatch) -> None:
    origin = "https://lichny-kabinet.zdrav.example.ru"  # 39
    for address, mark, says in (
        (origin, "ok", f"every text has room for «это не я» at {origin} (39 characters); up to 41 fit"),
        (origin.replace("zdrav", "zdravookhranenie"), "warn", "took Gosuslugi and passkeys off; a sign-in from a new"),
    ):
        monkeypatch.setenv("MEDONLINE_PUBLIC_URL", address)
        _, out, _ = run("doctor", "--fix-hints")
        found = findings(out)["links in texts"]
        assert found[0] == mark
        assert says in found[1]
        assert ("hint: docs/operations.md, NOTICE_PROVIDER" in out) == (mark == "warn")

    monkeypatch.setenv("MEDONLINE_NOTICE_PROVIDER", "none")
    assert "links in texts" not in findings(run("doctor")[1])


def test_every_text_has_a_link_or_a_reason_to_have_none() -> None:
    assert set(Text) == {*links.LINKED} | links.UNLINKED
    assert not {*links.LINKED} & links.UNLINKED


def test_no_browser_has_a_longer_name_in_a_text() -> None:
    systems = {"Android", "Chrome OS", "HarmonyOS", "Linux", "Mac", "Ubuntu", "Windows", "iOS", "iPad", "iPhone"}
    browsers = {*notices._DEVICES.values()} - systems

    assert systems < {*notices._DEVICES.values()}
    assert len(links._LONGEST_DEVICE) == max(map(len, browsers)) + len(", ") + max(map(len, systems))


def test_a_list_of_leaked_passwords_that_is_down_is_told(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDONLINE_BREACHED_PASSWORDS_URL", f"http://127.0.0.1:{free_port()}")

    mark, text = findings(run("doctor")[1])["breached passwords"]
    assert (mark, text.endswith("the connection is refused")) == ("FAIL", True)


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
        with_password = server.address.removesuffix("/0")
        monkeypatch.setenv("MEDONLINE_LIMITS_STORAGE", f"{with_password}/4711")
        mark, text = findings(run("doctor")[1])["limits"]
        assert (mark, text.startswith("Redis answers and does not take")) == ("FAIL", True)
        monkeypatch.setenv("MEDONLINE_LIMITS_STORAGE", server.address)
        assert findings(run("doctor")[1])["limits"] == ("ok", "Redis answers")
    assert findings(run("doctor")[1])["limits"][1].startswith("Redis does not answer")


def test_a_clock_that_differs_from_the_databases_is_told(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("medonline.cli.checks.installation.clock_ahead", lambda _session: timedelta(seconds=-90))

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


@pytest.mark.parametrize(
    ("folder", "says"),
    [
        ("/proc/nope", "/proc/nope is not there, and cannot be made"),
        ("FILE", "cannot be written to (Not a directory)"),
        ("FILE/below", "is not there, and cannot be made (Not a directory)"),
    ],
)
def test_a_folder_in_which_nothing_can_be_kept_is_named(
    run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder: str, says: str
) -> None:
    (tmp_path / "file").write_text("")
    production(
        monkeypatch,
        DATA_DIR=folder.replace("FILE", str(tmp_path / "file")),
        DATABASE_URL="postgresql+psycopg://u@127.0.0.1:1/x",
        UCALLER_BASE_URL=f"http://127.0.0.1:{free_port()}",
    )
    code, out, _ = run("doctor")

    assert code == 1
    mark, text = findings(out)["files"]
    assert mark == "FAIL"
    assert says in text
    assert "MEDONLINE_DATA_DIR" in text


def test_a_folder_that_is_not_there_yet_is_not_made(run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    production(
        monkeypatch,
        DATA_DIR=str(tmp_path / "later" / "on"),
        DATABASE_URL="postgresql+psycopg://u@127.0.0.1:1/x",
        UCALLER_BASE_URL=f"http://127.0.0.1:{free_port()}",
    )
    _, out, _ = run("doctor")

    assert findings(out)["files"] == ("ok", f"{tmp_path / 'later' / 'on'} is not there yet, and can be made")
    assert not (tmp_path / "later").exists()
