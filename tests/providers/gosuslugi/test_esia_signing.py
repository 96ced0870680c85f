"""What exactly is signed for ESIA, and the three ways of signing it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import logging
import os
import re
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

from medonline.domain.errors import IdentityProblem, IdentityRefused
from medonline.providers.gosuslugi.esia import command as running
from medonline.providers.gosuslugi.esia.client import Esia
from medonline.providers.gosuslugi.esia.signing import CommandSigner, HttpSigner, QueuedSigner, RsaSigner, Signer
from medonline.providers.http import MAX_TIMEOUT
from tests.patience import PATIENCE
from tests.processes import runs
from tests.providers.gosuslugi.world import (
    CLIENT_ID,
    CODE,
    Answer,
    Scripted,
    as_json,
    certificate_pem,
    ec_key,
    journey,
    private_pem,
    public_pem,
    rsa_key,
    scripted,
)

HASH = "ABCDEF0123456789" * 4
MESSAGE = b"MEDONLINEopenid fullname2026.07.01 01:05:09 +0300"
PROBLEM = IdentityProblem


def rsa_signer() -> RsaSigner:
    return RsaSigner(private_pem(rsa_key("client")), certificate_pem("client"))


def verify(signature: str, message: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{342}", signature), "base64url of 256 bytes without padding"
    raw = base64.urlsafe_b64decode(signature + "==")
    rsa_key("client").public_key().verify(raw, message.encode(), PKCS1v15(), hashes.SHA256())


@pytest.fixture
async def server() -> AsyncIterator[Scripted]:
    async with scripted() as running:
        yield running


async def test_both_requests_sign_their_parameters_without_separators(server: Scripted) -> None:
    server.always("/aas/oauth2/v3/te", as_json({"error": "invalid_grant"}, 400))
    scopes = ("openid", "fullname", "snils")
    esia = Esia(server.url, CLIENT_ID, rsa_signer(), issuer="i", keys=(public_pem(rsa_key("esia")),), scopes=scopes)
    request = journey()

    address = await esia.authorization_url(request)
    with pytest.raises(IdentityRefused):
        await esia.fetch_person(CODE, request)
    await esia.close()

    asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    traded = server.seen[0].form
    common = f"{CLIENT_ID}openid fullname snils"
    verify(asked["client_secret"], f"{common}{asked['timestamp']}{request.state}{request.redirect_uri}")
    verify(traded["client_secret"], f"{common}{traded['timestamp']}{traded['state']}{request.redirect_uri}{CODE}")
    for parameters in (asked, traded):
        assert re.fullmatch(r"\d{4}\.\d\d\.\d\d \d\d:\d\d:\d\d \+0300", parameters["timestamp"])
        assert parameters["client_certificate_hash"] == rsa_signer().certificate_hash()
        assert parameters["scope"] == "openid fullname snils"
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", traded["state"])


def test_the_certificate_is_named_by_the_hash_of_its_der() -> None:
    text = certificate_pem("client").decode()
    der = base64.b64decode("".join(line for line in text.splitlines() if not line.startswith("-")))

    assert rsa_signer().certificate_hash() == hashlib.sha256(der).hexdigest().upper()


def test_a_key_and_a_certificate_belong_together() -> None:
    with pytest.raises(ValueError, match="another key"):
        RsaSigner(private_pem(rsa_key("stranger")), certificate_pem("client"))
    with pytest.raises(ValueError, match="no RSA key"):
        RsaSigner(private_pem(ec_key("client")), certificate_pem("client"))


async def test_a_signing_service_gets_the_raw_bytes_and_gives_a_raw_signature(server: Scripted) -> None:
    server.always("/sign", Answer(bytes(range(64)), kind="application/octet-stream"))
    signer: Signer = HttpSigner(f"{server.url}/sign", "service-token", HASH.lower())

    assert await signer.sign(MESSAGE) == bytes(range(64))
    assert signer.certificate_hash() == HASH
    request = server.seen[0]
    assert (request.method, request.body) == ("POST", MESSAGE)
    assert request.headers["content-type"] == "application/octet-stream"
    assert request.headers["authorization"] == "Bearer service-token"


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (Answer(b"", 500), PROBLEM.UNAVAILABLE),
        (Answer(b"x", 401), PROBLEM.MISCONFIGURED),
        (Answer(b"x", 400), PROBLEM.MISCONFIGURED),
        (Answer(b"x", 302, location="/elsewhere"), PROBLEM.MISCONFIGURED),
        (Answer(b""), PROBLEM.MISCONFIGURED),
        (Answer(b"x" * 1025), PROBLEM.MISCONFIGURED),
        (Answer(b"x" * 70_000), PROBLEM.UNAVAILABLE),
        (Answer(never=True), PROBLEM.UNAVAILABLE),
    ],
    ids=["500", "401", "400", "redirect", "empty", "long", "endless", "slow"],
)
async def test_a_signing_service_that_fails(
    answer: Answer, problem: IdentityProblem, server: Scripted, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "medonline")
    server.always("/sign", answer)

    with pytest.raises(IdentityRefused) as refused:
        await HttpSigner(f"{server.url}/sign", "service-token", HASH, timeout=1 if answer.never else 5).sign(MESSAGE)

    assert refused.value.problem is problem
    assert "service-token" not in str(refused.value) + caplog.text
    assert len(server.seen) == 1


async def test_a_signing_service_that_is_not_there() -> None:
    with pytest.raises(IdentityRefused) as refused:
        await HttpSigner("http://127.0.0.1:1/sign", "t", HASH).sign(MESSAGE)

    assert refused.value.problem is PROBLEM.UNAVAILABLE


@pytest.mark.parametrize("wrong", ["", "abc", "G" * 64, HASH + "0"])
def test_a_hash_that_is_none_stops_the_start(wrong: str) -> None:
    with pytest.raises(ValueError, match="64 hexadecimal"):
        HttpSigner("http://127.0.0.1:1", "t", wrong)
    with pytest.raises(ValueError, match="64 hexadecimal"):
        CommandSigner(("sign",), wrong, False)


def command(script: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-c", f"import hashlib, json, os, sys, time\n{script}", *arguments)


DIGEST = hashlib.sha512(MESSAGE).digest()
TYPED = "out = hashlib.sha512(sys.stdin.buffer.read()).digest()"


async def test_a_command_reads_the_message_and_prints_the_signature() -> None:
    straight = CommandSigner(command(f"{TYPED}; sys.stdout.buffer.write(out)"), HASH, False)
    backwards = CommandSigner(command(f"{TYPED}; sys.stdout.buffer.write(out[::-1])"), HASH, True)

    assert await straight.sign(MESSAGE) == await backwards.sign(MESSAGE) == DIGEST
    assert straight.certificate_hash() == HASH


async def test_a_command_may_work_with_files_which_are_gone_afterwards(tmp_path: Path) -> None:
    places = tmp_path / "places"
    signer = CommandSigner(
        command(
            "_, given, made, told = sys.argv\n"
            "open(told, 'w').write(json.dumps([given, made, oct(os.stat(os.path.dirname(given)).st_mode)]))\n"
            "open(made, 'wb').write(hashlib.sha512(open(given, 'rb').read()).digest())\n"
            "print('Total: done.')",
            "{message}",
            "{signature}",
            str(places),
        ),
        HASH,
        False,
    )

    assert await signer.sign(MESSAGE) == DIGEST
    given, made, mode = json.loads(places.read_text())
    assert not Path(given).exists()
    assert not Path(made).exists()
    assert mode.endswith("700")


async def test_no_shell_sees_the_arguments(tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    signer = CommandSigner(command("sys.stdout.write(sys.argv[1])", f"; touch {trap} $(id) {{x}}"), HASH, False)

    assert await signer.sign(MESSAGE) == f"; touch {trap} $(id) {{x}}".encode()
    assert not trap.exists()


async def test_a_command_sees_none_of_the_portals_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDONLINE_SECRET_KEY", "top secret")
    monkeypatch.setenv("LICENCE_PATH", "/opt/licence")
    listed = "sys.stdout.write(','.join(k for k in os.environ if k.startswith(('MEDONLINE', 'LICENCE'))))"

    assert await CommandSigner(command(listed), HASH, False).sign(MESSAGE) == b"LICENCE_PATH"


FAILING: dict[str, tuple[tuple[str, ...], IdentityProblem]] = {
    "failing": (command(f"{TYPED}; sys.stdout.buffer.write(out); sys.exit(3)"), PROBLEM.MISCONFIGURED),
    "failing unread": (command("sys.exit(3)"), PROBLEM.MISCONFIGURED),
    "silent": (command("pass"), PROBLEM.MISCONFIGURED),
    "talkative": (command("while True: sys.stdout.write('x' * 1000)"), PROBLEM.MISCONFIGURED),
    "no file": (command("pass", "{message}", "{signature}"), PROBLEM.MISCONFIGURED),
    "file too long": (
        command("open(sys.argv[1], 'wb').write(b'x' * 1025)", "{signature}"),
        PROBLEM.MISCONFIGURED,
    ),
    "not there": (("/nonexistent/csptest",), PROBLEM.MISCONFIGURED),
    "no program": ((os.devnull,), PROBLEM.MISCONFIGURED),
    "unwritable argument": ((sys.executable, "\0"), PROBLEM.MISCONFIGURED),
}


@pytest.mark.parametrize("case", FAILING)
async def test_a_command_that_fails(case: str) -> None:
    argv, problem = FAILING[case]

    with pytest.raises(IdentityRefused) as refused:
        await CommandSigner(argv, HASH, False).sign(MESSAGE)

    assert refused.value.problem is problem
    assert "MEDONLINE" not in refused.value.detail


def is_over_when(monkeypatch: pytest.MonkeyPatch, fact: Callable[[], bool]) -> None:
    """The time of a command is over as soon as the fact is there: no machine is too slow to get as far, none waits longer."""

    @asynccontextmanager
    async def timeout(seconds: float) -> AsyncIterator[None]:
        if seconds != MAX_TIMEOUT:
            async with asyncio.timeout(seconds):
                yield
            return
        async with asyncio.timeout(None) as limit:

            async def watch() -> None:
                while not fact():
                    await asyncio.sleep(0.01)
                limit.reschedule(asyncio.get_running_loop().time())

            watching = asyncio.create_task(watch())
            try:
                yield
            finally:
                watching.cancel()

    monkeypatch.setattr(running, "asyncio", SimpleNamespace(**vars(asyncio) | {"timeout": timeout}))


async def test_a_command_that_takes_too_long_is_refused() -> None:
    with pytest.raises(IdentityRefused) as refused:
        await CommandSigner(("sleep", "60"), HASH, False, timeout=0.2).sign(MESSAGE)

    assert refused.value.problem is PROBLEM.UNAVAILABLE


STARTS_A_CHILD = (
    "import subprocess\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
    "open(sys.argv[1] + '.new', 'w').write(f'{os.getpid()} {child.pid}')\n"
    "os.rename(sys.argv[1] + '.new', sys.argv[1])\n"
)


async def test_a_command_that_hangs_is_ended_with_all_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pids = tmp_path / "pids"
    is_over_when(monkeypatch, pids.exists)
    with pytest.raises(IdentityRefused) as refused:
        await CommandSigner(command(f"{STARTS_A_CHILD}time.sleep(60)", str(pids)), HASH, False).sign(MESSAGE)

    assert refused.value.problem is PROBLEM.UNAVAILABLE
    own, child = map(int, pids.read_text().split())
    assert not runs(own)
    await until_ended(child)


async def test_what_a_command_leaves_behind_ends_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command itself is through, but a child of it keeps its output open."""
    pids = tmp_path / "pids"
    is_over_when(monkeypatch, lambda: pids.exists() and not runs(int(pids.read_text().split()[0])))
    with pytest.raises(IdentityRefused) as refused:
        await CommandSigner(command(STARTS_A_CHILD, str(pids)), HASH, False).sign(MESSAGE)

    assert refused.value.problem is PROBLEM.UNAVAILABLE
    await until_ended(int(pids.read_text().split()[1]))


