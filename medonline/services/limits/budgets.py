"""The daily money of each way of getting a code, and of notices. It is counted first, and given back when a code certainly cost nothing.

A day is a day in Moscow, as in the providers' bills. A request that a provider did not answer counts as spent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlmodel import Session

from medonline.domain.codes.channels import ChannelName
from medonline.domain.errors import ChannelOverBudget, NoticesOverBudget
from medonline.services.limits.alarms import Alarm, Alarms
from medonline.storage.queries import limits

BILLING_ZONE = ZoneInfo("Europe/Moscow")
ALARM_PERCENT = (50, 80, 100)
# The line of notices. They have their own money, so that neither they nor the codes can use up what the other needs.
NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class Budget:
    """The price of one code or notice and the cap of one day, in kopecks. A cap of 0 means that there is no cap."""

    price: int
    cap: int

    @classmethod
    def of_roubles(cls, price: Decimal, cap: Decimal) -> Budget:
        """A budget from roubles with at most two decimals."""
        return cls(int(price * 100), int(cap * 100))


NO_BUDGET = Budget(0, 0)


@dataclass(frozen=True, slots=True)
class Spending:
    """Reserves money inside a session of the caller. `budgets` are by way of getting a code, or `NOTICE`."""

    budgets: Mapping[str, Budget]
    alarms: Alarms

    def reserve(self, session: Session, channel: ChannelName, now: datetime) -> int:
        """Count one code. Returns its price in kopecks.

        Raises:
            ChannelOverBudget: the day's money is not enough; nothing was counted.
        """
        price = self._add(session, channel, now, 100)
        if price is None:
            text = f"{channel} is off until midnight in Moscow: the day's money is spent"
            self.alarms.sound(Alarm.CHANNEL_MONEY_SPENT, text, of=channel)
            raise ChannelOverBudget(channel, now, next_midnight(now))
        return price

    def reserve_notice(self, session: Session, now: datetime, percent: int, otherwise: str) -> int:
        """Count one notice, which may use the first `percent` of the day's money. Returns its price in kopecks.

        Raises:
            NoticesOverBudget: that money is not enough; nothing was counted. An alarm says what happens `otherwise`.
        """
        price = self._add(session, NOTICE, now, percent)
        if price is None:
            spent = f"{percent} % of the day's money for notices are spent"
            text = f"{spent}: {otherwise} until midnight in Moscow"
            self.alarms.sound(Alarm.NOTICE_MONEY_SPENT, text, of=str(percent))
            raise NoticesOverBudget(now, next_midnight(now))
        return price

    def _add(self, session: Session, line: str, now: datetime, percent: int) -> int | None:
        budget = self.budgets.get(line, NO_BUDGET)
        if not budget.price:
            return 0
        within = budget.cap * percent // 100 if budget.cap else None
        total = limits.add_within(session, line, billing_day(now), budget.price, within)
        if total is None:
            return None
        for part in ALARM_PERCENT if budget.cap else ():
            if (total - budget.price) * 100 < budget.cap * part <= total * 100:
                text = f"{line} has spent {part} % of the day's money"
                self.alarms.sound(Alarm.MONEY_RUNS_OUT, text, of=f"{line} {part}")
        return budget.price

    def affordable(self, session: Session, channels: Iterable[ChannelName], now: datetime) -> tuple[ChannelName, ...]:
        """Those ways for which `reserve` would find money now. Counts nothing."""
        budgets = {channel: self.budgets.get(channel, NO_BUDGET) for channel in channels}
        capped = any(budget.price and budget.cap for budget in budgets.values())
        spent = limits.spent(session, billing_day(now)) if capped else {}
        return tuple(
            channel
            for channel, budget in budgets.items()
            if not budget.price or not budget.cap or spent.get(channel, 0) + budget.price <= budget.cap
        )

    @staticmethod
    def give_back(session: Session, channel: str, reserved_at: datetime, price: int) -> None:
        """Give back the money of a code that was reserved at a moment (UTC) and cost nothing after all."""
        if price:
            limits.give_back(session, channel, billing_day(reserved_at), price)


def billing_day(now: datetime) -> date:
    """The day on which a code is billed."""
    return now.astimezone(BILLING_ZONE).date()


def next_midnight(now: datetime) -> datetime:
    """When the next billing day begins."""
    return datetime.combine(billing_day(now) + timedelta(days=1), time(), BILLING_ZONE)
