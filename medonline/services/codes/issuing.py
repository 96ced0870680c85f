"""Issues one-time codes: one live code per phone, pauses between codes, and an intent for the dispatcher."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from sqlmodel import Session

from medonline.domain.codes.channels import CALLED, ChannelName
from medonline.domain.codes.chat_start import START_WITHIN, start_token
from medonline.domain.codes.one_time_code import CodePolicy, code_digest, derive_code
from medonline.domain.errors import CallAwaited, ChannelUnavailable, RateLimited, TooManyCodes
from medonline.domain.phone import PhoneNumber
from medonline.domain.security_journal import JournalEvent
from medonline.metrics import names as metrics
from medonline.services.codes.channel_switches import ChannelSwitches
from medonline.services.codes.circuit_breaker import CodeBreaker
from medonline.services.codes.delivery import DeliveryState
from medonline.services.codes.phone_history import PhoneHistory
from medonline.services.limits.budgets import Spending
from medonline.services.limits.code_limits import CodeLimits, CodePlace
from medonline.services.security_journal import entries
from medonline.services.security_journal.writer import SecurityJournal
from medonline.storage.engine import after_commit, announce
from medonline.storage.queries import calls_of_patients, codes
from medonline.storage.tables.codes import OneTimeCodeRow


def topic_of(phone: str) -> str:
    """The topic that is announced when a code to this number (E.164) changes, or a flow that waits for one.

    All browsers share one topic, because a new code ends the older ones wherever they were asked for.
    """
    return f"codes to {phone}"


@dataclass(frozen=True, slots=True)
class CodeRequest:
    """A code that a flow asks for: its purpose, its way, and the place that holds its phone."""

    flow_id: str
    purpose: str
    place: CodePlace
    channel: ChannelName

    @property
    def phone(self) -> PhoneNumber:
        """The phone to which the code goes."""
        return self.place.phone


@dataclass(frozen=True, slots=True)
class Issued:
    """A code that was just issued, and the last codes to its phone including itself."""

    code: OneTimeCodeRow
    history: PhoneHistory


@dataclass(frozen=True, slots=True)
class CodeIssuer:
    """Puts codes into an open transaction of the caller, so that the flow and its code are committed together.

    keys: the current key first. While keys change node by node, another process may have made a code with another key.
    learning: the ways whose provider wants to hear that its code was typed. The dispatcher reports it.
    chat_links: for each way that needs a chat, a function from a token to the link that opens the chat.
    """

    keys: Sequence[bytes]
    policy: CodePolicy
    switches: ChannelSwitches
    limits: CodeLimits
    spending: Spending
    breaker: CodeBreaker
    journal: SecurityJournal
    learning: frozenset[ChannelName] = frozenset()
    chat_links: Mapping[ChannelName, Callable[[str], str]] = field(default_factory=dict)

    def require_channel(self, channel: ChannelName) -> None:
        """Refuse a way that is not set up here, before anything else is read.

        Raises:
            ChannelUnavailable: the way is not set up.
        """
        if channel not in self.switches.channels:
            raise ChannelUnavailable(channel)

    def issue(self, session: Session, request: CodeRequest, now: datetime) -> Issued:
        """Replace the live code of the phone by a new one, and record the intent to send it.

        Raises:
            ChannelUnavailable: the way is switched off.
            RateLimited: the pause after the last code to this phone is not over.
            CallAwaited: another browser waits for its call.
            LimitReached: one of its leaves, for the phone, the day's money, the network or the block of numbers.
        """
        self.require_channel(request.channel)
        codes.hold_phone(session, request.phone.e164)
        history = self.history(session, request.phone)
        refusal = history.refusal(request.channel, now)
        called = request.channel.facts.patient_calls
        if called:
            self._refuse_a_second_wait(session, request, history, refusal, now)
        if refusal is not None:
            raise refusal
        # The codes are locked before the money, as in the dispatcher (lock order: `storage.engine`).
        if history.may_have_live:
            # A wait for a call is not a code. It ends no code of another browser, and a code of another browser does not end it.
            but_ways = tuple(ChannelName) if called else CALLED
            codes.kill_live(session, request.phone.e164, now, flow_id=request.flow_id, but_ways=but_ways)
        self.switches.require(session, request.channel)
        price = self.spending.reserve(session, request.channel, now)
        request.place.use()  # the last possible refusal, so that the patient hears the reasons of this one phone first
        self.breaker.weigh(session, now)
        row = self._new_row(request, price, now)
        session.add(row)
        announce(session, topic_of(row.phone))
        self.journal.note(session, entries.of_code(JournalEvent.CODE_ASKED, row))
        after_commit(session, partial(metrics.CODES_ASKED.add, request.channel, request.purpose))
        return Issued(row, history.followed_by(row.issued_at, row.channel, row.delivery))

    def _refuse_a_second_wait(
        self,
        session: Session,
        request: CodeRequest,
        history: PhoneHistory,
        refusal: TooManyCodes | RateLimited | None,
        now: datetime,
    ) -> None:
        """Danger: a vendor gives several browsers the same number to call. With two waits at once the owner's call would answer the
        stranger's wait. So the first browser has the number to itself. A stranger who waits keeps the owner only from this one way.

        A newer wait must not replace an older one either, even if no browser looks at that one any more. A patient who has lost the
        cookies must wait because of this. But the browser of a patient who dials on the same phone sleeps, and the owner's call would
        answer a stranger who begins at that moment.

        refusal: why this number must wait anyway. The later end of the two is reported, because only then another code is possible.
        """
        until = calls_of_patients.awaited_elsewhere(
            session, request.phone.e164, request.flow_id, DeliveryState.FAILED, now
        )
        if until is not None and (refusal is None or now + refusal.resets_in < until):
            ways = (one for one in self.open_channels(session, now) if not one.facts.patient_calls)
            raise CallAwaited(now, until, next((one for one in ways if history.refusal(one, now) is None), None))

    def note_guess(self, session: Session, row: OneTimeCodeRow, *, accepted: bool) -> None:
        """Write a judged guess into the journal, in the same way for every number, whether it has an account or not."""
        event = JournalEvent.CODE_ACCEPTED if accepted else JournalEvent.CODE_REFUSED
        self.journal.note(session, entries.of_code(event, row))

    def open_channels(self, session: Session, now: datetime) -> tuple[ChannelName, ...]:
        """The ways that are switched on and have money left today."""
        return self.spending.affordable(session, self.switches.open_now(), now)

    def history(self, session: Session, phone: PhoneNumber) -> PhoneHistory:
        """The last codes to this phone, which decide what is allowed next."""
        needed = PhoneHistory.looked_at(self.policy)
        return PhoneHistory(self.policy, codes.last_to_phone(session, phone.e164, needed))

    def _new_row(self, request: CodeRequest, price: int, now: datetime) -> OneTimeCodeRow:
        code_id = request.place.code_id
        return OneTimeCodeRow(
            id=code_id,
            flow_id=request.flow_id,
            purpose=request.purpose,
            phone=request.phone.e164,
            channel=request.channel,
            digest=self._digest_of(request, code_id),
            client_ip=request.place.client_ip,
            price=price,
            issued_at=now,
            expires_at=self._first_end(request.channel, now),
            delivery=DeliveryState.QUEUED,
            due_at=None if request.channel.facts.in_chat else now,
        )

    def _first_end(self, channel: ChannelName, now: datetime) -> datetime:
        """When a new code first expires. A code whose chat nobody opened in time can never be sent, so it ends together with its link."""
        end = self.policy.expires_at(channel, now)
        return min(end, now + START_WITHIN) if channel.facts.in_chat else end

    def _digest_of(self, request: CodeRequest, code_id: str) -> str:
        if request.channel.facts.patient_calls:
            return ""  # there is nothing that anybody could type
        code = derive_code(self.keys[0], code_id, request.channel.code_length)
        facts = {"flow_id": request.flow_id, "purpose": request.purpose, "code": code}
        return code_digest(self.keys[0], phone=request.phone, **facts)

    def digests(self, row: OneTimeCodeRow, code: str) -> list[str]:
        """The stored forms of a code of this row's flow, one for each key, the current key first."""
        phone = PhoneNumber(row.phone)
        facts = {"flow_id": row.flow_id, "purpose": row.purpose, "code": code}
        return [code_digest(key, phone=phone, **facts) for key in self.keys]

    def chat_link(self, row: OneTimeCodeRow, now: datetime) -> str:
        """The link that opens the chat for which a code waits, as long as that is allowed. Empty for any other code.

        A person who opens it learns nothing from it.
        """
        link = self.chat_links.get(ChannelName(row.channel))
        over = (
            row.chat_user or row.due_at or row.delivery != DeliveryState.QUEUED or now >= row.issued_at + START_WITHIN
        )
        return "" if link is None or over else link(start_token(self.keys[0], row.id))

    def code_of(self, row: OneTimeCodeRow) -> str:
        """The code to send for a row, derived with the key that made it. Empty where the patient calls."""
        if ChannelName(row.channel).facts.patient_calls:
            return ""
        length = ChannelName(row.channel).code_length
        codes = [derive_code(key, row.id, length) for key in self.keys]
        return next((code for code in codes if row.digest in self.digests(row, code)), codes[0])
