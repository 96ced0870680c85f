"""The order in which the ways of getting a code are offered. It depends on how well each way works here just now.

The measure is the share of codes of the last hour that were entered correctly. A way with too few codes keeps the place that the operator
gave it. A person who asks for codes and types none says nothing about a way. So a code that was not typed counts only where the vendor was
in trouble, or where another code to the same number was typed within the hour and somebody evidently holds the phone (SECURITY.md). The
order does not depend on the phone number that asks: otherwise it would tell known numbers from unknown ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sqlmodel import Session

from medonline.domain.codes.channels import ChannelName
from medonline.services.clock import Clock
from medonline.services.codes.delivery import DeliveryProblem
from medonline.services.codes.outcomes import LOOKED_AT, SAMPLE, sample
from medonline.storage.engine import Database, reads
from medonline.storage.queries import channel_switches

SPAN = timedelta(hours=1)
ENOUGH = 20
OF_ONE_ADDRESS = ENOUGH // 5
# Ways whose success differs by less than this count as equal, so that the screen does not change with every code.
STEP_PERCENT = 10


@dataclass(frozen=True, slots=True)
class Standing:
    """The ways in the order of the offer. The `failing` ones come last."""

    order: tuple[ChannelName, ...]
    failing: frozenset[ChannelName] = frozenset()


def standing(configured: Sequence[ChannelName], percents: Mapping[ChannelName, int], failing_below: int) -> Standing:
    """The order of the ways. `percents`: how many of a hundred codes were entered, for each way with enough codes.

    A way below `failing_below` is failing.
    """
    failing = frozenset(channel for channel, percent in percents.items() if percent < failing_below)
    well = [channel for channel in configured if channel not in failing]
    measured = iter(
        sorted((one for one in well if one in percents), key=lambda one: percents[one] // STEP_PERCENT, reverse=True)
    )
    order = [next(measured) if channel in percents else channel for channel in well]
    last = sorted(failing, key=lambda one: (-percents[one], configured.index(one)))
    return Standing((*order, *last), failing)


@dataclass(slots=True)
class ChannelOrder:
    """Measures the order and keeps it, so that reading it costs no statement.

    The order belongs to this process and is as old as the last `measure`.
    """

    database: Database
    clock: Clock
    channels: tuple[ChannelName, ...]
    failing_below: int
    now: Standing = field(init=False)

    def __post_init__(self) -> None:
        self.now = Standing(self.channels)

    async def measure(self) -> None:
        """Measure the last hour."""
        self.now = standing(self.channels, await self._percents(), self.failing_below)

    @reads
    def _percents(self, session: Session) -> dict[ChannelName, int]:
        now, found = self.clock(), {}
        for channel in self.channels:
            said = channel_switches.outcomes_that_speak(
                session, channel, now - SPAN, now, DeliveryProblem.CHANNEL_DOWN, LOOKED_AT
            )
            entered = sample(said, SAMPLE, OF_ONE_ADDRESS)
            if len(entered) >= ENOUGH:
                found[channel] = sum(entered) * 100 // len(entered)
        return found
