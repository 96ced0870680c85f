"""How well each way of getting a code works here: sent, delivered, entered, how long it takes, what it costs."""

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
    """One way over a span. `seconds`: the median from asking to entering, None where no code was entered; `sent_by`: the codes that
    were sent, by vendor. Money in kopecks of today (of Moscow); a cap of 0 is none."""

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
    """Reads them from the record."""

    database: Database
    clock: Clock
    channels: tuple[ChannelName, ...]
    budgets: Mapping[str, Budget]

    @reads
    def over(self, session: Session, span: timedelta) -> list[ChannelFigure]:
        """Of the codes asked for within the last `span`, for each way that is set up."""
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
