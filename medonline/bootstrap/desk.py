"""The part of the portal that commands use. It knows no vendor, so a command does not wait until every adapter is loaded."""

from __future__ import annotations

from dataclasses import dataclass

from medonline.bootstrap.inside import Inside, build_inside, dispute_links
from medonline.config.identity import NoticeProvider
from medonline.config.mail import MailProvider
from medonline.config.settings import Config
from medonline.domain.security_journal import Operator
from medonline.services.clock import Clock, utc_now
from medonline.services.codes.channel_figures import ChannelFigures
from medonline.services.codes.channel_switches import ChannelSwitches
from medonline.services.crypto.key_rotation import KeyRotation
from medonline.services.desk.accounts import AccountService
from medonline.services.desk.personal_data import PersonalDataService
from medonline.services.desk.protections import Protections
from medonline.services.desk.retention import RetentionService
from medonline.services.desk.unsent_notices import UnsentNotices
from medonline.services.limits.budgets import Spending
from medonline.services.limits.journey_limits import JourneyLimits
from medonline.services.limits.passkey_limits import PasskeyLimits
from medonline.services.limits.windows import LimitStore
from medonline.services.notices.queue import NoticeQueue
from medonline.services.notices.sender import NOT_BY_ALL, STALE_AFTER
from medonline.services.passwords.hashing import PasswordHasher
from medonline.services.security_journal.verification import JournalKeeper
from medonline.storage.engine import Database
from medonline.wording import notices as notices_wording


@dataclass(frozen=True, slots=True)
class Desk:
    """The operator's use cases, and the services they need."""

    config: Config
    database: Database
    limits: LimitStore
    hasher: PasswordHasher
    accounts: AccountService
    personal_data: PersonalDataService
    journal_keeper: JournalKeeper
    keys: KeyRotation
    retention: RetentionService
    switches: ChannelSwitches
    channel_figures: ChannelFigures
    protections: Protections
    unsent: UnsentNotices

    async def close(self) -> None:
        """Release connections and threads."""
        await self.limits.close()
        self.hasher.close()
        await self.database.close()


def build_desk(config: Config, clock: Clock = utc_now, operator: Operator | None = None) -> Desk:
    """The desk of one command. Opens no connection yet. `operator`: the person who gives the command."""
    inside = build_inside(config, clock, operator)
    return desk_of(inside, _notices_left(inside))


def desk_of(of: Inside, notices: NoticeQueue) -> Desk:
    """The operator's use cases over services that exist already."""
    config = of.config
    keeper = JournalKeeper(of.database, of.clock, of.journal.chain, config.retention_journal)
    return Desk(
        config=config,
        database=of.database,
        limits=of.limits,
        hasher=of.hasher,
        accounts=AccountService(
            of.database, of.clock, of.hasher, config.settings_password_policy, of.journal, of.sealers["snils"]
        ),
        personal_data=PersonalDataService(
            of.database, of.sealers["snils"], of.sealers["oms_policy"], of.journal, notices
        ),
        journal_keeper=keeper,
        keys=KeyRotation(of.database, of.sealers),
        retention=_retention(of, keeper),
        switches=of.switches,
        channel_figures=ChannelFigures(of.database, of.clock, config.code_channels, config.budgets),
        protections=_protections(of),
        unsent=UnsentNotices(of.database, of.clock, of.journal, STALE_AFTER, NOT_BY_ALL),
    )


def _notices_left(of: Inside) -> NoticeQueue:
    """The queue of notices for the portal that serves. A command sends nothing itself, and knows the ways only by their settings."""
    config = of.config
    return NoticeQueue(
        of.clock,
        notices_wording,
        dispute_links(config),
        Spending(config.budgets, of.alarms),
        writes_texts=config.notice_provider is not NoticeProvider.NONE,
        writes_mail=config.mail_provider is not MailProvider.NONE,
    )


def _retention(of: Inside, keeper: JournalKeeper) -> RetentionService:
    config = of.config
    return RetentionService(
        database=of.database,
        clock=of.clock,
        codes=config.retention_codes,
        sessions=config.retention_sessions,
        notices=config.retention_notices,
        journal=keeper,
        session_idle=config.session_idle,
        session_absolute=config.session_absolute,
    )


def _protections(of: Inside) -> Protections:
    misses = of.config.breaker_policy.misses
    return Protections(
        database=of.database,
        clock=of.clock,
        journal=of.journal,
        sign_ins=of.sign_in_limits,
        codes=of.code_limits,
        journeys=JourneyLimits(of.windows, of.config.request_policy),
        passkeys=PasskeyLimits(of.windows, of.config.request_policy),
        pace=of.pace,
        per_phone=of.config.codes_per_phone,
        most_misses=misses.count,
        within=misses.per,
    )
