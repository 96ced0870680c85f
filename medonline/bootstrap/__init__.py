"""Builds each service once. Long because all of the wiring is one page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from threading import Event

from medonline import routes
from medonline.bootstrap.adapters import build_channels
from medonline.bootstrap.demo_accounts import DEMO_ACCOUNTS, seed_demo
from medonline.bootstrap.outside import Outside, build_outside
from medonline.config.settings import Config, load_config
from medonline.domain.codes.one_time_code import ChannelName
from medonline.domain.limits import Limit
from medonline.domain.passwords import PasswordPolicy
from medonline.domain.personal_data_consent import text_hash
from medonline.services.account_settings import service
from medonline.services.account_settings.identities import OwnIdentities
from medonline.services.account_settings.service import AccountSettingsService
from medonline.services.clock import Clock, utc_now
from medonline.services.codes.circuit_breaker import CodeBreaker
from medonline.services.codes.dispatcher import CodeDispatcher
from medonline.services.codes.flow import CodeFlow
from medonline.services.codes.issuing import CodeIssuer
from medonline.services.codes.step_up import StepUp
from medonline.services.crypto.field_encryption import Sealer
from medonline.services.crypto.key_rotation import SEALED_USES, KeyRotation
from medonline.services.crypto.tokens import new_token
from medonline.services.desk.accounts import AccountService
from medonline.services.desk.personal_data import PersonalDataService
from medonline.services.desk.retention import RetentionService
from medonline.services.gosuslugi import pending_person
from medonline.services.gosuslugi.linking import Linker
from medonline.services.gosuslugi.login import IdentityService
from medonline.services.gosuslugi.pending_person import IdentityAnswers
from medonline.services.limits.alarms import QUIET, Alarms, IsFirst
from medonline.services.limits.budgets import Spending
from medonline.services.limits.code_limits import CodeLimits
from medonline.services.limits.journey_limits import JourneyLimits
from medonline.services.limits.sign_in_limits import SignInLimits
from medonline.services.limits.windows import Windows
from medonline.services.login.account_sessions import AccountSessionService
from medonline.services.login.known_browsers import KnownBrowsers
from medonline.services.login.password_login import LoginService
from medonline.services.login.visitors import VisitorService
from medonline.services.notices.account_dispute import AccountDispute
from medonline.services.notices.dispute_links import DisputeLinks
from medonline.services.notices.sender import NoticeService
from medonline.services.password_recovery import reader as recovery_reader
from medonline.services.password_recovery.birth_date import BirthDateStep
from medonline.services.password_recovery.new_password import NewPasswordStep
from medonline.services.password_recovery.reader import RecoveryReader
from medonline.services.password_recovery.service import PasswordRecoveryService
from medonline.services.passwords.hashing import PasswordHasher
from medonline.services.passwords.new_passwords import NewPasswords
from medonline.services.patient_cards.attempts import CardAttempts
from medonline.services.patient_cards.consent import CardConsent
from medonline.services.patient_cards.service import PatientCardService
from medonline.services.ports import CodeChannel, LearnsOutcome
from medonline.services.security_journal.account_pace import AccountPace
from medonline.services.security_journal.reader import JournalReader
from medonline.services.security_journal.refusals import RefusedSignIns
from medonline.services.security_journal.verification import JournalKeeper
from medonline.services.security_journal.writer import SecurityJournal
from medonline.storage import migrations
from medonline.storage.engine import Database
from medonline.storage.other_processes import OtherProcesses

__all__ = ["DEMO_ACCOUNTS", "Outside", "Portal", "build_channels", "build_portal", "portal", "running"]
from medonline.wording import notices as notices_wording
from medonline.wording.personal_data_consent import consent_text


@dataclass(frozen=True, slots=True)
class Portal:
    """Everything a handler or a route may ask for.

    stopping: set when the process is told to end: what is under way is finished, and nothing new should come.
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
    visitors: VisitorService
    identity: IdentityService
    answers: IdentityAnswers
    settings: AccountSettingsService
    identities: OwnIdentities
    cards: PatientCardService
    dispute: AccountDispute
    journal: JournalReader
    journal_keeper: JournalKeeper
    notices: NoticeService
    retention: RetentionService
    keys: KeyRotation
    personal_data: PersonalDataService
    dispatcher: CodeDispatcher
    hasher: PasswordHasher
    at_close: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    stopping: Event = field(default_factory=Event)

    @property
    def channels(self) -> dict[ChannelName, CodeChannel]:
        """The ways of getting a code."""
        return self.outside.channels

    async def close(self) -> None:
        """Release connections and threads."""
        for release in self.at_close:
            await release()
        await self.outside.close()
        self.hasher.close()
        await self.database.close()


