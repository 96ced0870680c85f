"""Where a request comes from: the peer of the connection, or the address that a trusted proxy gives.

Any client can send X-Forwarded-For. With n proxies of our own in front (`MEDONLINE_TRUSTED_PROXY_HOPS`), they have added its last n
values, and the n-th from the right is the peer of the outermost proxy. The values to its left are not trusted.
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import Scope

from medonline.domain.network import address_of

# No layer behind the boundary may see or trust these.
FORWARDING_HEADERS = frozenset(
    {b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"x-real-ip"}
)
_CLAIMS = frozenset({b"forwarded", b"x-forwarded-for", b"x-real-ip"})
_LONGEST = len("[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:65535")


def with_client(scope: Scope, hops: int) -> Scope:
    """The scope with the client's address, and without the headers that claim an address."""
    client = scope.get("client") or ("", 0)
    forwarded = _forwarded(scope, hops)
    headers = [(name, value) for name, value in scope.get("headers", []) if name.lower() not in FORWARDING_HEADERS]
    return {**scope, "client": (forwarded or str(client[0]), 0 if forwarded else client[1]), "headers": headers}


def claims_another_address(scope: Scope) -> bool:
    """Whether a proxy, or a client that poses as one, names the client it speaks for."""
    return any(name.lower() in _CLAIMS for name, _ in scope.get("headers", []))


def is_passed_on(scope: Scope, hops: int) -> bool:
    """Whether a proxy of our own passed the request on: then its header names the client. `scope` must be the original one."""
    return bool(_forwarded(scope, hops))


def client_address(scope: Scope) -> str:
    """The address that `with_client` put into the scope; empty where the server knows none."""
    client = scope.get("client") or ("", 0)
    return str(client[0])


def _forwarded(scope: Scope, hops: int) -> str:
    if hops <= 0:
        return ""
    values = [part.strip() for line in Headers(scope=scope).getlist("x-forwarded-for") for part in line.split(",")]
    return _parsed(values[-hops]) if len(values) >= hops else ""


def _parsed(value: str) -> str:
    """The address in a value as proxies write it: bare, with a port, or in brackets. Empty when the value is no address."""
    if len(value) > _LONGEST:
        return ""
    if value.startswith("["):
        value = value[1:].partition("]")[0]
    elif value.count(":") == 1:
        value = value.partition(":")[0]
    try:
        return str(address_of(value))
    except ValueError:
        return ""
