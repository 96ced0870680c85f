"""A real HTTP server on loopback for the sandbox, and a receiver of its callbacks."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

import httpx
import uvicorn

from medonline.sandbox.app import SandboxSettings, create_sandbox
from tests.patience import PATIENCE

PACE = 0.05
TOKEN, KEY, SERVICE_ID, API_ID = "telegram-token", "ucaller-key", "1692", "sms-ru-api-id"
AERO_EMAIL, AERO_KEY = "desk@clinic.example", "sms-aero-key"
MAX_TOKEN = "test-token"


def settings(**changes: object) -> SandboxSettings:
    chosen = {
        "telegram_token": TOKEN,
        "ucaller_key": KEY,
        "ucaller_service_id": SERVICE_ID,
        "sms_ru_api_id": API_ID,
        "sms_aero_email": AERO_EMAIL,
        "sms_aero_api_key": AERO_KEY,
        "max_token": MAX_TOKEN,
        "delivery_pace": PACE,
        "slow_answer": 0.5,
        "demo_numbers": ("+79000001001", "+79000001002"),
    }
    return SandboxSettings(**(chosen | changes))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_healthy(url: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            if httpx.get(f"{url}/health", trust_env=False, timeout=1).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.02)


@contextmanager
def running_sandbox(chosen: SandboxSettings, port: int | None = None) -> Iterator[str]:
    """The sandbox in a thread with a loop of its own; yields its base URL."""
    port = port or free_port()
    server = uvicorn.Server(
        uvicorn.Config(create_sandbox(chosen), "127.0.0.1", port, log_config=None, access_log=False, ws="none")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{port}"
    wait_until_healthy(url)
    try:
        yield url
    finally:
        server.should_exit = True
        thread.join(PATIENCE)


@dataclass
class Receiver:
    """Takes reports and answers with `statuses` one after another, then with 200."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    reports: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def take(self, headers: dict[str, str], body: bytes) -> int:
        async with self.arrived:
            self.reports.append((headers, body))
            self.arrived.notify_all()
        return self.statuses.pop(0) if self.statuses else 200

    async def wait_for(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE), self.arrived:
            await self.arrived.wait_for(lambda: len(self.reports) >= count)


@asynccontextmanager
async def receiving(*statuses: int) -> AsyncIterator[Receiver]:
    receiver = Receiver(statuses=list(statuses))

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        status = await receiver.take(headers, body)
        writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/report"
    async with server:
        yield receiver
