"""A portal over a real SQLite file with a clock that a test moves, and a channel that does what a test says."""

from __future__ import annotations

import asyncio
import atexit
import shutil
import time
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from cryptography.hazmat.primitives.serialization import load_pem_private_key
from sqlalchemy import Connection, NullPool, create_engine, event
from sqlalchemy.exc import OperationalError
from sqlmodel import col, select

from medonline.bootstrap import DEMO_ACCOUNTS, Portal, build_portal
from medonline.config.demo_keys import demo_identity_keys
from medonline.config.settings import Config, load_config
from medonline.domain.client import Client
from medonline.domain.codes.channels import GUIDE_CHANNELS, ChannelName
from medonline.domain.codes.one_time_code import derive_code
from medonline.domain.errors import DeliveryFailed
from medonline.providers.gosuslugi.esia import signing
from medonline.providers.limits import stores
from medonline.services.codes.dispatcher import CodeDispatcher
from medonline.services.outbox import Outbox
from medonline.services.password_recovery.reader import RecoveryView
from medonline.services.ports import CodeMessage, DeliveryReport, SentCode
from medonline.storage.tables.codes import OneTimeCodeRow
from medonline.storage.tables.password_recovery import PasswordRecovery
from medonline.storage.tables.patients import Patient

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECRET_KEY = "a-key-for-tests-of-more-than-32-characters"
CALL, TELEGRAM, SMS = ChannelName.FLASH_CALL, ChannelName.TELEGRAM, ChannelName.SMS
KNOWN, PASSWORD = DEMO_ACCOUNTS[0].phone, DEMO_ACCOUNTS[0].password
OTHER_KNOWN = DEMO_ACCOUNTS[1].phone
UNKNOWN = "+79000009999"
ANNA, BORIS = Client(visitor_key="a" * 64), Client(visitor_key="b" * 64)  # two browsers


def other_way(way: ChannelName) -> ChannelName:
    """The other one of the guide's two ways."""
    return TELEGRAM if way is CALL else CALL


def browser(number: int) -> Client:
    """One of many browsers."""
    return Client(visitor_key=f"{number:064x}")


def at(client: Client, address: str) -> Client:
    """The same browser at this address."""
    return replace(client, address=address)


def signed_in(session_key: str, address: str = "") -> Client:
    """The browser with this session, and nothing else."""
    return Client(session_key=session_key, address=address)


@dataclass
class MovableClock:
    """Does not move until it is moved."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


@cache
def keys_of_this_process() -> Path:
    """A folder with the demo's keys, which goes when the process ends."""
    made = TemporaryDirectory(prefix="medonline-keys-")
    atexit.register(made.cleanup)  # before Python itself finds it open and warns
    demo_identity_keys(Path(made.name))
    return Path(made.name)


@cache
def private_key_of(pem: bytes, password: None) -> Any:
    """Reading a key includes proving that its numbers are primes."""
    return load_pem_private_key(pem, password)


# The databases of folders that have none in a file: `--database postgresql`.
ADDRESSES: dict[Path, str] = {}


def database_of(folder: Path) -> str:
    """The address of the database that belongs to a folder."""
    return ADDRESSES.get(folder, f"sqlite:///{folder / 'medonline.sqlite3'}")


