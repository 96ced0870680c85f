"""A browser, as far as it is remembered."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Device:
    """What is kept of a browser for the list of sessions: its name and its network, cut to /24 or /48."""

    name: str = ""
    network: str = ""


UNKNOWN_DEVICE = Device()
