"""The host name of a request. The portal refuses a name that is not its own before anything else answers.

Otherwise the owner of another name could point it to the portal's address (DNS rebinding). The portal would then serve its pages
under that name, and all code that reads `Host` would believe it. `SameSite`, `__Host-` cookies and the check of Origin hold without
this check. It is one more door before them.
"""

from __future__ import annotations

import re

from starlette.datastructures import Headers
from starlette.types import Scope

from medonline import routes

# Balancers, Prometheus and a container's health check ask a process by its address. These answers hold no patient's data and no cookie.
ASKED_BY_ADDRESS = frozenset({routes.HEALTH_LIVE, routes.HEALTH_READY, routes.METRICS})
_HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::[0-9]{1,5})?")


def is_own_host(scope: Scope, hosts: frozenset[str]) -> bool:
    """Whether a request names one of `hosts` (lower case, no port, no brackets), or asks for a path that machines ask for by address."""
    if scope["path"] in ASKED_BY_ADDRESS:
        return True
    named = Headers(scope=scope).getlist("host")
    return len(named) == 1 and name_of(named[0]) in hosts


def name_of(host: str) -> str:
    """The name in a Host header without port, brackets and final dot. Empty when the header holds no valid name."""
    found = _HOST.fullmatch(host.lower())
    return (found[1] or found[2].rstrip(".")) if found else ""
