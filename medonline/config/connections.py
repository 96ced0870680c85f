"""Settings of unencrypted connections. Production allows them only within this machine, or to hosts that the operator names.

A private network is no exception: its other machines can listen, and tokens, phones and codes travel there.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import timedelta
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import SplitResult, parse_qs, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import BaseSettings, NoDecode
from sqlalchemy.engine import URL, make_url

from medonline.config.types import Duration, is_database

ALLOW = "MEDONLINE_ALLOW_PLAIN_CONNECTIONS"
# The values of libpq's `sslmode=` that enforce TLS. The default `prefer` continues without TLS when the server has or claims none.
_TLS_MODES = frozenset({"require", "verify-ca", "verify-full"})


def _hosts(text: object) -> object:
    return tuple(part.strip() for part in text.split(",") if part.strip()) if isinstance(text, str) else text


def _host_names(hosts: tuple[str, ...]) -> tuple[str, ...]:
    for host in hosts:
        if any(sign in host for sign in "/@*? ") or not host.isprintable() or host.startswith("."):
            msg = f"{host!r} is not a host; write hosts as 'redis.internal, 10.0.0.5', without scheme and port"
            raise ValueError(msg)
    return tuple(_plain_name(host) for host in hosts)


Hosts = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_hosts), AfterValidator(_host_names)]


class ConnectionsConfig(BaseSettings):
    """Each field is `MEDONLINE_` plus its name in capitals.

    allow_plain_connections: hosts that the portal may contact without TLS in production. The names must match exactly.
    database_connections, database_lock_timeout, database_statement_timeout: for PostgreSQL, for each process that serves.
    """

    allow_plain_connections: Hosts = ()
    database_connections: int = Field(10, ge=2, le=100)
    database_lock_timeout: Duration = timedelta(seconds=5)
    database_statement_timeout: Duration = timedelta(seconds=15)

    def database_faults(self) -> list[str]:
        """Timeouts that contradict each other."""
        if self.database_statement_timeout > self.database_lock_timeout:
            return []
        return [
            "MEDONLINE_DATABASE_STATEMENT_TIMEOUT must be longer than MEDONLINE_DATABASE_LOCK_TIMEOUT: a wait for a lock is a part of "
            "the statement that waits."
        ]

    def is_plain_allowed(self, host: str) -> bool:
        """Whether a connection to this host needs no TLS: it is this machine, or the operator allowed it."""
        return is_this_machine(host) or _plain_name(host) in self.allow_plain_connections

    def plain_http_faults(self, addresses: Mapping[str, str]) -> list[str]:
        """One sentence for each plain http address whose host is not allowed."""
        return [
            f"{name} must be an https address in production: what goes there would travel openly. "
            f"{ALLOW} can name its host, if that is to be."
            for name, address in addresses.items()
            if urlsplit(address).scheme != "https" and not self.is_plain_allowed(urlsplit(address).hostname or "")
        ]

    def store_faults(self, limits_storage: str, database: str, proxies: Mapping[str, str]) -> list[str]:
        """Faults in the connections to Redis, PostgreSQL and proxies (by the names of their settings). No sentence repeats an address,
        because addresses contain passwords."""
        faults = []
        redis = urlsplit(limits_storage)
        if redis.scheme in ("redis", "rediss") and not self.is_plain_allowed(redis.hostname or ""):
            if redis.scheme == "redis":
                faults.append(
                    "MEDONLINE_LIMITS_STORAGE goes to another machine without TLS: write it as 'rediss://…'. "
                    f"{ALLOW} can name its host, if that is to be."
                )
            elif parse_qs(redis.query).get("ssl_cert_reqs", ["required"]) != ["required"]:
                faults.append("MEDONLINE_LIMITS_STORAGE switches the check of the certificate off: leave that out.")
        if is_database(database) and not all(self.is_plain_allowed(host) for host in _hosts_without_tls(database)):
            faults.append(
                "MEDONLINE_DATABASE_URL goes to another machine without TLS: add '?sslmode=verify-full' (or 'sslmode=require', "
                f"which encrypts and does not look whose machine it is). {ALLOW} can name its host, if that is to be."
            )
        return faults + [
            f"{name} sends its password openly: make it an https address, or leave the password out. "
            f"{ALLOW} can name its host, if that is to be."
            for name, proxy in proxies.items()
            if self._is_open(urlsplit(proxy))
        ]

    def _is_open(self, proxy: SplitResult) -> bool:
        """Whether a password travels to this proxy without TLS."""
        return proxy.scheme == "http" and proxy.username is not None and not self.is_plain_allowed(proxy.hostname or "")


def is_this_machine(host: str) -> bool:
    """Whether a host name means the loopback."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _plain_name(host: str) -> str:
    return host.strip("[]").rstrip(".").lower()


def _hosts_without_tls(database: str) -> Iterable[str]:
    """The hosts that the driver may contact without TLS. None for SQLite and for socket files of this machine."""
    url = make_url(database)
    if url.get_backend_name() != "postgresql" or url.query.get("sslmode") in _TLS_MODES:
        return ()
    return [host for host in _hosts_of(url) if not host.startswith("/")]


def _hosts_of(url: URL) -> list[str]:
    """The hosts that the driver connects to: from the address, else from its query, else from libpq's variable."""
    named = url.query.get("host", ())
    listed = [url.host] if url.host else [*named] if isinstance(named, tuple) else [named]
    hosts = [one for part in listed or [os.environ.get("PGHOST", "")] for one in part.split(",") if one]
    return [host if host.startswith("/") else _without_port(host) for host in hosts]


def _without_port(host: str) -> str:
    return host.partition(":")[0] if host.count(":") == 1 else host