def build_portal(config: Config, clock: Clock = utc_now) -> Portal:
    """Wire the services; opens nothing yet."""
    database = Database(config.database, Sealer(config.key, "changes").index)
    outside = build_outside(config)
    alarms = Alarms(clock)
    policy = config.request_policy
    windows = Windows(outside.limits, Sealer(config.key, "limits"), policy.raised_networks)
    sign_ins = SignInLimits(windows, policy, alarms)
    phones, chain = (Sealer(config.key, use, config.older_keys) for use in ("journal phone", "journal chain"))
    journal = SecurityJournal(clock, phones, chain)
    spending = Spending(config.budgets, alarms)
    issuer = CodeIssuer(
        key=config.key,
        policy=config.code_policy,
        channels=config.code_channels,
        limits=CodeLimits(windows, policy, alarms),
        spending=spending,
        breaker=CodeBreaker(config.breaker_policy, config.code_guesses, alarms),
        journal=journal,
        learning=frozenset(name for name, one in outside.channels.items() if isinstance(one, LearnsOutcome)),
    )
    consent_hash = text_hash(consent_text(config.operator_name))
    hasher = PasswordHasher()
    dispatcher = CodeDispatcher(database, clock, issuer, outside.channels)
    idle, absolute = config.session_idle, config.session_absolute
    refusals = RefusedSignIns(database, clock, journal, alarms)
    pace = AccountPace(config.account_limits)
    known_browsers = KnownBrowsers(Sealer(config.key, "known browser", config.older_keys))
    visitors = VisitorService(database, clock)
    login = LoginService(
        database, clock, hasher, sign_ins, journal, refusals, pace, known_browsers, visitors, idle, absolute
    )
    sessions = AccountSessionService(database, clock, login, hasher, journal)
    links = DisputeLinks(f"{config.origin}{routes.NOT_ME}", Sealer(config.key, "dispute", config.older_keys))
    notices = NoticeService(
        database, clock, outside.notices, notices_wording, links, spending, config.notices_per_account
    )
    keeper = JournalKeeper(database, clock, chain, config.retention_journal)
    sealers = {use: Sealer(config.key, use, config.older_keys) for use in SEALED_USES}
    snils, policies, persons = (sealers[use] for use in ("snils", "oms_policy", "identity_person"))
    linker = Linker(snils, policies)
    in_settings = PasswordPolicy(config.password_min_length_settings)

    step_up = StepUp(config.step_up_policy)

    def codes_for(purpose: str) -> CodeFlow:
        return CodeFlow(database, issuer, purpose, dispatcher.enqueue)

    recovery_codes = codes_for(recovery_reader.PURPOSE)
    reader = RecoveryReader(recovery_codes, config.new_password_window)

    return Portal(
        config=config,
        clock=clock,
        database=database,
        outside=outside,
        alarms=alarms,
        visitor_marks=Sealer(config.key, "visitor", config.older_keys),
        accounts=AccountService(database, clock, hasher, in_settings, journal),
        recovery=PasswordRecoveryService(
            database=database,
            clock=clock,
            codes=recovery_codes,
            reader=reader,
            step_up=step_up,
            birth_date=BirthDateStep(
                database, clock, reader, config.zone, journal, config.step_up_policy.misses_within
            ),
            new_password=NewPasswordStep(
                database=database,
                clock=clock,
                reader=reader,
                passwords=NewPasswords(config.recovery_password_policy, outside.breached),
                hasher=hasher,
                journal=journal,
                notices=notices,
            ),
        ),
        login=login,
        sessions=sessions,
        visitors=visitors,
        identity=IdentityService(
            database=database,
            clock=clock,
            provider=outside.identity,
            linker=linker,
            persons=persons,
            consent_hash=consent_hash,
            allow_unconfirmed=config.identity_allow_unconfirmed,
            journal=journal,
            limits=JourneyLimits(windows, policy),
            pace=pace,
        ),
        answers=IdentityAnswers(
            database=database,
            clock=clock,
            linker=linker,
            persons=persons,
            login=login,
            codes=codes_for(pending_person.PURPOSE),
            consent_hash=consent_hash,
            step_up=step_up,
            notices=notices,
            journal=journal,
        ),
        identities=OwnIdentities(
            database=database,
            clock=clock,
            sessions=sessions,
            notices=notices,
            journal=journal,
            reauthentication_window=config.reauthentication_window,
        ),
        settings=AccountSettingsService(
            database=database,
            clock=clock,
            sessions=sessions,
            passwords=NewPasswords(in_settings, outside.breached),
            hasher=hasher,
            codes=codes_for(service.PURPOSE),
            changes=sealers["account_change"],
            notices=notices,
            journal=journal,
            pace=pace,
            reauthentication_window=config.reauthentication_window,
        ),
        cards=PatientCardService(
            database=database,
            clock=clock,
            sessions=sessions,
            registry=outside.registry,
            snils=snils,
            policies=policies,
            journal=journal,
            attempts=CardAttempts(database, clock, policies),
            consent=CardConsent(database, clock, sessions, policies, journal, notices),
        ),
        dispute=AccountDispute(database, clock, journal, config.dispute_stop),
        journal=JournalReader(database, sessions, phones, refusals),
        journal_keeper=keeper,
        notices=notices,
        retention=RetentionService(
            database=database,
            clock=clock,
            codes=config.retention_codes,
            sessions=config.retention_sessions,
            notices=config.retention_notices,
            journal=keeper,
            session_idle=idle,
            session_absolute=absolute,
        ),
        keys=KeyRotation(database, sealers),
        personal_data=PersonalDataService(database, snils, policies, journal),
        dispatcher=dispatcher,
        hasher=hasher,
    )


