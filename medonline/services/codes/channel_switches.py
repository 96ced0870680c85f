"""Ways of getting a code that are switched off while the portal runs, by an operator or by a rule.

The record holds the last switch of each way. Every process keeps a copy and hears of changes (`storage.changes`), so reading it costs no
statement. The copy is out of date for as long as a notice travels.

The rule looks at the last codes whose outcome is known. When too few of them were entered, it switches the way off and sounds an alarm.
Then one code a minute goes out on trial until enough of those are entered. A patient may have any reason not to type a code, and a stranger
may ask for many. So one address counts for at most a fifth of the sample (decision 31).
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from medonline.domain.codes.channels import CALLED, ChannelName
from medonline.domain.errors import CallsAloneLeft, ChannelUnavailable, LastChannel
from medonline.domain.security_journal import JournalEvent
from medonline.services.clock import Clock
from medonline.services.codes.channel_order import ChannelOrder
from medonline.services.codes.delivery import DeliveryState
from medonline.services.codes.outcomes import LOOKED_AT, SAMPLE, sample
from medonline.services.limits.alarms import Alarm, Alarms
from medonline.services.outages import JournalKeyUnknown
from medonline.services.security_journal.writer import JournalNote, SecurityJournal
from medonline.storage.changes import LOST_AFTER
from medonline.storage.engine import Database, announce, reads, writes
from medonline.storage.queries import channel_switches
from medonline.storage.tables.channel_switches import ChannelSwitch

log = logging.getLogger(__name__)

TOPIC = "ways that are switched off"
TRIALS = 5
TRIAL_EVERY = timedelta(minutes=1)
JUDGE_EVERY = timedelta(seconds=15)
LOOK_EVERY = timedelta(seconds=0.5)
_EVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class SwitchPolicy:
    """The numbers of the rule (settings).

    Attributes:
        entered_percent: the rule switches the way off when a smaller share of the last 50 codes was entered. With 0 it never does.
        another_road: patients can get in without any code (Gosuslugi). Without it, the last way that is on stays on. So does the last
            way that is enough by itself: after a call of the patient's, a patient without a birth date on record gets no further.
    """

    entered_percent: int
    another_road: bool


@dataclass(frozen=True, slots=True)
class SwitchedOff:
    """A way that has been off since a moment (UTC). `reason`: a sentence for patients; empty where the rule switched it off."""

    channel: ChannelName
    since: datetime
    reason: str
    by_rule: bool
    next_trial_at: datetime | None


@dataclass(frozen=True, slots=True)
class ChannelSwitches:
    """Reads and changes the switches of the ways that are set up (`channels`). Measures `order` each time it applies the rule."""

    database: Database
    clock: Clock
    policy: SwitchPolicy
    channels: tuple[ChannelName, ...]
    journal: SecurityJournal
    alarms: Alarms
    order: ChannelOrder
    _off: dict[ChannelName, SwitchedOff] = field(default_factory=dict)  # this process's copy

    @property
    def off(self) -> Mapping[ChannelName, SwitchedOff]:
        """The ways that are set up but off now, as far as this process knows."""
        return self._off

    def open_now(self) -> tuple[ChannelName, ...]:
        """The ways that may be offered now, the best first. A way that the rule switched off is offered when a trial is due."""
        return tuple(channel for channel in self.order.now.order if self._is_open(channel))

    def require(self, session: Session, channel: ChannelName) -> None:
        """Refuse a way that is not set up, or is off. A code on trial uses up the trial that is due.

        Raises:
            ChannelUnavailable: with the reason for patients.
        """
        off = self._off.get(channel)
        if channel not in self.channels or (off is not None and not self._takes_trial(session, off)):
            another = bool({*self.open_now()} - {channel})
            raise ChannelUnavailable(channel, "" if off is None else off.reason, another=another)

    async def run(self) -> None:
        """Keep the copy up to date and apply the rule, until cancelled."""
        ear = self.database.changes.listen(TOPIC)
        # With SQLite the server does not reliably hear what a command in another process has written.
        pause = LOOK_EVERY if self.database.sqlite else LOST_AFTER
        judge_at = self.clock()
        try:
            while True:
                ear.forget()
                try:
                    await self.load()
                    if self.clock() >= judge_at:
                        judge_at = self.clock() + JUDGE_EVERY
                        await self.judge()
                        await self.order.measure()
                except (SQLAlchemyError, JournalKeyUnknown) as error:
                    log.warning("Whether ways are switched off could not be read or written: %s", type(error).__name__)
                await ear.wait(pause)
        finally:
            ear.close()

    async def load(self) -> None:
        """Read the record into the copy."""
        self._keep(await self.all_of_record())

    @reads
    def all_of_record(self, session: Session) -> dict[ChannelName, SwitchedOff]:
        """The ways that are off, according to the record."""
        return self._read(session)

    @writes
    def switch_off(self, session: Session, channel: ChannelName, reason: str, *, calls_alone: bool = False) -> None:
        """Switch a way off for an operator. `reason` is a sentence for patients.

        calls_alone: the operator accepts that only calls of patients may be left.

        Raises:
            LastChannel: patients would have no way at all.
            CallsAloneLeft: only calls of patients would be left, which are not enough by themselves.
        """
        off = self._read(session)
        if self._is_last(channel, off):
            raise LastChannel(channel)
        if not calls_alone and self._leaves_calls_alone(channel, off):
            raise CallsAloneLeft(channel, another_road=self.policy.another_road)
        self._switch(session, channel, off=True, reason=reason)

    @writes
    def switch_on(self, session: Session, channel: ChannelName) -> None:
        """Switch a way on for an operator. The rule looks only at codes that are asked for from now on."""
        self._switch(session, channel, off=False)

    async def judge(self) -> None:
        """Apply the rule. Usually there is nothing to write."""
        if self.policy.entered_percent and await self._is_any_to_be_switched():
            await self._apply()

    @reads
    def _is_any_to_be_switched(self, session: Session) -> bool:
        return bool(self._verdicts(session))

    def _verdicts(self, session: Session) -> list[tuple[ChannelName, bool]]:
        """The ways to switch, and whether to switch them off, judged by the outcome of their codes."""
        now, rows = self.clock(), {row.channel: row for row in channel_switches.all_of(session)}
        found = []
        for channel in self.channels:
            row = rows.get(channel)
            off = row is not None and row.off
            if row is not None and row.off and not row.by_rule:
                continue  # the rule never changes an operator's switch
            since = row.since if row is not None else _EVER
            outcomes = channel_switches.outcomes(session, channel, since, now, DeliveryState.FAILED, LOOKED_AT)
            judged = sample(outcomes, TRIALS if off else SAMPLE)
            if len(judged) < (TRIALS if off else SAMPLE):
                continue
            is_well = sum(judged) * 100 >= self.policy.entered_percent * len(judged)
            if is_well == off:
                found.append((channel, not is_well))
        return found

    @writes
    def _apply(self, session: Session) -> None:
        for channel, off in self._verdicts(session):
            if off and (last := self._why_it_stays(channel, self._read(session))):
                text = f"codes by {channel} are not entered, and it is {last}: it stays on"
                self.alarms.sound(Alarm.CHANNEL_OFF, text, of=f"{channel} stays")
                continue
            self._switch(session, channel, off=off, by_rule=True)
            if off:
                percent = self.policy.entered_percent
                text = f"{channel} is switched off: fewer than {percent} % of its last {SAMPLE} codes were entered"
                self.alarms.sound(Alarm.CHANNEL_OFF, text, of=channel)
            else:
                log.warning("%s is switched on again: codes on trial were entered", channel)

    def _switch(
        self, session: Session, channel: ChannelName, *, off: bool, reason: str = "", by_rule: bool = False
    ) -> None:
        now = self.clock()
        trial = now + TRIAL_EVERY if off and by_rule else None
        switch = ChannelSwitch(channel=channel, off=off, by_rule=by_rule, since=now, reason=reason, next_trial_at=trial)
        channel_switches.record(session, switch)
        what: dict[str, str | int] = {"channel": channel.value, "switched": "off" if off else "on"}
        what |= {"by": "rule"} if by_rule else {}
        self.journal.note(session, JournalNote(JournalEvent.CHANNEL_SWITCHED, details=what))
        announce(session, TOPIC)

    def _read(self, session: Session) -> dict[ChannelName, SwitchedOff]:
        rows = [row for row in channel_switches.all_of(session) if row.off and row.channel in self.channels]
        return {
            channel: SwitchedOff(channel, row.since, row.reason, row.by_rule, row.next_trial_at)
            for row in rows
            for channel in [ChannelName(row.channel)]
        }

    def _keep(self, off: Mapping[ChannelName, SwitchedOff]) -> None:
        self._off.update(off)
        for channel in set(self._off) - set(off):
            del self._off[channel]

    def _is_last(self, channel: ChannelName, off: Collection[ChannelName]) -> bool:
        return not self.policy.another_road and not {*self.channels} - {*off, channel}

    def _leaves_calls_alone(self, channel: ChannelName, off: Mapping[ChannelName, SwitchedOff]) -> bool:
        left = {*self.channels} - {*off, channel}
        was_on = channel not in off or off[channel].by_rule  # what the rule switched off is still offered on trial
        return was_on and channel not in CALLED and bool(left) and left <= {*CALLED}

    def _why_it_stays(self, channel: ChannelName, off: Mapping[ChannelName, SwitchedOff]) -> str:
        """Whether the rule must leave a way on; empty where not. A way that often fails serves more patients than a call does."""
        if self._is_last(channel, off):
            return "the last way"
        if not self.policy.another_road and self._leaves_calls_alone(channel, off):
            return "the last way that is enough by itself"
        return ""

    def _is_open(self, channel: ChannelName) -> bool:
        off = self._off.get(channel)
        return off is None or (off.next_trial_at is not None and off.next_trial_at <= self.clock())

    def _takes_trial(self, session: Session, off: SwitchedOff) -> bool:
        now = self.clock()
        if not off.by_rule or not channel_switches.take_trial(session, off.channel, now, now + TRIAL_EVERY):
            return False
        announce(session, TOPIC)
        return True
