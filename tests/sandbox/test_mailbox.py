"""Servers that share a folder share its mail server's file, too."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from medonline.sandbox.mailbox import Mailboxes
from medonline.sandbox.store import Store
from tests.patience import PATIENCE

# Several processes open the mail server in the same moments, again and again, as portals do that start side by side.
_OPEN_TOGETHER = """
import asyncio, multiprocessing, sys
from pathlib import Path
from medonline.sandbox.mailbox import Mailboxes
from medonline.sandbox.store import Store

folder, patience = Path(sys.argv[1]), float(sys.argv[2])
together = multiprocessing.Barrier(4)

async def open_often():
    for _ in range(50):
        boxes = Mailboxes(Store(folder / "sandbox.sqlite3"), folder / "mail.sock")
        together.wait(patience)
        await boxes.open()

def run():
    asyncio.run(open_often())

processes = [multiprocessing.Process(target=run) for _ in range(4)]
for process in processes:
    process.start()
for process in processes:
    process.join()
sys.exit(any(process.exitcode for process in processes))
"""


def greeting_at(path: Path) -> bytes:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(PATIENCE)
        client.connect(str(path))
        return client.recv(100)


def sockets_in(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir() if file.is_socket()]


def test_processes_that_open_it_in_the_same_moment_all_open_it(tmp_path: Path) -> None:
    Store(tmp_path / "sandbox.sqlite3").close()
    command = [sys.executable, "-c", _OPEN_TOGETHER, str(tmp_path), str(PATIENCE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)

    assert done.returncode == 0, done.stderr
    assert sockets_in(tmp_path) == ["mail.sock"]


async def test_the_end_of_an_older_server_leaves_the_file_to_the_newer_one(tmp_path: Path) -> None:
    older, newer = (Mailboxes(Store(tmp_path / "sandbox.sqlite3"), tmp_path / "mail.sock") for _ in range(2))
    await older.open()
    await newer.open()
    await older.close()

    assert (await asyncio.to_thread(greeting_at, tmp_path / "mail.sock")).startswith(b"220 ")
    assert (tmp_path / "mail.sock").stat().st_mode & 0o777 == 0o600
    await newer.close()
    assert sockets_in(tmp_path) == []


async def test_its_file_goes_before_it_stops_listening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Afterwards the number of its inode is free, and may be that of a server that opens in this moment."""
    path = tmp_path / "mail.sock"
    boxes = Mailboxes(Store(tmp_path / "sandbox.sqlite3"), path)
    await boxes.open()
    real, there = asyncio.base_events.Server.close, []

    def close(server: asyncio.Server) -> None:
        there.append(path.exists())
        real(server)

    monkeypatch.setattr(asyncio.base_events.Server, "close", close)
    await boxes.close()

    assert there == [False]


async def test_a_server_that_cannot_open_leaves_no_file(tmp_path: Path) -> None:
    (tmp_path / "mail.sock").mkdir()
    with pytest.raises(OSError, match="directory"):
        await Mailboxes(Store(tmp_path / "sandbox.sqlite3"), tmp_path / "mail.sock").open()

    assert sockets_in(tmp_path) == []