_portal: Portal | None = None


def portal() -> Portal:
    """This process's portal, built on first use from the environment."""
    global _portal
    if _portal is None:
        _portal = build_portal(load_config())
    return _portal


def _first_of_all(of: Portal) -> IsFirst:
    """Whether no process has sounded an alarm of a kind lately: one window for each kind."""
    keys = Sealer(of.config.key, "alarms")

    async def is_first(kind: str) -> bool:
        window = Limit(1, QUIET), keys.index(kind)
        return await of.outside.limits.take_all([window], new_token()) is None

    return is_first


@asynccontextmanager
async def running(of: Portal) -> AsyncIterator[Portal]:
    """Migrated, seeded in demo mode, with the dispatchers turning; everything is released at the end."""
    await migrations.upgrade(of.config.database)
    if of.config.demo:
        await seed_demo(of.accounts)
    if not of.config.limits_in_memory:
        of.alarms.share(_first_of_all(of))
    turning = [
        asyncio.create_task(of.dispatcher.outbox.run(), name="code dispatcher"),
        asyncio.create_task(of.notices.outbox.run(), name="notice dispatcher"),
        asyncio.create_task(of.retention.run(), name="retention"),
        asyncio.create_task(of.login.refusals.run(), name="refused sign-ins"),
        asyncio.create_task(of.outside.places.run(), name="places of sockets"),
        asyncio.create_task(OtherProcesses(of.database, of.clock).run(), name="changes by other processes"),
    ]
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
