"""A browser that asks, as far as the server knows it by itself."""

from __future__ import annotations

from dataclasses import dataclass, field

from medonline.domain.device import UNKNOWN_DEVICE, Device


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """The browser at the other end of a request or a socket. Says nothing of a person: the record knows whose session it is.

    Every part may be absent, and is empty then; what needs a part that is absent refuses, or counts the client with all others
    that lack it. Keys are SHA-256 of cookies, safe to keep in memory and to compare.

    visitor_key: the browser's name. Absent where it keeps no cookies, and in commands.
    sitting_key: the browser until it is closed. Absent where it keeps no cookies.
    session_key: the session. Absent where no one is signed in; there is no promise that the session is still open.
    address: the whole IP address, for the limits, and for the row of a code: SMS.ru asks for it. Every other record keeps
        `device.network`. Absent where the server is asked over a socket of its own machine.
    device: the browser's name and its cut network. Its name is absent where the header says nothing that is known.
    marks: of the accounts that signed in in this browser before, unchecked (`services.login.known_browsers`).
    """

    visitor_key: str = ""
    sitting_key: str = ""
    session_key: str = ""
    address: str = ""
    device: Device = UNKNOWN_DEVICE
    marks: str = field(default="", repr=False)
