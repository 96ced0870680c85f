"""A patient's whole way in a process that kills itself (SIGKILL) at one chosen point; run by `test_kills`.

The points are before every row that is written, before and after every commit, and before and after a provider is asked.
What the patient was told by then is in the file `told`, what the provider was asked in `asked`. One walk is not killed: at
each point it copies the files as they are, which is what a kill there leaves.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

from sqlalchemy import event

from medonline.bootstrap import Portal, inside
from medonline.domain.client import Client
from medonline.services.account_settings.form import SettingsForm
from medonline.services.crypto.tokens import token_hash
from medonline.services.gosuslugi.login import Waiting
from medonline.services.ports import CodeMessage, SentCode
from tests.services.outside import VERA, ScriptedIdentity, arrive, with_provider
from tests.services.world import (
    ANNA,
    BORIS,
    CALL,
    KNOWN,
    PASSWORD,
    TELEGRAM,
    MovableClock,
    PlainHasher,
    ScriptedChannel,
    dispatch,
    dispatcher_of,
    keys_of_this_process,
    last_code,
    opened,
    sign_in,
    signed_in,
)

VERAS = Client(visitor_key="v" * 64)  # a third browser
RECOVERED, CHANGED = "KorablLipa47", "LipaKorabl74"


class QuickHasher(PlainHasher):
    """In place of the portal's, whose Argon2 would be most of the time of these tests."""

    def is_outdated(self, _encoded: str) -> bool:
        return False

    def close(self) -> None:
        return None


@contextmanager
def quick() -> Iterator[None]:
    with patch.object(inside, "PasswordHasher", QuickHasher):
        yield


@dataclass
class Reaper:
    """Counts the points, and dies at one of them, or keeps what is there at each."""

    folder: Path
    dies_at: int = 0
    keeps_in: Path | None = None
    points: list[str] = field(default_factory=list)

    def point(self, name: str) -> None:
        self.points.append(name)
        if self.keeps_in is not None:
            shutil.copytree(self.folder, self.keeps_in / f"kept-{len(self.points)}")
        if len(self.points) == self.dies_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def note(self, file: str, *words: str) -> None:
        with (self.folder / file).open("a") as notes:
            notes.write(" ".join(words) + "\n")

    def watch(self, portal: Portal) -> None:
        engine = portal.database.engine
        commit = engine.dialect.do_commit

        def before_row(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            if statement.startswith(("INSERT", "UPDATE", "DELETE")):
                self.point(" ".join(statement.split()[:3]))

        def committing(connection: Any) -> None:
            self.point("before a commit")
            commit(connection)
            self.point("after a commit")

        event.listen(engine, "connect", _without_waiting)
        event.listen(engine, "before_cursor_execute", before_row)
        engine.dialect.do_commit = committing  # type: ignore[method-assign]


def _without_waiting(connection: Any, _record: Any) -> None:
    """What a killed process wrote is in the file as other processes see it; only a power cut would need the disk's word."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous=OFF")
    cursor.close()


@dataclass
class WatchedChannel(ScriptedChannel):
    """A provider that would call twice when it is asked twice."""

    idempotent: bool = False
    reaper: Reaper | None = None

    async def send_code(self, message: CodeMessage) -> SentCode:
        assert self.reaper is not None
        self.reaper.point("before a provider")
        self.reaper.note("asked", message.idempotency_key)
        sent = await super().send_code(message)
        self.reaper.point("after a provider")
        return sent


async def walk(portal: Portal, reaper: Reaper) -> None:
    """Sign in, recover the password, sign in again, change it in the settings, sign out; and Вера registers."""
    dispatcher = dispatcher_of(portal, telegram=WatchedChannel(reaper=reaper))
    reaper.note("told", "old-session", token_hash(await sign_in(portal, BORIS, KNOWN, PASSWORD)))
    await portal.recovery.begin(ANNA, KNOWN, TELEGRAM)
    reaper.note("told", "begun")
    await dispatch(dispatcher)
    await portal.recovery.confirm_code(ANNA, await last_code(portal))
    reaper.note("told", "proved")
    await portal.recovery.set_password(ANNA, RECOVERED)
    reaper.note("told", "recovered")
    key = token_hash(await sign_in(portal, ANNA, KNOWN, RECOVERED))
    reaper.note("told", "new-session", key)
    form = SettingsForm(KNOWN, "", "Иванова", "Марья", CHANGED, CHANGED)
    await portal.settings.save(signed_in(key), form, CALL)
    reaper.note("told", "changed")
    await portal.login.close_session(key)
    reaper.note("told", "signed-out")
    assert await arrive(portal, VERAS, VERA) is Waiting.CONSENT
    ticket = await portal.answers.consent(VERAS)
    reaper.note("told", "consented")
    veras = await portal.login.open_session(VERAS, ticket)
    assert veras is not None
    reaper.note("told", "registered", token_hash(veras.token))


async def live(reaper: Reaper, now: datetime) -> None:
    with quick():
        async with opened(reaper.folder, MovableClock(now)) as portal:
            reaper.watch(portal)
            await walk(with_provider(portal, ScriptedIdentity()), reaper)


def main(place: str, now: str, every: str) -> None:
    """Walk once and keep what is there at each point, then die at one in `every` of them; prints the points."""
    folder = Path(place)
    keys_of_this_process()  # once, for all children

    def in_child(number: int) -> int:
        own = folder / f"killed-{number}"
        shutil.copytree(folder / "template", own)
        child = os.fork()
        if child:
            return os.waitpid(child, 0)[1]
        reaper = Reaper(own, number, None if number else folder)
        asyncio.run(live(reaper, datetime.fromisoformat(now)))
        (folder / "points").write_text(json.dumps(reaper.points))
        os._exit(0)

    assert in_child(0) == 0
    points = json.loads((folder / "points").read_text())
    for number in range(1, len(points) + 1, int(every)):
        assert os.WTERMSIG(in_child(number)) == signal.SIGKILL
    print(json.dumps(points))


if __name__ == "__main__":
    main(*sys.argv[1:])