async def until_ended(pid: int) -> None:
    """A killed process needs a moment to die on a busy machine."""
    async with asyncio.timeout(PATIENCE):
        while runs(pid):
            await asyncio.sleep(0.01)


async def test_a_flood_of_output_that_nobody_reads_on_does_not_stand_in_the_way() -> None:
    """Whether the flood has filled the pipe by the time it is cut off is chance: several tries."""
    flood = command("os.set_blocking(1, True)\nwhile True: os.write(1, b'x' * 1_000_000)")
    for _ in range(5):
        with pytest.raises(IdentityRefused) as refused:
            await CommandSigner(flood, HASH, False).sign(MESSAGE)
        assert refused.value.problem is PROBLEM.MISCONFIGURED


def test_an_empty_command_stops_the_start() -> None:
    with pytest.raises(ValueError, match="empty"):
        CommandSigner((), HASH, False)


# --- the queue before a signer ----------------------------------------------------------------------------------


class HeldSigner:
    """Signs when it is let go; counts how many signatures are under way."""

    def __init__(self) -> None:
        self.let_go = asyncio.Event()
        self.under_way = self.most = 0

    async def sign(self, message: bytes) -> bytes:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await self.let_go.wait()
        self.under_way -= 1
        return message

    def certificate_hash(self) -> str:
        return HASH


