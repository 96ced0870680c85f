"""What the portal keeps about a browser for the patient's list of sessions: «Chrome, Windows» and a shortened address, no more."""

from __future__ import annotations

from ua_parser import parse_os, parse_user_agent

from medonline.domain.device import Device
from medonline.services.limits.networks import cut

MAX_HEADER = 512
MAX_NAME = 60
# The names that their users know.
_IN_WORDS = {"Mac OS X": "Mac", "Yandex Browser": "Яндекс Браузер", "Samsung Internet": "Браузер Samsung"}


def device_of(user_agent: str, address: str) -> Device:
    """The browser with this `User-Agent` header at this address."""
    return Device(device_name(user_agent), cut(address))


def device_name(user_agent: str) -> str:
    """«Chrome, Windows»; empty when the header names nothing known."""
    header = user_agent[:MAX_HEADER]
    browser, system = parse_user_agent(header), parse_os(header)
    names = [part.family for part in (browser, system) if part is not None and part.family != "Other"]
    words = [_IN_WORDS.get(name, name.removeprefix("Mobile ").removesuffix(" Mobile")) for name in names]
    if "iOS" in words:
        words[words.index("iOS")] = next((model for model in ("iPhone", "iPad") if model in header), "iOS")
    return ", ".join(words)[:MAX_NAME]
