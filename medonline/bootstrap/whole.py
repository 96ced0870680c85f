"""The whole portal: each service, built once, and the loops that run with it.

`shared.py` builds what several flows share, `flows.py` the services of each flow, `outside.py` the adapters.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from threading import Event

from medonline.bootstrap.adapters import build_channels, certificate_ends
from medonline.bootstrap.demo_accounts import DEMO_ACCOUNTS, seed_demo
from medonline.bootstrap.desk import Desk, desk_of
from medonline.bootstrap.flows import (
    Passkeys,
    build_answers,
    build_calls,
    build_cards,
    build_chats,
    build_email_proof,
    build_identities,
    build_identity_service,
    build_login,
    build_passkeys,
    build_recovery,
    build_settings,
)
from medonline.bootstrap.inside import sealer
from medonline.bootstrap.outside import Outside
from medonline.bootstrap.shared import build_shared
from medonline.config.settings import Config
from medonline.domain.codes.channels import ChannelName
from medonline.domain.limits import Limit
from medonline.domain.security_journal import Operator
from medonline.services.account_settings.email_proof import EmailProofService
from medonline.services.account_settings.identities import OwnIdentities
from medonline.services.account_settings.service import AccountSettingsService
from medonline.services.clock import Clock, utc_now
from medonline.services.codes.calls import PatientCalls
from medonline.services.codes.channel_switches import ChannelSwitches
from medonline.services.codes.chats import CodeChats
from medonline.services.codes.dispatcher import CodeDispatcher
from medonline.services.crypto.field_encryption import Sealer, key_id
from medonline.services.crypto.tokens import new_token
from medonline.services.desk.accounts import AccountService
from medonline.services.desk.database_watch import DatabaseWatch
from medonline.services.desk.figures import Figures
from medonline.services.desk.retention import RetentionService
from medonline.services.gosuslugi.login import IdentityService
from medonline.services.gosuslugi.pending_person import IdentityAnswers
from medonline.services.limits.alarms import QUIET, Alarms, IsFirst
from medonline.services.login.account_sessions import AccountSessionService
from medonline.services.login.password_login import LoginService
from medonline.services.login.visitors import VisitorService
from medonline.services.notices.account_dispute import AccountDispute
from medonline.services.notices.sender import NoticeService
from medonline.services.password_recovery.service import PasswordRecoveryService
from medonline.services.passwords.hashing import PasswordHasher
from medonline.services.patient_cards.service import PatientCardService
from medonline.services.ports import CodeChannel
from medonline.services.security_journal.reader import JournalReader
from medonline.services.security_journal.verification import JournalKeeper
from medonline.storage import migrations
from medonline.storage.engine import Database
from medonline.storage.other_processes import OtherProcesses

__all__ = ["DEMO_ACCOUNTS", "Outside", "Portal", "build_channels", "build_portal", "running"]


@dataclass(frozen=True, slots=True)
class Portal:
    """Everything that a handler or a route may use.

    stopping: set when the process is told to end. Requests in progress are finished, and no new ones should come.
    """

    config: Config
    clock: Clock
    database: Database
    outside: Outside
    alarms: Alarms
    visitor_marks: Sealer
    accounts: AccountService
    recovery: PasswordRecoveryService
    login: LoginService
    sessions: AccountSessionService
    identity: IdentityService
    answers: IdentityAnswers
    settings: AccountSettingsService
    identities: OwnIdentities
    passkeys: Passkeys
    email_proof: EmailProofService
    cards: PatientCardService
    dispute: AccountDispute
    journal: JournalReader
    journal_keeper: JournalKeeper
    notices: NoticeService
    retention: RetentionService
    desk: Desk
    dispatcher: CodeDispatcher
    chats: CodeChats | None
    calls: PatientCalls
    switches: ChannelSwitches
    hasher: PasswordHasher
    figures: Figures
    at_start: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    at_close: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    stopping: Event = field(default_factory=Event)

    @property
    def channels(self) -> dict[ChannelName, tuple[CodeChannel, ...]]:
        """The ways of getting a code, and the vendors of each in the order in which they are asked."""
        return self.outside.channels

    @property
    def visitors(self) -> VisitorService:
        """Browsers, signed in or not."""
        return self.login.visitors

    async def close(self) -> None:
        """Release connections and threads."""
        for release in self.at_close:
            await release()
        await self.outside.close()
        self.hasher.close()
        await self.database.close()


def build_portal(config: Config, clock: Clock = utc_now, operator: Operator | None = None) -> Portal:
    """Put the services together. Opens no connection yet. `operator`: the person whose command this process runs, if it runs one."""
    shared = build_shared(config, clock, operator)
    login = build_login(shared, VisitorService(shared.database, clock))
    sessions = AccountSessionService(shared.database, clock, login, shared.hasher, shared.journal)
    desk = desk_of(shared, shared.notices)
    return Portal(
        config=config,
        clock=clock,
        database=shared.database,
        outside=shared.outside,
        alarms=shared.alarms,
        visitor_marks=sealer(config, "visitor"),
        accounts=desk.accounts,
        recovery=build_recovery(shared),
        login=login,
        sessions=sessions,
        identity=build_identity_service(shared),
        answers=build_answers(shared, login),
        settings=build_settings(shared, sessions),
        identities=build_identities(shared, sessions),
        passkeys=build_passkeys(shared, sessions),
        email_proof=build_email_proof(shared, sessions),
        cards=build_cards(shared, sessions),
        dispute=AccountDispute(shared.database, clock, shared.journal, config.dispute_stop, shared.notices),
        journal=JournalReader(shared.database, sessions, shared.journal.phones, login.refusals),
        journal_keeper=desk.journal_keeper,
        notices=shared.notices,
        retention=desk.retention,
        desk=desk,
        dispatcher=shared.dispatcher,
        chats=build_chats(shared),
        calls=build_calls(shared),
        switches=shared.switches,
        hasher=shared.hasher,
        figures=Figures(shared.database, clock, config.budgets, certificate_ends(config), _keys_that_follow(config)),
    )


def _keys_that_follow(config: Config) -> dict[str, set[str]]:
    """The ids of the current key and the older ones, each with the ids of the keys that follow it."""
    current = {key_id(key) for key in (config.key, config.next_key) if key}
    older = {key_id(key) for key in config.older_keys}
    return {"current": current} | ({"older": older | current} if older else {})


def _first_of_all(of: Portal) -> IsFirst:
    """Whether no process has raised an alarm of this kind lately. Each kind has its own window."""
    keys = Sealer(of.config.key, "alarms")

    async def is_first(kind: str) -> bool:
        window = Limit(1, QUIET), keys.index(kind)
        return await of.outside.limits.take_all([window], new_token()) is None

    return is_first


def _turning(of: Portal) -> list[asyncio.Task[None]]:
    """The background loops of a process. Each ends when it is cancelled."""
    return [
        asyncio.create_task(of.dispatcher.outbox.run(), name="code dispatcher"),
        asyncio.create_task(of.notices.outbox.run(), name="notice dispatcher"),
        *([asyncio.create_task(of.chats.run(), name="chats")] if of.chats is not None else []),
        asyncio.create_task(of.switches.run(), name="switched off ways"),
        asyncio.create_task(of.retention.run(), name="retention"),
        asyncio.create_task(DatabaseWatch(of.database, of.clock, of.alarms).run(), name="watch over the database"),
        asyncio.create_task(of.login.refusals.run(), name="refused sign-ins"),
        asyncio.create_task(of.outside.places.run(), name="places of sockets"),
        asyncio.create_task(OtherProcesses(of.database, of.clock).run(), name="changes by other processes"),
    ]


@asynccontextmanager
async def running(of: Portal) -> AsyncIterator[Portal]:
    """Run the portal: the database is migrated (and seeded in demo mode) and the dispatchers run. Everything is released at the end."""
    await migrations.upgrade(of.config.database)
    if of.config.demo:
        await seed_demo(of.accounts)
    if not of.config.limits_in_memory:
        of.alarms.share(_first_of_all(of))
    for begin in of.at_start:
        await begin()
    turning = _turning(of)
    try:
        yield of
    finally:
        for task in turning:
            task.cancel()
        for task in turning:
            with suppress(asyncio.CancelledError):
                await task
        await of.alarms.settle()
        await of.close()
