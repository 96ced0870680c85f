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


def proofs_alone(channels: Sequence[ChannelName]) -> tuple[ChannelName, ...]:
    """Those that are enough by themselves, for a flow in which nothing else is asked for."""
    return tuple(channel for channel in channels if not channel.facts.patient_calls)


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

    def _offer_ways(self, channels: tuple[ChannelName, ...], *, alone: bool = False) -> None:
        """`alone`: nothing else is asked for here, so only what is enough by itself is offered."""
        channels = proofs_alone(channels) if alone else channels
        self.ways, self.further_ways = offered(channels, portal().switches.order.now.failing)
        self.channels_off = ways_off(alone=alone)


def ways_off(*, alone: bool = False) -> str:
    """Why ways of getting a code are not offered now; empty where all are. `alone`: of those that are enough by themselves."""
    switches = portal().switches
    missing = [
        off
        for off in switches.off.values()
        if off.channel not in switches.open_now() and not (alone and off.channel.facts.patient_calls)
    ]
    return " ".join(switched_off(off.channel, off.reason) for off in missing)
