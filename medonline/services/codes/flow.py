"""One flow of codes for everything that needs the proof of a phone: begin, resend, view, judge.

Everything runs inside a session of the caller, so that a flow and its codes are committed together. Only the limits and the wait for a
provider are outside.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from sqlmodel import Session

from medonline.domain.codes.channels import GUIDE_CHANNELS, ChannelName
from medonline.domain.codes.one_time_code import digits_for
from medonline.domain.errors import (
    CallNotSeen,
    CallOver,
    ChannelUnavailable,
    CodeExpired,
    CodeMismatch,
    CodeRefused,
    CodeReplaced,
    CodeStillSending,
    CodeUsedUp,
)
from medonline.domain.phone import PhoneNumber
from medonline.metrics import names as metrics
from medonline.services.codes.delivery import IN_FLIGHT, DeliveryState
from medonline.services.codes.issuing import CodeIssuer, CodeRequest, Issued, topic_of
from medonline.services.codes.phone_history import NEWS_WITHIN, PhoneHistory
from medonline.services.codes.watch import CodeWatch
from medonline.services.limits.code_limits import CodeAsked, CodeGuess, CodePlace
from medonline.storage.engine import Database, after_commit, announce
from medonline.storage.queries import calls_of_patients, codes
from medonline.storage.tables.codes import OneTimeCodeRow

# Two equal submits within this time count as one: a double click, or Enter together with a click.
SAME_SUBMIT = timedelta(seconds=5)
SENDING_LOOKS = 30
# The first few times an older code of the flow is recognised as such, and costs no attempt. After that it counts as wrong (SECURITY.md).
OLDER_TOLD = 3
SENDING_PAUSE_S = 0.1
# The portal does not ask a vendor more often than this whether a call came.
ASK_EVERY = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class CodeView:
    """What a screen may know of a code on its way. Times are UTC. The phone is masked. It contains no code and no token.

    `code_alive` is false when the code expired, was used up or was replaced: then only a new code helps. `open_channels` are the ways that
    are switched on and have money left today, the best first. `ready_channels` are those of them, without the code's own way, that may be
    asked for at once. `topic` is the topic that is announced when the code or its flow changes. It contains the whole phone, so it must not
    get onto a screen or into a log. `chat_link` opens the chat for which the code waits; it is empty where no chat is to be opened.
    `call_number` is the number that the patient calls (E.164), while a call is awaited. `codes_at` is the moment from which a code may be
    asked for where the patient calls, because calls have their own pauses.
    """

    phone: str
    channel: ChannelName
    issued_at: datetime
    expires_at: datetime
    resend_at: datetime
    attempts_left: int
    code_alive: bool
    delivery: DeliveryState
    problem: str
    ready_channels: tuple[ChannelName, ...]
    open_channels: tuple[ChannelName, ...]
    topic: str = field(repr=False, compare=False)
    chat_link: str = field(repr=False)
    call_number: str
    codes_at: datetime | None

    @property
    def fallback_now(self) -> bool:
        """Whether another way may be asked for at once."""
        return bool(self.ready_channels)

    @property
    def awaits_call(self) -> bool:
        """Whether the patient still has to call, or has called but this browser has not taken up the call yet."""
        return self.channel.facts.patient_calls and self.code_alive

    def next_change(self, now: datetime) -> datetime | None:
        """The next moment (UTC) at which the view changes by the clock alone, or must be read because a call may have come."""
        moments = [self.resend_at, self.expires_at, *filter(None, (self.codes_at,))]
        if self.awaits_call:
            moments.append(now + ASK_EVERY)
        if self.delivery in IN_FLIGHT:
            moments.append(self.issued_at + NEWS_WITHIN)
        return min((at for at in moments if at > now), default=None)


@dataclass(frozen=True, slots=True)
class Resent:
    """The flow's code after a resend, and the code that was issued now.

    The second click of two gets the code of the first, and issues none.
    """

    code: OneTimeCodeRow
    issued: Issued | None


@dataclass(frozen=True, slots=True)
class CodeFlow:
    """Codes of flows with one purpose.

    enqueue: has a new code sent after the transaction that makes it commits.
    takes_calls: whether a call of the patient counts as a proof here. It never does where it would be the only proof.
    """

    database: Database
    issuer: CodeIssuer
    purpose: str
    enqueue: Callable[[Session, OneTimeCodeRow], None]
    takes_calls: bool = False

    def open_channels(self, session: Session, now: datetime) -> tuple[ChannelName, ...]:
        """The ways that are switched on, have money left today, and count as a proof here."""
        return tuple(one for one in self.issuer.open_channels(session, now) if self._is_proof(one))

    def _is_proof(self, channel: ChannelName) -> bool:
        return self.takes_calls or not channel.facts.patient_calls

    def place(
        self, phone: PhoneNumber, channel: ChannelName, client_ip: str, now: datetime
    ) -> AbstractAsyncContextManager[CodePlace]:
        """A place for the code within the limits. It encloses the transaction that may issue the code."""
        return self.issuer.limits.place_for_code(phone, channel, client_ip, now)

    def request(self, flow_id: str, place: CodePlace, channel: ChannelName) -> CodeRequest:
        """The code that a flow asks for, to the phone of the place."""
        return CodeRequest(flow_id, self.purpose, place, channel)

    def watch(self) -> CodeWatch:
        """The pauses of a screen that follows a code."""
        return CodeWatch(self.database.changes)

    def begin(self, session: Session, request: CodeRequest, now: datetime) -> Issued:
        """Record the intent to send the first code of a flow. It is sent after the commit.

        Raises:
            ChannelUnavailable: the way is switched off, or is no proof here.
            RateLimited: the pause after the last code to this phone is not over.
            LimitReached: one of its leaves.
        """
        if not self._is_proof(request.channel):
            raise ChannelUnavailable(request.channel)
        try:
            issued = self.issuer.issue(session, request, now)
        except ChannelUnavailable as refusal:
            # Another way that is on, and no proof here, must not be advised.
            others = {*self.issuer.switches.open_now()} - {request.channel}
            another = any(map(self._is_proof, others))
            raise ChannelUnavailable(refusal.channel, refusal.reason, another=another) from refusal
        self.enqueue(session, issued.code)
        session.flush()
        return issued

    def resend(self, session: Session, request: CodeRequest, now: datetime) -> Resent:
        """Record the intent to send another code after the commit. A second click records nothing.

        Raises:
            ChannelUnavailable, RateLimited, LimitReached: as for `begin`.
        """
        codes.hold_phone(session, request.phone.e164)
        last = codes.newest_of_flow(session, request.flow_id)
        if last is not None and _is_same_submit(last, request, now):
            return Resent(last, issued=None)
        issued = self.begin(session, request, now)
        return Resent(issued.code, issued)

    def view(self, session: Session, flow_id: str, now: datetime) -> CodeView | None:
        """What a screen shows of the flow's last code. None when the flow has no code."""
        row = codes.newest_of_flow(session, flow_id)
        return None if row is None else self.view_of(session, row, now)

    def view_of(
        self,
        session: Session,
        row: OneTimeCodeRow,
        now: datetime,
        *,
        awaited: bool = True,
        history: PhoneHistory | None = None,
    ) -> CodeView:
        """What a screen shows of a code, the last one of its flow.

        awaited: whether the screen asks for the code and offers another one. If not, the limits are not read and no way is shown as open.
        history: the last codes to the phone, where the caller knows them.
        """
        phone, channel = PhoneNumber(row.phone), ChannelName(row.channel)
        if history is None:
            history = self.issuer.history(session, phone) if awaited else PhoneHistory(self.issuer.policy, ())
        open_channels = self.open_channels(session, now) if awaited else ()
        return CodeView(
            phone=phone.masked,
            channel=channel,
            issued_at=row.issued_at,
            expires_at=row.expires_at,
            resend_at=history.of(channel).resend_at or row.issued_at,
            attempts_left=max(self.issuer.policy.guesses - row.misses, 0),
            code_alive=self.is_alive(row, now),
            delivery=DeliveryState(row.delivery),
            problem=row.problem,
            ready_channels=tuple(
                one for one in open_channels if one is not channel and history.refusal(one, now) is None
            ),
            open_channels=open_channels,
            topic=topic_of(row.phone),
            chat_link=self.issuer.chat_link(row, now) if self.is_alive(row, now) else "",
            codes_at=history.of(GUIDE_CHANNELS[0]).resend_at if channel.facts.patient_calls else None,
            call_number=row.call_number if row.delivery == DeliveryState.SENT and self.is_alive(row, now) else "",
        )

    def is_alive(self, row: OneTimeCodeRow, now: datetime) -> bool:
        """Whether the code can still be entered with success."""
        return (
            row.confirmed_at is None
            and row.replaced_at is None
            and row.misses < self.issuer.policy.guesses
            and row.expires_at > now
            and row.delivery != DeliveryState.FAILED
        )

    @asynccontextmanager
    async def guess(
        self, last_code: Callable[[Session], OneTimeCodeRow | None], now: datetime
    ) -> AsyncIterator[CodeGuess]:
        """A place for a guess at the flow's last code within the limits. It encloses the transaction that judges the guess.

        A provider that has called but not answered yet gets a moment first, because its answer names the code. `last_code` finds the code.
        Its errors pass through.
        """
        code = await self._sent(last_code)
        asked = None if code is None else CodeAsked(code.id, code.channel, code.phone, code.client_ip)
        async with self.issuer.limits.guess(asked, now) as guess:
            yield guess

    async def _sent(self, last_code: Callable[[Session], OneTimeCodeRow | None]) -> OneTimeCodeRow | None:
        code = await self.database.read(last_code)
        for _ in range(SENDING_LOOKS):
            if code is None or code.delivery != DeliveryState.SENDING:
                return code
            await asyncio.sleep(SENDING_PAUSE_S)
            code = await self.database.read(last_code)
        return code

    @staticmethod
    def last_code(session: Session, flow_id: str) -> OneTimeCodeRow | None:
        """The last code of a flow, for `guess` and `judge`."""
        return codes.newest_of_flow(session, flow_id)

    def judge(
        self, session: Session, row: OneTimeCodeRow | None, digits: str, now: datetime, guess: CodeGuess
    ) -> OneTimeCodeRow | CodeRefused:
        """Compare what was typed (digits only) with the flow's last code, as it was read in this transaction. Returns the accepted code, or
        the refusal.

        The comparison is atomic. Only the phone to which the accepted code went is proved. The caller raises a returned refusal after the
        commit: a miss that is rolled back would be a free guess.

        Raises:
            CodeStillSending, CodeIncomplete, TooManyWrongCodes: nothing was compared, and no attempt is lost.
        """
        if row is None:
            return CodeUsedUp()
        if ChannelName(row.channel).facts.patient_calls:
            return CallNotSeen()  # nothing can be typed for this way
        if row.delivery == DeliveryState.SENDING:
            raise CodeStillSending
        code = digits_for(ChannelName(row.channel), digits)
        guess.use()
        digests = self.issuer.digests(row, code)
        digest = row.digest if row.digest in digests else digests[0]
        guesses = self.issuer.policy.guesses
        older = digest != row.digest and self.is_alive(row, now)
        if older and any(codes.tell_of_older(session, row.flow_id, one, OLDER_TOLD) for one in digests):
            return CodeReplaced()
        # Somebody typed the code, so it has arrived. Where the provider learns from that (`LearnsOutcome`), the dispatcher reports it.
        next_look = now if row.channel in self.issuer.learning else None
        verdict = codes.judge(
            session,
            row.id,
            digest,
            guesses,
            now,
            sources=IN_FLIGHT,
            target=DeliveryState.DELIVERED,
            next_look=next_look,
        )
        announce(session, topic_of(row.phone))
        if verdict is None:
            return CodeExpired() if row.expires_at <= now else CodeUsedUp()
        self.issuer.note_guess(session, row, accepted=verdict.right)
        asked = CodeAsked(row.id, row.channel, row.phone, row.client_ip)
        if not verdict.right:
            guess.wrong = asked, verdict.misses
            after_commit(session, partial(metrics.CODES_MISTYPED.add, row.channel))
            self.issuer.breaker.note_miss(session, now)
            return CodeMismatch(guesses - verdict.misses)
        guess.right = asked
        after_commit(session, partial(_count_entered, verdict.row, now))
        return verdict.row

    def take_call(
        self, session: Session, row: OneTimeCodeRow | None, now: datetime, guess: CodeGuess
    ) -> OneTimeCodeRow | CodeRefused:
        """Use up the call that the vendor has seen for this flow. Returns the call, or the refusal to raise after the commit."""
        if row is None or not ChannelName(row.channel).facts.patient_calls:
            return CodeUsedUp()
        taken = calls_of_patients.take(session, row.id, DeliveryState.DELIVERED, now)
        announce(session, topic_of(row.phone))
        if taken is None:
            return CallNotSeen() if self.is_alive(row, now) else CallOver()
        self.issuer.note_guess(session, taken, accepted=True)
        guess.right = CodeAsked(taken.id, taken.channel, taken.phone, taken.client_ip)
        after_commit(session, partial(_count_entered, taken, now))
        return taken

    def end_calls(self, session: Session, flow_id: str, now: datetime) -> None:
        """End the flow's wait for a call, so that another flow may wait for one."""
        if any(channel.facts.patient_calls for channel in self.issuer.switches.channels):
            calls_of_patients.end_of_flow(session, flow_id, now)

    def await_call(self, session: Session, flow_id: str, now: datetime) -> None:
        """A browser waits for the call: have the vendor asked in `ASK_EVERY` from now (UTC), unless that is planned already."""
        row = codes.newest_of_flow(session, flow_id)
        if row is not None and ChannelName(row.channel).facts.patient_calls and self.is_alive(row, now):
            calls_of_patients.ask_at(session, row.id, DeliveryState.SENT, now + ASK_EVERY)


def _count_entered(row: OneTimeCodeRow, now: datetime) -> None:
    metrics.CODES_ENTERED.add(row.channel, row.provider)
    metrics.CODE_ENTERING.observe((now - row.issued_at).total_seconds(), row.channel)


def _is_same_submit(last: OneTimeCodeRow, request: CodeRequest, now: datetime) -> bool:
    same = (last.phone, last.channel) == (request.phone.e164, request.channel)
    return same and abs(now - last.issued_at) < SAME_SUBMIT and last.misses == 0
