"""The list of leaked passwords: asked without showing the password, and never in the way."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from medonline.providers.passwords.pwned_passwords import PwnedPasswords
from tests.sandbox.server import free_port

PASSWORD = "correctHorse77"
DIGEST = hashlib.sha1(PASSWORD.encode(), usedforsecurity=False).hexdigest().upper()
PREFIX, SUFFIX = DIGEST[:5], DIGEST[5:]
OTHERS = [f"{number:035X}:{number}" for number in range(1, 40)]


@dataclass
class Scripted:
    """What a loopback server answers, and the request heads it got."""

    body: str
    status: int = 200
    pause: float = 0.0
    heads: list[str] = field(default_factory=list)
    url: str = ""


@asynccontextmanager
async def serving(script: Scripted) -> AsyncIterator[Scripted]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        script.heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        await asyncio.sleep(script.pause)
        body = script.body.encode()
        head = f"HTTP/1.1 {script.status} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + body)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    script.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield script


async def asked(script: Scripted, **options: float) -> bool:
    async with serving(script):
        passwords = PwnedPasswords(script.url, **options)
        try:
            return await passwords.contains(PASSWORD)
        finally:
            await passwords.close()


@pytest.mark.parametrize("line", [f"{SUFFIX}:3", f"{SUFFIX.lower()}:1", f"{SUFFIX}:37359195"])
async def test_a_leaked_password_is_found(line: str) -> None:
    assert await asked(Scripted("\r\n".join([*OTHERS, line])))


async def test_another_password_is_not_found() -> None:
    assert not await asked(Scripted("\r\n".join(OTHERS)))


async def test_padding_is_not_a_leak() -> None:
    assert not await asked(Scripted("\r\n".join([*OTHERS, f"{SUFFIX}:0"])))


async def test_five_digits_of_the_hash_and_nothing_else_leave_the_portal() -> None:
    script = Scripted("\r\n".join(OTHERS))

    await asked(script)

    (head,) = script.heads
    assert head.startswith(f"GET /range/{PREFIX} HTTP/1.1\r\n")
    assert "add-padding: true" in head.lower()
    assert SUFFIX[:8] not in head
    assert PASSWORD not in head


@pytest.mark.parametrize(
    "script",
    [
        Scripted("<html><body>Blocked</body></html>"),
        Scripted(f"<html>\r\n{SUFFIX}:3"),
        Scripted(""),
        Scripted(f"{SUFFIX}:3", status=429),
        Scripted(f"{SUFFIX}:3", status=500),
        Scripted(f"{SUFFIX}:3", status=302),
        Scripted(f"{SUFFIX}:3\n" * 20_000),
        Scripted(f"{SUFFIX}:{'9' * 5000}"),
    ],
    ids=["html", "html-around", "empty", "429", "500", "302", "oversized", "odd-count"],
)
async def test_a_list_that_gives_no_good_answer_is_in_nobodys_way(script: Scripted) -> None:
    assert not await asked(script)


async def test_a_slow_list_is_not_waited_for() -> None:
    started = asyncio.get_running_loop().time()

    assert not await asked(Scripted(f"{SUFFIX}:3", pause=1.0), timeout=0.1)
    assert asyncio.get_running_loop().time() - started < 0.9


async def test_a_list_that_is_down_is_in_nobodys_way() -> None:
    assert not await PwnedPasswords(f"http://127.0.0.1:{free_port()}").contains(PASSWORD)


@pytest.mark.parametrize("body", ["\r\n".join([*OTHERS, f"{SUFFIX}:3"]), "<html>"])
async def test_neither_password_nor_hash_is_logged(body: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    await asked(Scripted(body))

    for secret in (PASSWORD, PREFIX, SUFFIX):
        assert secret not in caplog.text.upper()
        assert secret not in caplog.text