async def test_a_crowd_signs_a_few_at_a_time() -> None:
    held = HeldSigner()
    signer = QueuedSigner(held, 2, queue=20, max_wait=600)
    signing = [asyncio.create_task(signer.sign(bytes([number]))) for number in range(20)]
    while held.under_way < 2:
        await asyncio.sleep(0)
    held.let_go.set()

    assert await asyncio.gather(*signing) == [bytes([number]) for number in range(20)]
    assert held.most == 2
    assert signer.certificate_hash() == HASH


async def test_beyond_the_queue_a_signature_is_refused_at_once() -> None:
    held = HeldSigner()
    signer = QueuedSigner(held, 1, queue=3, max_wait=600)
    signing = [asyncio.create_task(signer.sign(MESSAGE)) for _ in range(4)]
    while held.under_way < 1:
        await asyncio.sleep(0)
    with pytest.raises(IdentityRefused) as refusal:
        await signer.sign(MESSAGE)
    assert refusal.value.problem is PROBLEM.BUSY
    held.let_go.set()

    assert await asyncio.gather(*signing) == [MESSAGE] * 4
    assert await signer.sign(MESSAGE) == MESSAGE


async def test_a_turn_that_does_not_come_is_not_waited_for() -> None:
    held = HeldSigner()
    signer = QueuedSigner(held, 1, max_wait=0.01)
    first = asyncio.create_task(signer.sign(MESSAGE))
    while held.under_way < 1:
        await asyncio.sleep(0)
    with pytest.raises(IdentityRefused) as refusal:
        await signer.sign(MESSAGE)
    assert refusal.value.problem is PROBLEM.BUSY
    held.let_go.set()

    assert await first == MESSAGE
    assert await signer.sign(MESSAGE) == MESSAGE


