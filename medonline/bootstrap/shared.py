"""What the services of several flows share: the inside, the outside, codes and notices."""

from __future__ import annotations

from dataclasses import dataclass, fields

from medonline.bootstrap.inside import Inside, build_inside, dispute_links, sealer
from medonline.bootstrap.outside import Outside, build_outside
from medonline.config.settings import Config
from medonline.domain.personal_data_consent import text_hash
from medonline.domain.security_journal import Operator
from medonline.services.clock import Clock
from medonline.services.codes.circuit_breaker import CodeBreaker
from medonline.services.codes.dispatcher import CodeDispatcher
from medonline.services.codes.flow import CodeFlow
from medonline.services.codes.issuing import CodeIssuer
from medonline.services.codes.step_up import StepUp
from medonline.services.limits.budgets import Spending
from medonline.services.notices.email_codes import EmailCodes
from medonline.services.notices.sender import NoticeService
from medonline.services.notices.ways import MailWay
from medonline.services.ports import ChatBot, LearnsOutcome
from medonline.wording import notices as notices_wording
from medonline.wording.personal_data_consent import consent_text


@dataclass(frozen=True, slots=True)
class Shared(Inside):
    """One instance of each for the whole process."""

    outside: Outside
    issuer: CodeIssuer
    dispatcher: CodeDispatcher
    notices: NoticeService
    email_codes: EmailCodes
    step_up: StepUp

    def codes_for(self, purpose: str, *, takes_calls: bool = False) -> CodeFlow:
        """The codes of one flow."""
        return CodeFlow(self.database, self.issuer, purpose, self.dispatcher.enqueue, takes_calls)

    @property
    def consent_hash(self) -> str:
        """The hash of the text that new patients consent to here."""
        return text_hash(consent_text(self.config.operator_name))


def build_shared(config: Config, clock: Clock, operator: Operator | None = None) -> Shared:
    """Build the shared services. Opens no connection yet."""
    inside = build_inside(config, clock, operator, for_patients=True)
    outside = build_outside(config, inside.alarms, inside.limits)
    spending = Spending(config.budgets, inside.alarms)
    issuer = _issuer(inside, outside, spending)
    links = dispute_links(config)
    email_codes = EmailCodes(sealer(config, "email code"))
    mail = MailWay(outside.mail, notices_wording, email_codes) if outside.mail is not None else None
    notices = NoticeService(
        inside.database, clock, outside.notices, notices_wording, links, spending, config.notices_per_account, mail
    )
    return Shared(
        **{one.name: getattr(inside, one.name) for one in fields(inside)},
        outside=outside,
        issuer=issuer,
        dispatcher=CodeDispatcher(inside.database, clock, issuer, outside.channels),
        notices=notices,
        email_codes=email_codes,
        step_up=StepUp(config.step_up_policy),
    )


def _issuer(of: Inside, outside: Outside, spending: Spending) -> CodeIssuer:
    config = of.config
    return CodeIssuer(
        keys=(config.key, *config.other_keys),
        policy=config.code_policy,
        switches=of.switches,
        limits=of.code_limits,
        spending=spending,
        breaker=CodeBreaker(config.breaker_policy, config.code_guesses, of.alarms),
        journal=of.journal,
        learning=frozenset(
            name for name, vendors in outside.channels.items() if any(isinstance(one, LearnsOutcome) for one in vendors)
        ),
        chat_links={
            name: one.link for name, vendors in outside.channels.items() for one in vendors if isinstance(one, ChatBot)
        },
    )
