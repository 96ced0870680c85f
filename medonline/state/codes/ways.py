"""The ways of getting a code that a screen offers (guide G15): the guide's first, the others under «Другие способы»."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import reflex as rx

from medonline.bootstrap import portal
from medonline.domain.codes.channels import GUIDE_CHANNELS, ChannelName
from medonline.wording.channels import FAILING, WORDS, switched_off


@dataclass(frozen=True)
class Way:
    """One way, ready for display; the first one is checked."""

    value: str
    label: str
    note: str
    icon: str
    checked: bool = False


def offered(channels: Sequence[ChannelName], failing: Collection[ChannelName] = ()) -> tuple[list[Way], list[Way]]:
    """What is shown at once, and what is under «Другие способы», each in the order of `channels`. All is shown at once where none
    of the guide's ways is open and works."""
    guide = [channel for channel in channels if channel.facts.in_guide]
    first = guide if any(channel not in failing for channel in guide) else [*channels]
    further = [channel for channel in channels if channel not in first]
    shown = [_way(channel, failing, checked=channel is first[0]) for channel in first]
    return shown, [_way(channel, failing) for channel in further]


def _way(channel: ChannelName, failing: Collection[ChannelName], *, checked: bool = False) -> Way:
    words = WORDS[channel]
    return Way(channel.value, words.label, FAILING if channel in failing else words.note, words.icon, checked)


_IN_GUIDE = offered(GUIDE_CHANNELS)[0]


class OffersWays(rx.State, mixin=True):  # type: ignore[call-arg]  # the keyword of Reflex, which mypy does not see
    """What a state with the choice «Способ получения кода» has. Before the first load, and in the built pages, it shows the
    guide's ways."""

    ways: list[Way] = _IN_GUIDE
    further_ways: list[Way] = []
    channels_off: str = ""  # why ways are missing; empty where none is

    def _offer_ways(self, channels: tuple[ChannelName, ...]) -> None:
        self.ways, self.further_ways = offered(channels, portal().switches.order.now.failing)
        self.channels_off = ways_off()


def ways_off() -> str:
    """Why ways of getting a code are not offered now; empty where all are."""
    switches = portal().switches
    missing = [off for off in switches.off.values() if off.channel not in switches.open_now()]
    return " ".join(switched_off(off.channel, off.reason) for off in missing)
