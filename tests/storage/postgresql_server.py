"""A PostgreSQL of the tests' own: a throw-away server, and databases copied from a template."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from medonline.bootstrap import build_portal
from medonline.bootstrap.demo_accounts import seed_demo
from medonline.storage import migrations
from medonline.storage.engine import Database
from tests.services.world import MovableClock, config_in

TEMPLATE = "template_of_tests"


def as_postgres(*arguments: str | Path) -> None:
    """Run a server tool; PostgreSQL refuses to run as root."""
    prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    done = subprocess.run([*prefix, *map(str, arguments)], capture_output=True, text=True, check=False, cwd="/")
    assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def postgresql() -> Iterator[str]:
    """The address of its database `postgres`; skips the test, and says so, where there is no server."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("PostgreSQL IS NOT TESTED: no server binaries in /usr/lib/postgresql/*/bin (package postgresql)")
    root = os.geteuid() == 0
    if root and (not shutil.which("runuser") or "postgres" not in {entry.pw_name for entry in pwd.getpwall()}):
        pytest.skip("PostgreSQL IS NOT TESTED: as root it needs runuser and a user named postgres")
    bin_folder = found[-1].parent
    folder = Path(tempfile.mkdtemp(prefix="medonline-postgresql-"))
    if root:
        shutil.chown(folder, "postgres")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data = folder / "data"
    as_postgres(bin_folder / "initdb", "-D", data, "-U", "medonline", "-A", "trust", "-E", "UTF8", "--no-sync")
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off -c timezone=Asia/Vladivostok"
    as_postgres(bin_folder / "pg_ctl", "-D", data, "-l", folder / "log", "-o", options, "-w", "start")
    try:
        yield f"postgresql+psycopg://medonline@127.0.0.1:{port}/postgres"
    finally:
        as_postgres(bin_folder / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder)


async def administer(server: str, statement: str) -> None:
    """A statement about whole databases, which no transaction may hold."""
    database = Database(server)
    with database.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text(statement))
    await database.close()


def address_of(server: str, name: str) -> str:
    """The address of another database of the server."""
    return server.replace("/postgres", f"/{name}")


async def make_template(server: str, folder: Path) -> str:
    """The name of a migrated database with the demo patients."""
    await administer(server, f"CREATE DATABASE {TEMPLATE}")
    url = address_of(server, TEMPLATE)
    await migrations.upgrade(url)
    portal = build_portal(config_in(folder, database_url=url), MovableClock())
    await seed_demo(portal.accounts)
    await portal.close()
    return TEMPLATE
