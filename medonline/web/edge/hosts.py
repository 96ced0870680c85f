"""The name by which a request reaches the portal: one that is not its own is refused before anything answers.

Without that a page of another name, which its owner lets lead to the portal's address, would be served with the portal's own
texts (DNS rebinding), and whatever reads `Host` would believe it. `SameSite`, `__Host-` cookies and the check of Origin hold
without it: this is the door before them.
"""

from __future__ import annotations

import re

from starlette.datastructures import Headers
from starlette.types import Scope

from medonline import routes

# Balancers, Prometheus and the health check of a container ask a process by its address. Nothing of a patient is there, and no cookie.
ASKED_BY_ADDRESS = frozenset({routes.HEALTH_LIVE, routes.HEALTH_READY, routes.METRICS})
_HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::[0-9]{1,5})?")


def is_own_host(scope: Scope, hosts: frozenset[str]) -> bool:
    """Whether a request names one of `hosts` (lower case, no port, no brackets), or asks for what machines ask for by address."""
    if scope["path"] in ASKED_BY_ADDRESS:
        return True
    named = Headers(scope=scope).getlist("host")
    return len(named) == 1 and name_of(named[0]) in hosts


def name_of(host: str) -> str:
    """The name in a Host header, without port, brackets and the dot of a full name; empty where it is none."""
    found = _HOST.fullmatch(host.lower())
    return (found[1] or found[2].rstrip(".")) if found else ""
