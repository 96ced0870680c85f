"""Hears the changes of other processes: further servers, and the commands of operators.

PostgreSQL carries what each transaction announces. SQLite carries nothing, but there only commands write beside the one server. SQLite
shows that something was committed, and the record shows which sessions ended.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy.pool import PoolProxiedConnection

from medonline.storage.announcements import CHANNEL, names_from_others
from medonline.storage.changes import session_topic
from medonline.storage.engine import TIMEOUTS, Database
from medonline.storage.queries import login

log = logging.getLogger(__name__)

# How often SQLite is asked whether another process has committed.
LOOK_EVERY_S = 0.5
# How long a connection may be silent before it is checked.
SILENT_S = 15.0
TRY_AGAIN_S = 1.0
# The clocks of two machines are assumed to differ by less than this.
CLOCKS_DIFFER = timedelta(minutes=1)


class OtherProcesses:
    """Tells the ears of this process (`Database.changes`) what other processes changed.

    clock: returns the current time (UTC).
    """

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self._deaf_since = clock()

    async def run(self) -> None:
        """Listen until cancelled. After a failure it starts again and reads from the record what it missed."""
        listen = self._watch_file if self._database.sqlite else self._listen
        while True:
            try:
                await listen()
            except Exception as error:
                # Only the type is logged: the text of a driver's error contains addresses.
                log.warning("Changes by other processes are not heard (%s): trying again", type(error).__name__)
            await asyncio.sleep(TRY_AGAIN_S)

    async def _listen(self) -> None:
        async with await psycopg.AsyncConnection.connect(**self._address(), autocommit=True) as connection:
            await connection.execute(f"LISTEN {CHANNEL}")
            await self._catch_up()
            self._database.changes.tell_waiting()
            while True:
                async for heard in connection.notifies(timeout=SILENT_S):
                    self._deaf_since = self._clock()
                    names = names_from_others(heard.payload, self._database.process)
                    self._database.changes.tell_named(names)
                await connection.execute("SELECT 1")
                self._deaf_since = self._clock()

    def _address(self) -> dict[str, Any]:
        engine = self._database.engine
        _, address = engine.dialect.create_connect_args(engine.url)
        return {**TIMEOUTS, "application_name": "medonline changes", **address}

    async def _watch_file(self) -> None:
        file = Path(self._database.url.database or "")
        connection = await self._database.aside(self._database.engine.raw_connection)
        try:
            seen, commits = None, self._database.commits
            while True:
                found, own = await self._database.aside(lambda: _look(file, connection)), self._database.commits
                if seen is not None and found[0] != seen[0]:
                    return  # the file was replaced: a new connection is needed
                if found != seen:
                    await self._catch_up()
                    if own == commits:  # so another process wrote
                        self._database.changes.tell_waiting()
                seen, commits = found, own
                await asyncio.sleep(LOOK_EVERY_S)
        finally:
            connection.close()

    async def _catch_up(self) -> None:
        """Announce the sessions that ended since this process last heard everything."""
        now = self._clock()
        ended = await self._database.read(login.ended_since, self._deaf_since - CLOCKS_DIFFER)
        self._deaf_since = now
        self._database.changes.tell(map(session_topic, ended))


def _look(file: Path, connection: PoolProxiedConnection) -> tuple[int, int]:
    """The file's inode, and a number that changes when another connection commits, in this process or another. Begins no transaction.

    Danger: do not look at the files beside the database instead. They tell as much, but a process that opens and closes one of them loses
    the locks that SQLite holds on it there (sqlite.org/howtocorrupt.html, 2.2). And their times change before the commit can be read.
    """
    cursor = connection.cursor()
    try:
        cursor.execute("PRAGMA data_version")
        (row,) = cursor.fetchall()
    finally:
        cursor.close()
    return file.stat().st_ino, int(row[0])
