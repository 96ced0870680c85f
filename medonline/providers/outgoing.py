"""How requests to a vendor leave this machine: the proxy and the trusted certificates."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import httpx

# Addresses on this machine are never reached through a proxy.
_HERE = ("all://localhost", "all://127.0.0.1", "all://[::1]")


@dataclass(frozen=True, slots=True)
class Outgoing:
    """The proxy and the trusted certificates for one vendor.

    Attributes:
        proxy: an http or https address, perhaps with a user and password. TLS requests to the vendor go through it by CONNECT.
            Empty: no proxy. Proxies from the environment are ignored.
        ca_file: a PEM file of roots that are trusted besides those of certifi. It is read at the first request and then kept.
    """

    proxy: str = field(default="", repr=False)
    ca_file: Path | None = None

    @property
    def trust(self) -> ssl.SSLContext:
        """The TLS context with the trusted certificates.

        Raises:
            OSError: the file cannot be read or holds no certificate (`ssl.SSLError`).
        """
        return _trust(self.ca_file)

    @property
    def through(self) -> httpx.Proxy | None:
        """The proxy, for httpx."""
        if not self.proxy:
            return None
        with_tls = self.proxy.startswith("https://")
        return httpx.Proxy(self.proxy, ssl_context=self.trust if with_tls else None)

    @property
    def mounts(self) -> dict[str, None]:
        """The addresses that bypass the proxy, for httpx."""
        return dict.fromkeys(_HERE)


DIRECT = Outgoing()


@cache  # reading certifi's roots takes longer than most requests
def _trust(ca_file: Path | None) -> ssl.SSLContext:
    context = httpx.create_ssl_context(trust_env=False)
    if ca_file is not None:
        context.load_verify_locations(cafile=ca_file)
    return context
