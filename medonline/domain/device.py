"""What the portal remembers of a browser."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Device:
    """What the list of sessions keeps of a browser: its name, and its network cut to /24 or /48."""

    name: str = ""
    network: str = ""


UNKNOWN_DEVICE = Device()
