"""The browser that sends a request, as far as the server itself knows it."""

from __future__ import annotations

from dataclasses import dataclass, field

from medonline.domain.device import UNKNOWN_DEVICE, Device


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """The browser at the other end of a request or a socket. It says nothing of a person: the record knows whose session it is.

    Every part may be absent, and is empty then. Code that needs an absent part refuses, or counts the client together with all others
    that lack it. Keys are SHA-256 hashes of cookies: it is safe to keep and compare them in memory.

    visitor_key: the browser's name. Absent for a browser that keeps no cookies, and in commands.
    sitting_key: the browser until it is closed. Absent for a browser that keeps no cookies.
    session_key: the session. Absent where no one is signed in. It does not promise that the session is still open.
    address: the whole IP address. The limits use it, and the row of a code keeps it because SMS.ru asks for it. Every other record keeps
        `device.network`. Absent where the request came over a socket of the server's own machine.
    device: the browser's name and its cut network. The name is absent where the header says nothing known.
    marks: the unchecked marks of accounts that signed in in this browser before (`services.login.known_browsers`).
    """

    visitor_key: str = ""
    sitting_key: str = ""
    session_key: str = ""
    address: str = ""
    device: Device = UNKNOWN_DEVICE
    marks: str = field(default="", repr=False)
