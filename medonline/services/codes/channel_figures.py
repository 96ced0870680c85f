"""How well each way of getting a code works: how many codes were sent, delivered and entered, how long that took, and what it cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from statistics import median

from sqlmodel import Session

from medonline.domain.codes.channels import ChannelName
from medonline.services.clock import Clock
from medonline.services.codes.delivery import DeliveryState
from medonline.services.limits.budgets import NO_BUDGET, Budget, billing_day
from medonline.storage.engine import Database, reads
from medonline.storage.queries import channel_switches, limits

_SENT = frozenset({DeliveryState.SENT, DeliveryState.DELIVERED, DeliveryState.READ})
_DELIVERED = frozenset({DeliveryState.DELIVERED, DeliveryState.READ})


@dataclass(frozen=True, slots=True)
class ChannelFigure:
    """The figures of one way over a span. `seconds`: the median time from asking for a code to entering it; None where no code was entered.

    `sent_by`: the number of codes sent, by vendor. Money is in kopecks of today (Moscow time). A cap of 0 means that there is no cap.
    """

    channel: ChannelName
    asked: int
    sent: int
    delivered: int
    entered: int
    seconds: float | None
    spent: int
    cap: int
    sent_by: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChannelFigures:
    """Reads the figures from the record."""

    database: Database
    clock: Clock
    channels: tuple[ChannelName, ...]
    budgets: Mapping[str, Budget]

    @reads
    def over(self, session: Session, span: timedelta) -> list[ChannelFigure]:
        """The figures of each way that is set up, for codes that were asked for within the last `span`."""
        now = self.clock()
        facts = channel_switches.facts(session, now - span)
        spent = limits.spent(session, billing_day(now))
        figures = []
        for channel in self.channels:
            of_it = [fact for fact in facts if fact.channel == channel]
            sent = [fact for fact in of_it if fact.delivery in _SENT]
            seconds = [fact.seconds for fact in of_it if fact.seconds is not None]
            figures.append(
                ChannelFigure(
                    channel,
                    asked=len(of_it),
                    sent=len(sent),
                    sent_by=dict(sorted(Counter(fact.provider for fact in sent).items())),
                    delivered=sum(fact.delivery in _DELIVERED for fact in of_it),
                    entered=len(seconds),
                    seconds=median(seconds) if seconds else None,
                    spent=spent.get(channel, 0),
                    cap=self.budgets.get(channel, NO_BUDGET).cap,
                )
            )
        return figures
