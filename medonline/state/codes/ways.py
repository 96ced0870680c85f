"""The ways of getting a code that a screen offers (guide G15): the guide's first, the others under «Другие способы»."""

from __future__ import annotations

from dataclasses import dataclass

import reflex as rx

from medonline.bootstrap import portal
from medonline.domain.codes.channels import GUIDE_CHANNELS, ChannelName
from medonline.wording.channels import WORDS, switched_off


@dataclass(frozen=True)
class Way:
    """One way, ready for display; the first one is checked."""

    value: str
    label: str
    note: str
    icon: str
    checked: bool = False


def offered(channels: tuple[ChannelName, ...]) -> tuple[list[Way], list[Way]]:
    """What is shown at once, and what is under «Другие способы»: all is shown at once where none of the guide's ways is open."""
    guide = [channel for channel in channels if channel.facts.in_guide]
    first = guide or [*channels]
    further = [channel for channel in channels if channel not in first]
    return [_way(channel, checked=channel is first[0]) for channel in first], [_way(channel) for channel in further]


def _way(channel: ChannelName, *, checked: bool = False) -> Way:
    words = WORDS[channel]
    return Way(channel.value, words.label, words.note, words.icon, checked)


_IN_GUIDE = offered(GUIDE_CHANNELS)[0]


class OffersWays(rx.State, mixin=True):  # type: ignore[call-arg]  # the keyword of Reflex, which mypy does not see
    """What a state with the choice «Способ получения кода» has. Before the first load, and in the built pages, it shows the
    guide's ways."""

    ways: list[Way] = _IN_GUIDE
    further_ways: list[Way] = []
    channels_off: str = ""  # why ways are missing; empty where none is

    def _offer_ways(self, channels: tuple[ChannelName, ...]) -> None:
        self.ways, self.further_ways = offered(channels)
        self.channels_off = ways_off()


def ways_off() -> str:
    """Why ways of getting a code are not offered now; empty where all are."""
    switches = portal().switches
    missing = [off for off in switches.off.values() if off.channel not in switches.open_now()]
    return " ".join(switched_off(off.channel, off.reason) for off in missing)
