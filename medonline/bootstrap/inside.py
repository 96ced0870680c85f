"""The services that need only the database and the store of the limits. Both the whole portal and the desk are built on them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from medonline import routes
from medonline.bootstrap.limit_stores import build_limit_store
from medonline.config.settings import Config
from medonline.domain.security_journal import Operator
from medonline.services.clock import Clock
from medonline.services.codes.channel_order import ChannelOrder
from medonline.services.codes.channel_switches import ChannelSwitches
from medonline.services.crypto.field_encryption import Sealer, key_id
from medonline.services.crypto.key_rotation import SEALED_USES
from medonline.services.limits.alarms import Alarms
from medonline.services.limits.code_limits import CodeLimits
from medonline.services.limits.sign_in_limits import SignInLimits
from medonline.services.limits.windows import LimitStore, Windows
from medonline.services.notices.dispute_links import DisputeLinks
from medonline.services.passwords.hashing import PasswordHasher
from medonline.services.security_journal.account_pace import AccountPace
from medonline.services.security_journal.chain import JournalChain
from medonline.services.security_journal.writer import SecurityJournal
from medonline.storage.engine import Database


@dataclass(frozen=True, slots=True)
class Inside:
    """One instance of each for the whole process.

    sealers: encrypt what is sealed in the database, by use (`SEALED_USES`). `KeyRotation` goes through them all.
    """

    config: Config
    clock: Clock
    database: Database
    alarms: Alarms
    limits: LimitStore
    windows: Windows
    sign_in_limits: SignInLimits
    code_limits: CodeLimits
    pace: AccountPace
    journal: SecurityJournal
    switches: ChannelSwitches
    hasher: PasswordHasher
    sealers: dict[str, Sealer]


def build_inside(
    config: Config, clock: Clock, operator: Operator | None = None, *, for_patients: bool = False
) -> Inside:
    """Build the services. Opens no connection yet.

    operator: the person whose command this process runs, if it runs one.
    for_patients: cancel statements that take too long for a patient.
    """
    database = _database(config, config.database_statement_timeout if for_patients else None)
    alarms = Alarms(clock)
    limits = build_limit_store(config, alarms)
    windows = Windows(limits, Sealer(config.key, "limits"), config.request_policy.raised_networks)
    coming = key_id(config.next_key) if config.next_key else ""
    chain = JournalChain(database, sealer(config, "journal chain"), alarms, coming)
    journal = SecurityJournal(clock, sealer(config, "journal phone"), chain, operator)
    order = ChannelOrder(database, clock, config.code_channels, config.channel_off_below_percent)
    return Inside(
        config=config,
        clock=clock,
        database=database,
        alarms=alarms,
        limits=limits,
        windows=windows,
        sign_in_limits=SignInLimits(windows, config.request_policy, alarms),
        code_limits=CodeLimits(windows, config.request_policy, alarms),
        pace=AccountPace(config.account_limits),
        journal=journal,
        switches=ChannelSwitches(database, clock, config.switch_policy, config.code_channels, journal, alarms, order),
        hasher=PasswordHasher(),
        sealers={use: sealer(config, use) for use in SEALED_USES},
    )


def _database(config: Config, statement_timeout: timedelta | None) -> Database:
    return Database(
        config.database,
        sealer(config, "changes").indexes,
        connections=config.database_connections,
        lock_timeout=config.database_lock_timeout,
        statement_timeout=statement_timeout,
    )


def dispute_links(config: Config) -> DisputeLinks:
    """The links «это не я» of this installation."""
    return DisputeLinks(f"{config.origin}{routes.NOT_ME}", sealer(config, "dispute"))


def sealer(config: Config, use: str) -> Sealer:
    """Encrypts and indexes for one use. It also reads what older keys, and the next one, made."""
    return Sealer(config.key, use, config.other_keys)