@contextmanager
def another_connection(folder: Path) -> Iterator[Connection]:
    """To the folder's database, as somebody else would open one; each statement is committed by itself."""
    engine = create_engine(database_of(folder), poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection


def config_in(folder: Path, **changes: Any) -> Config:
    """Settings of the demo, with the ways of getting a code that production has by default, and without notices of new devices, as
    which nearly every sign-in of a test would be told: a test of others names them. The keys in the folder are this process's:
    making new ones takes longer than most tests."""
    for made in keys_of_this_process().iterdir():
        if not (folder / made.name).exists():  # another process of the test may read them at this moment
            shutil.copytree(made, folder / made.name)
    elsewhere = {"database_url": ADDRESSES[folder]} if folder in ADDRESSES else {}
    usual = {"mode": "demo", "data_dir": folder, "secret_key": SECRET_KEY, "code_channels": GUIDE_CHANNELS}
    usual["new_device_notices"] = "none"
    return load_config(**usual | elsewhere | changes)


@asynccontextmanager
async def opened(folder: Path, clock: MovableClock, **changes: Any) -> AsyncIterator[Portal]:
    """A portal over the database in `folder`; opening it again is what a restart is."""
    with limits_by(clock), patch.object(signing, "load_pem_private_key", private_key_of):
        portal = build_portal(config_in(folder, **changes), clock)
        try:
            yield portal
        finally:
            await portal.close()


@contextmanager
def limits_by(clock: MovableClock) -> Iterator[None]:
    """The stores of limits ask the time themselves: here they ask the movable clock."""
    moved = SimpleNamespace(time=lambda: clock().timestamp(), monotonic=time.monotonic)
    with patch.object(stores, "time", moved):
        yield


def copy_database(template: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(template, folder / "medonline.sqlite3")


async def rows_of(portal: Portal) -> list[OneTimeCodeRow]:
    """Every code, oldest first."""
    with portal.database.reading() as session:
        return list(session.exec(select(OneTimeCodeRow).order_by(col(OneTimeCodeRow.issued_at))).all())


async def last_row(portal: Portal, phone: str | None = None) -> OneTimeCodeRow:
    return [row for row in await rows_of(portal) if phone in (None, row.phone)][-1]


def code_in(portal: Portal, row: OneTimeCodeRow) -> str:
    return derive_code(portal.config.key, row.id, ChannelName(row.channel).code_length)


async def last_code(portal: Portal, phone: str | None = None) -> str:
    """What the phone would show."""
    return code_in(portal, await last_row(portal, phone))


def wrong(code: str, by: int = 1) -> str:
    return f"{(int(code) + by) % 10 ** len(code):0{len(code)}d}"


async def recoveries_of(portal: Portal) -> list[PasswordRecovery]:
    with portal.database.reading() as session:
        statement = select(PasswordRecovery).order_by(col(PasswordRecovery.created_at))
        return list(session.exec(statement).all())


async def current_of(portal: Portal, visitor: Client) -> RecoveryView:
    """What a reload of the page would show."""
    view = await portal.recovery.current(visitor)
    assert view is not None
    return view


async def patient_with(portal: Portal, phone: str = KNOWN) -> Patient:
    with portal.database.reading() as session:
        return session.exec(select(Patient).where(Patient.phone == phone)).one()


async def prove(portal: Portal, visitor: Client, phone: str = KNOWN, channel: ChannelName = CALL) -> None:
    """Begin and type the right code."""
    await portal.recovery.begin(visitor, phone, channel)
    await portal.recovery.confirm_code(visitor, await last_code(portal))


async def sign_in(portal: Portal, visitor: Client, phone: str = KNOWN, password: str = PASSWORD) -> str:
    """A session token."""
    opened = await portal.login.open_session(visitor, await portal.login.log_in(visitor, phone, password))
    assert opened is not None
    return opened.token


@contextmanager
def statements(portal: Portal, broken: str = "") -> Iterator[list[str]]:
    """Every statement sent to the database; those that begin with `broken` fail."""
    seen: list[str] = []

    def see(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(" ".join(statement.split()))
        if broken and seen[-1].startswith(broken):
            raise OperationalError(broken, {}, Exception("disk I/O error"))

    engine = portal.database.engine
    event.listen(engine, "before_cursor_execute", see)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", see)


def writes_in(seen: list[str]) -> list[str]:
    return [" ".join(text.split()[:3]) for text in seen if text.startswith(("INSERT", "UPDATE", "DELETE"))]


class PlainHasher:
    """No Argon2 where a test makes hundreds of passwords."""

    async def hash(self, password: str) -> str:
        return f"plain:{password}"

    async def verify(self, encoded: str | None, password: str) -> bool:
        return encoded == f"plain:{password}"


@dataclass
class ScriptedChannel:
    """A way of getting a code that answers as told, then with success; remembers what it was asked."""

    provider: str = "scripted"
    idempotent: bool = True
    answers: deque[DeliveryFailed | str] = field(default_factory=deque)  # an error, or the code that really went out
    reports: deque[DeliveryFailed | DeliveryReport | None] = field(default_factory=deque)
    asked: list[CodeMessage] = field(default_factory=list)
    report_asked: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    hold: asyncio.Event | None = None  # set: the answer waits for it

    async def send_code(self, message: CodeMessage) -> SentCode:
        self.asked.append(message)
        self.arrived.set()
        if self.hold is not None:
            await self.hold.wait()
        answer = self.answers.popleft() if self.answers else message.code
        if isinstance(answer, DeliveryFailed):
            raise answer
        return SentCode(f"ref-{message.idempotency_key}", answer)

    async def delivery_report(self, provider_ref: str) -> DeliveryReport | None:
        self.report_asked += 1
        report = self.reports.popleft() if self.reports else None
        if isinstance(report, DeliveryFailed):
            raise report
        return report

    async def check(self) -> str:
        return "A stand-in in the test."

    async def close(self) -> None:
        return None


def dispatcher_of(portal: Portal, **channels: ScriptedChannel | tuple[ScriptedChannel, ...]) -> CodeDispatcher:
    """A dispatcher over the portal's database: `flash_call=…, telegram=…`; several vendors of a way as a tuple."""
    by_name = {ChannelName(name): one if isinstance(one, tuple) else (one,) for name, one in channels.items()}
    return CodeDispatcher(portal.database, portal.clock, portal.recovery.codes.issuer, by_name)


async def settled(outbox: Outbox[Any]) -> None:
    """Wait for the work in hand; an error of it is raised here."""
    while outbox.tasks_in_hand:
        await asyncio.gather(*outbox.tasks_in_hand)


async def dispatch(dispatcher: CodeDispatcher) -> None:
    """One look at what is due, and the work it starts."""
    await dispatcher.outbox.turn()
    await settled(dispatcher.outbox)


def told_of(portal: Portal, kind: str) -> list[str]:
    """The keys of the sessions that end (`kind`: session) or of the browsers that have another name (visitor), as pages are told
    from now on."""
    told: list[str] = []
    changes = portal.database.changes
    tell = changes.tell

    def listen(topics: Iterable[str]) -> None:
        topics = list(topics)
        told.extend(topic.removeprefix(f"{kind} ") for topic in topics if topic.startswith(f"{kind} "))
        tell(topics)

    changes.tell = listen  # type: ignore[method-assign]
    return told
