"""Tells patients what happened to their account: an outbox.

A notice is a row of the transaction that it tells about (`queue`), so none is lost and none is sent about what was rolled back. A due
row is claimed by one conditional UPDATE, so several processes never send it twice; most are claimed by the transaction that
makes them, for the process that runs it.
A notice that is refused or not taken is tried again after pauses that grow, for some four hours; then it is given up with an
alarm, and waits in the table for an operator (`desk.unsent_notices`). An attempt after which nobody knows whether it went out is
repeated three times at most.
A claim runs out when its process was killed or could not record the result. Whether the provider took the message is unknown
then, and providers do not recognise a repeat, so the notice is given up.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Final

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from medonline.domain.errors import (
    DeliveryFailed,
    MailboxUnknown,
    NoticesOverBudget,
    NumberNotReachable,
    ProviderDown,
)
from medonline.domain.limits import Limit
from medonline.metrics import names as metrics
from medonline.services.clock import Clock
from medonline.services.codes.delivery import DeliveryProblem, problem_of
from medonline.services.limits.alarms import Alarm
from medonline.services.limits.budgets import NOTICE, Spending
from medonline.services.limits.provider_alarms import ProviderAlarms
from medonline.services.notices.dispute_links import DisputeLinks
from medonline.services.notices.email_codes import CODE_LIFE
from medonline.services.notices.queue import NoticeQueue
from medonline.services.notices.texts import About, Words
from medonline.services.notices.ways import MailWay, Way, by_mail, to_phone
from medonline.services.outbox import Lane, Outbox
from medonline.services.ports import NoticeChannel
from medonline.storage.engine import Database, after_commit, reads, writes
from medonline.storage.queries import email_proofs, notices, patients
from medonline.storage.tables.notices import Notice

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
AT_ONCE = 8
RETRY_AFTER = tuple(timedelta(seconds=seconds) for seconds in (10, 60, 300, 900, 3600, 10_800))
# It may have gone out each time: told four times is enough, and each costs money.
UNSURE_RETRIES = 3
# Told a day late, a notice frightens more than it helps: the channel was off, or the portal did not run.
STALE_AFTER = timedelta(days=1)
_IN_HAND, _UNKNOWN, _STALE, _ENDED = "in_hand", "unknown", "stale", "ended"
# What only somebody who looked at the one notice sends again: it may be on its way or told already, cannot arrive, carries a code
# that proves nothing any more, or waits for money.
NOT_BY_ALL = frozenset({_IN_HAND, _UNKNOWN, _ENDED, DeliveryProblem.NUMBER_NOT_REACHABLE.value, ""})
_RECORDING_PAUSES = (0.2, 1.0, 5.0)  # seconds


class MailState(StrEnum):
    """What became of a mail, as far as it makes a difference to who waits for it."""

    ON_ITS_WAY = "on_its_way"
    SENT = "sent"
    LATE = "late"  # refused or not taken; it may be tried again
    NO_MAILBOX = "no_mailbox"


def mail_state(row: Notice) -> MailState:
    """Of the row of a mail."""
    if row.sent_at is not None:
        return MailState.SENT
    if row.problem in ("", _IN_HAND):
        return MailState.ON_ITS_WAY
    return MailState.NO_MAILBOX if row.problem == DeliveryProblem.NUMBER_NOT_REACHABLE else MailState.LATE


@dataclass(frozen=True, slots=True)
class _Lane:
    """A way, and its places in the outbox."""

    way: Way
    lane: Lane[Notice]


class NoticeService(NoticeQueue):
    """`put` within a transaction, and it is sent after the commit; `outbox` is the loop."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        channel: NoticeChannel | None,
        words: Words,
        links: DisputeLinks | None = None,
        spending: Spending | None = None,
        per_account: tuple[Limit, ...] = (),
        mail: MailWay | None = None,
    ) -> None:
        tells = {"writes_texts": channel is not None, "writes_mail": mail is not None}
        super().__init__(clock, words, links, spending, per_account, **tells)
        self._alarms = self._spending.alarms
        self._provider_alarms = ProviderAlarms(self._alarms)
        self.database: Final = database
        # Without a way nothing is due, whatever the database holds.
        self._phone = None if channel is None else self._lane_of(to_phone(channel), by_mail=False)
        self._mail = None if mail is None else self._lane_of(by_mail(mail), by_mail=True)
        lanes = [one.lane for one in (self._phone, self._mail) if one is not None]
        unread = "The notices to send could not be read"
        self.outbox: Outbox[Notice] = Outbox(clock, lanes, failed=_log_failure, unread=unread)

    def _hand_over(self, session: Session, row: Notice) -> None:
        """Have it sent after the commit: by this process, where it has room now, if there is money for it."""
        lane = self._mail if row.email else self._phone
        assert lane is not None  # noqa: S101 - by no other way is anybody told
        if row.paid_at is None or not self.outbox.has_room(lane.lane):
            after_commit(session, self.outbox.wake)
        elif after_commit(
            session, partial(self.outbox.take_up, row, lane.lane, partial(self._send, lane.way, earlier=0))
        ):
            row.attempts, row.problem, row.due_at = 1, _IN_HAND, row.created_at + LEASE

    def _lane_of(self, way: Way, *, by_mail: bool) -> _Lane:
        return _Lane(way, Lane(partial(self._due, by_mail), partial(self._attend, way), AT_ONCE))

    @reads
    def _due(self, session: Session, by_mail: bool, in_hand: tuple[str, ...], limit: int) -> Sequence[Notice]:
        return notices.due(session, self._clock(), in_hand, limit, _IN_HAND, by_mail=by_mail)

    async def _attend(self, way: Way, row: Notice) -> None:
        now = self._clock()
        if row.problem == _IN_HAND:
            await self._give_up(row, way, _UNKNOWN)
            return
        if now - row.created_at > STALE_AFTER:
            await self._give_up(row, way, _STALE, free=True)
            return
        if row.about == About.EMAIL_PROOF and not await self._proves(row, now):
            # Who asked has another code, another address, or none to wait for: no alarm, and nobody need send it again.
            await self._record_failure(row, _ENDED, None, free=False)
            return
        if await self._take(row, way, now):
            await self._send(way, row, earlier=row.attempts)

    @reads
    def _proves(self, session: Session, row: Notice, now: datetime) -> bool:
        """Whether the code in this mail is still waited for."""
        return email_proofs.is_open(session, row.id, now - CODE_LIFE)

    async def _send(self, way: Way, row: Notice, earlier: int) -> None:
        """`earlier`: the attempts before this one."""
        worded = self._worded(row)
        try:
            reference = await way.send(row, worded)
        except DeliveryFailed as error:
            await self._fail(row, way, error, earlier)
            return
        self._provider_alarms.well(way.provider)
        await self._keep_sent(row, way, reference, with_link=worded != row.text)

    @writes
    def _take(self, session: Session, row: Notice, way: Way, now: datetime) -> bool:
        """Claim a due notice, and reserve its money unless that was done when it was made; whether to send it now.

        Without money it is put off until midnight in Moscow.
        """
        pays = way.paid and row.paid_at is None
        if pays:
            # Before the notices: `storage.engine`. PostgreSQL locks the patient of a row that one transaction writes twice.
            patients.hold(session, row.patient_id)
        if not notices.take(session, row.id, now, row.attempts, _IN_HAND, now + LEASE):
            return False
        if not pays:
            return True
        try:
            row.kopecks = self._spending.reserve_notice(
                session, now, percent=100, otherwise="what is not sent yet waits"
            )
        except NoticesOverBudget as refusal:
            notices.postpone(session, row.id, row.attempts, refusal.until)
            return False
        row.paid_at = now
        notices.record_paid(session, row.id, now, row.kopecks)
        return True

    async def _keep_sent(self, row: Notice, way: Way, reference: str, *, with_link: bool) -> None:
        """Record the acceptance, also when the database is busy for a while: the claim has not run out yet.

        Only now do the links of earlier notices to this phone or address end, for the patient has got the newer one. A notice that is
        refused, or goes without its link, ends none: a stranger who makes the portal write notices could end the owner's link.
        """
        for pause in _RECORDING_PAUSES:
            try:
                await self._record_sent(row, way, reference, with_link=with_link)
                return
            except SQLAlchemyError:
                await asyncio.sleep(pause)
        log.error("A notice was sent and could not be recorded; it will be given up, not sent again")

    @writes
    def _record_sent(self, session: Session, row: Notice, way: Way, reference: str, *, with_link: bool) -> None:
        if with_link:
            patients.hold(session, row.patient_id)  # before the notices: `storage.engine`
            notices.end_links_before(session, row, self._clock())
        notices.record_sent(session, row.id, reference, self._clock())
        after_commit(session, partial(metrics.NOTICES_SENT.add, way.provider))

    async def _fail(self, row: Notice, way: Way, error: DeliveryFailed, earlier: int) -> None:
        self._provider_alarms.failed(way.provider, error)
        may_retry = _may_retry(error, earlier)
        due_at = self._clock() + RETRY_AFTER[earlier] if may_retry else None
        log.warning(
            "A notice was not sent by %s: %s (%s); %s",
            way.provider,
            type(error).__name__,
            error.code or "-",
            f"attempt {earlier + 2} follows" if may_retry else "given up",
        )
        fate = "again" if may_retry else "given up"
        metrics.NOTICES_FAILED.add(way.provider, problem_of(error), fate)
        if not may_retry:
            self._tell_given_up(problem_of(error))
        await self._record_failure(row, problem_of(error), due_at, free=way.paid and not error.may_have_gone_out)

    async def _give_up(self, row: Notice, way: Way, problem: str, *, free: bool = False) -> None:
        log.warning("A notice is given up: %s", problem)
        metrics.NOTICES_FAILED.add(way.provider, problem, "given up")
        self._tell_given_up(problem)
        await self._record_failure(row, problem, None, free=free)

    def _tell_given_up(self, problem: str) -> None:
        text = (
            f"a notice is given up ({problem}): `medonline notices list` shows it, `medonline notices resend` sends it"
        )
        self._alarms.sound(Alarm.NOTICES_GIVEN_UP, text, of=problem)

    @writes
    def _record_failure(
        self, session: Session, row: Notice, problem: str, due_at: datetime | None, *, free: bool
    ) -> None:
        """`free`: it certainly cost nothing, so its money is there for others."""
        failed = notices.record_failed(session, row.id, problem, due_at)
        if failed and free and row.paid_at is not None:
            Spending.give_back(session, NOTICE, row.paid_at, row.kopecks)


def _may_retry(error: DeliveryFailed, earlier: int) -> bool:
    """Whether to try once more after `earlier` attempts and this one."""
    if isinstance(error, NumberNotReachable | MailboxUnknown):
        return False  # it will be no other number or address tomorrow
    if error.may_have_gone_out:
        return isinstance(error, ProviderDown) and earlier < UNSURE_RETRIES
    return earlier < len(RETRY_AFTER)


def _log_failure(error: BaseException) -> None:
    # The kind only: an unforeseen error may quote what was to be sent.
    log.error("Work on a notice failed: %s; its claim will run out", type(error).__name__)
