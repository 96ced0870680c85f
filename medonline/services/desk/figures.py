"""What the record says of the whole portal, for those who watch it: numbers only, the same in each process."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import Session

from medonline.metrics import names as metrics
from medonline.metrics.families import Readings
from medonline.services.clock import Clock
from medonline.services.limits.budgets import Budget, billing_day
from medonline.storage.engine import Database, reads
from medonline.storage.queries import channel_switches, codes, codes_circuit_breaker, limits, notices, security_journal


@dataclass(frozen=True, slots=True)
class Figures:
    """Reads them in one transaction, each by an index.

    budgets: the day's money, by line.
    certificates: when each certificate of the portal ends (UTC), by its use.
    keys: of `current` and `older`, the ids of that key and of those after it: from the first row of any of them on it is in use.
    """

    database: Database
    clock: Clock
    budgets: Mapping[str, Budget]
    certificates: Mapping[str, datetime]
    keys: Mapping[str, Collection[str]] = field(default_factory=dict)

    @reads
    def read(self, session: Session) -> Readings:
        """All of them now.

        Raises:
            OperationalError: the database does not answer.
        """
        now = self.clock()
        due = {"codes": codes.waiting(session, now), "notices": notices.waiting(session, now)}
        spent = limits.spent(session, billing_day(now))
        examined = security_journal.last_examination(session)
        open_until = codes_circuit_breaker.state(session).open_until
        return {
            metrics.DATABASE_UP: {(): 1.0},
            metrics.WAITING: {(queue,): float(count) for queue, (count, _) in due.items()},
            metrics.LAG: {(queue,): _age(oldest, now) for queue, (_, oldest) in due.items()},
            metrics.CHANNEL_OFF: {(row.channel,): float(row.off) for row in channel_switches.all_of(session)},
            metrics.BREAKER: {(): float(open_until is not None and now < open_until)},
            metrics.MONEY: {
                (line,): spent.get(line, 0) / budget.cap for line, budget in self.budgets.items() if budget.cap
            },
            metrics.JOURNAL_ROWS: {(): float(security_journal.head(session).seq)},
            metrics.JOURNAL_EXAMINED: {(): examined.at.timestamp() if examined else 0.0},
            metrics.JOURNAL_WHOLE: {(): float(examined.whole)} if examined else {},
            metrics.CERTIFICATE_ENDS: {(name,): ends.timestamp() for name, ends in self.certificates.items()},
            metrics.KEY_SINCE: {
                (which,): since.timestamp()
                for which, ids in self.keys.items()
                if (since := security_journal.began_with(session, ids)) is not None
            },
        }


def _age(oldest: datetime | None, now: datetime) -> float:
    return 0.0 if oldest is None else max((now - oldest).total_seconds(), 0.0)
