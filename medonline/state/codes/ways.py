"""The ways of getting a code that a screen offers (guide G15). The guide's ways come first, the others under «Другие способы»."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import reflex as rx

from medonline.bootstrap import portal
from medonline.domain.codes.channels import GUIDE_CHANNELS, ChannelName
from medonline.wording.channels import FAILING, WORDS, switched_off


@dataclass(frozen=True)
class Way:
    """One way, ready for display. The first way is selected."""

    value: str
    label: str
    note: str
    icon: str
    checked: bool = False


def offered(channels: Sequence[ChannelName], failing: Collection[ChannelName] = ()) -> tuple[list[Way], list[Way]]:
    """The ways that are shown at once, and the ways under «Другие способы», each in the order of `channels`. If none of the guide's ways
    is open and works, all are shown at once."""
    guide = [channel for channel in channels if channel.facts.in_guide]
    first = guide if any(channel not in failing for channel in guide) else [*channels]
    further = [channel for channel in channels if channel not in first]
    shown = [_way(channel, failing, checked=channel is first[0]) for channel in first]
    return shown, [_way(channel, failing) for channel in further]


def proofs_alone(channels: Sequence[ChannelName]) -> tuple[ChannelName, ...]:
    """The channels that are a sufficient proof alone, for a flow that asks for nothing else."""
    return tuple(channel for channel in channels if not channel.facts.patient_calls)


def _way(channel: ChannelName, failing: Collection[ChannelName], *, checked: bool = False) -> Way:
    words = WORDS[channel]
    return Way(channel.value, words.label, FAILING if channel in failing else words.note, words.icon, checked)


_IN_GUIDE = offered(GUIDE_CHANNELS)[0]


class OffersWays(rx.State, mixin=True):  # type: ignore[call-arg]  # the keyword of Reflex, which mypy does not see
    """The part of a state that has the choice «Способ получения кода». The built pages show the guide's ways until the first load."""

    ways: list[Way] = _IN_GUIDE
    further_ways: list[Way] = []
    channels_off: str = ""  # why some ways are missing; empty where none is missing

    def _offer_ways(self, channels: tuple[ChannelName, ...], *, alone: bool = False) -> None:
        """Show the ways. `alone`: the flow asks for nothing else, so offer only the channels that are a sufficient proof alone."""
        channels = proofs_alone(channels) if alone else channels
        self.ways, self.further_ways = offered(channels, portal().switches.order.now.failing)
        self.channels_off = ways_off(alone=alone)


def ways_off(*, alone: bool = False) -> str:
    """Why some ways of getting a code are not offered now; empty where all are. `alone`: only about those that are sufficient alone."""
    switches = portal().switches
    missing = [
        off
        for off in switches.off.values()
        if off.channel not in switches.open_now() and not (alone and off.channel.facts.patient_calls)
    ]
    return " ".join(switched_off(off.channel, off.reason) for off in missing)