async def test_a_signer_that_fails_gives_its_place_back() -> None:
    signer = QueuedSigner(CommandSigner(("/bin/false",), HASH), 1)
    for _ in range(3):
        with pytest.raises(IdentityRefused) as refusal:
            await signer.sign(MESSAGE)
        assert refusal.value.problem is PROBLEM.MISCONFIGURED


async def test_thirty_starts_at_once_run_no_more_commands_than_there_are_cores(tmp_path: Path) -> None:
    """Each command writes a line when it begins and when it ends: the lines tell how many ran together."""
    log = tmp_path / "log"
    script = (
        "import os, sys, time\n"
        f"def say(word): os.write(os.open({str(log)!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT), word)\n"
        "say(b'+'); sys.stdin.buffer.read(); time.sleep(0.02); sys.stdout.buffer.write(b's' * 64); say(b'-')\n"
    )
    command = CommandSigner((sys.executable, "-I", "-S", "-c", script), HASH)
    esia = Esia(
        "http://127.0.0.1:9", CLIENT_ID, command, issuer="http://esia.test/", keys=(public_pem(rsa_key("esia")),)
    )
    outcomes = await asyncio.gather(*(esia.authorization_url(journey()) for _ in range(30)), return_exceptions=True)
    await esia.close()

    refused = [outcome for outcome in outcomes if isinstance(outcome, IdentityRefused)]
    assert {refusal.problem for refusal in refused} <= {PROBLEM.BUSY}
    running = most = 0
    for mark in log.read_text(encoding="ascii"):
        running += 1 if mark == "+" else -1
        most = max(most, running)
    assert 0 < most <= (os.cpu_count() or 1)
