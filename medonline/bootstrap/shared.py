"""What the services of several flows share: the database, the outside, the journal, the limits, codes and notices."""

from __future__ import annotations

from dataclasses import dataclass

from medonline import routes
from medonline.bootstrap.outside import Outside, build_outside
from medonline.config.settings import Config
from medonline.domain.personal_data_consent import text_hash
from medonline.domain.security_journal import Operator
from medonline.services.clock import Clock
from medonline.services.codes.channel_order import ChannelOrder
from medonline.services.codes.channel_switches import ChannelSwitches
from medonline.services.codes.circuit_breaker import CodeBreaker
from medonline.services.codes.dispatcher import CodeDispatcher
from medonline.services.codes.flow import CodeFlow
from medonline.services.codes.issuing import CodeIssuer
from medonline.services.codes.step_up import StepUp
from medonline.services.crypto.field_encryption import Sealer, key_id
from medonline.services.crypto.key_rotation import SEALED_USES
from medonline.services.limits.alarms import Alarms
from medonline.services.limits.budgets import Spending
from medonline.services.limits.code_limits import CodeLimits
from medonline.services.limits.windows import Windows
from medonline.services.notices.dispute_links import DisputeLinks
from medonline.services.notices.email_codes import EmailCodes
from medonline.services.notices.sender import NoticeService
from medonline.services.notices.ways import MailWay
from medonline.services.passwords.hashing import PasswordHasher
from medonline.services.ports import ChatBot, LearnsOutcome
from medonline.services.security_journal.account_pace import AccountPace
from medonline.services.security_journal.chain import JournalChain
from medonline.services.security_journal.writer import SecurityJournal
from medonline.storage.engine import Database
from medonline.wording import notices as notices_wording
from medonline.wording.personal_data_consent import consent_text


@dataclass(frozen=True, slots=True)
class Shared:
    """One of each for the whole process.

    sealers: of what is encrypted in the database, by use (`SEALED_USES`); `KeyRotation` goes through them all.
    """

    config: Config
    clock: Clock
    database: Database
    outside: Outside
    alarms: Alarms
    windows: Windows
    journal: SecurityJournal
    switches: ChannelSwitches
    issuer: CodeIssuer
    dispatcher: CodeDispatcher
    notices: NoticeService
    email_codes: EmailCodes
    hasher: PasswordHasher
    pace: AccountPace
    step_up: StepUp
    sealers: dict[str, Sealer]

    def codes_for(self, purpose: str) -> CodeFlow:
        """The codes of one flow."""
        return CodeFlow(self.database, self.issuer, purpose, self.dispatcher.enqueue)

    @property
    def consent_hash(self) -> str:
        """Of the text to which new patients consent here."""
        return text_hash(consent_text(self.config.operator_name))


def build_shared(config: Config, clock: Clock, operator: Operator | None = None) -> Shared:
    """Opens nothing yet."""
    database = _database(config)
    alarms = Alarms(clock)
    outside = build_outside(config, alarms)
    windows = Windows(outside.limits, Sealer(config.key, "limits"), config.request_policy.raised_networks)
    chain = JournalChain(
        database, sealer(config, "journal chain"), alarms, key_id(config.next_key) if config.next_key else ""
    )
    journal = SecurityJournal(clock, sealer(config, "journal phone"), chain, operator)
    spending = Spending(config.budgets, alarms)
    limits = CodeLimits(windows, config.request_policy, alarms)
    order = ChannelOrder(database, clock, config.code_channels, config.channel_off_below_percent)
    switches = ChannelSwitches(database, clock, config.switch_policy, config.code_channels, journal, alarms, order)
    breaker = CodeBreaker(config.breaker_policy, config.code_guesses, alarms)
    issuer = _issuer(config, outside, limits, spending, breaker, switches)
    links = DisputeLinks(f"{config.origin}{routes.NOT_ME}", sealer(config, "dispute"))
    email_codes = EmailCodes(sealer(config, "email code"))
    mail = MailWay(outside.mail, notices_wording, email_codes) if outside.mail is not None else None
    notices = NoticeService(
        database, clock, outside.notices, notices_wording, links, spending, config.notices_per_account, mail
    )
    return Shared(
        config=config,
        clock=clock,
        database=database,
        outside=outside,
        alarms=alarms,
        windows=windows,
        journal=journal,
        switches=switches,
        issuer=issuer,
        dispatcher=CodeDispatcher(database, clock, issuer, outside.channels),
        notices=notices,
        email_codes=email_codes,
        hasher=PasswordHasher(),
        pace=AccountPace(config.account_limits),
        step_up=StepUp(config.step_up_policy),
        sealers={use: sealer(config, use) for use in SEALED_USES},
    )


def _database(config: Config) -> Database:
    return Database(
        config.database,
        sealer(config, "changes").indexes,
        connections=config.database_connections,
        lock_timeout=config.database_lock_timeout,
    )


def _issuer(
    config: Config,
    outside: Outside,
    limits: CodeLimits,
    spending: Spending,
    breaker: CodeBreaker,
    switches: ChannelSwitches,
) -> CodeIssuer:
    return CodeIssuer(
        keys=(config.key, *config.other_keys),
        policy=config.code_policy,
        switches=switches,
        limits=limits,
        spending=spending,
        breaker=breaker,
        journal=switches.journal,
        learning=frozenset(
            name for name, vendors in outside.channels.items() if any(isinstance(one, LearnsOutcome) for one in vendors)
        ),
        chat_links={
            name: one.link for name, vendors in outside.channels.items() for one in vendors if isinstance(one, ChatBot)
        },
    )


def sealer(config: Config, use: str) -> Sealer:
    """Encrypts and indexes for one use; reads what older keys made, and the next one."""
    return Sealer(config.key, use, config.other_keys)
