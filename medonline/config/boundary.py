"""Settings of what is between the portal and the network."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

from medonline.config.connections import Hosts
from medonline.config.types import Drain, OptionalUrl

SHORTEST_TOKEN = 20


class BoundaryConfig(BaseSettings):
    """Each field is `MEDONLINE_` plus its name in capitals.

    trusted_proxy_hops: how many proxies of one's own add to X-Forwarded-For; with 0 the header is ignored. Production wants it
        said, 0 as well: behind a proxy that is not counted all patients would share the limits of one address.
    allowed_hosts: names, beside that of the public address, by which requests may reach the portal; any other is refused.
    sockets_per_ip: open sockets from one network: an IPv4 address, an IPv6 /64; a /56 may have four, a /48 sixteen times as many,
        and at most half of `sockets_in_all`.
    sockets_per_visitor: open tabs of one browser.
    sockets_in_all: open sockets of this process; each takes some 0.2 MB.
    sockets_per_session: open tabs of one signed-in browser.
    drain: how long `/health/ready` says 503 before a process that is told to end closes its listening socket, so that a balancer
        sends it no new work; nothing in the demo.
    metrics_token: what Prometheus must send to read `/metrics` (Authorization: Bearer …); empty: nobody reads them.
    traces_url: where traces go (OTLP over HTTP, whole, as `https://collector.internal:4318/v1/traces`); empty: none are made.
    traces_percent: of traces that are kept.
    security_contact: where to report a weakness, as security.txt tells it; empty: it is not told.
    """

    trusted_proxy_hops: int = Field(0, ge=0, le=8)
    allowed_hosts: Hosts = ()
    # Mobile operators put thousands of patients behind one address.
    sockets_per_ip: int = Field(300, ge=1)
    sockets_per_visitor: int = Field(6, ge=1)
    sockets_in_all: int = Field(3000, ge=1)
    sockets_per_session: int = Field(5, ge=1)
    drain: Drain = timedelta(seconds=5)
    metrics_token: SecretStr = SecretStr("")
    traces_url: OptionalUrl = ""
    traces_percent: int = Field(100, ge=1, le=100)
    # A URI of one of the kinds that RFC 9116, 2.5.3, names; one line, so that it cannot add a field of its own.
    security_contact: str = Field("", pattern=r"^((https://|mailto:|tel:)[!-~]+)?$", max_length=200)

    def boundary_faults(self) -> list[str]:
        """What production must be told outright."""
        return self._metrics_faults() + self._proxy_faults()

    def _metrics_faults(self) -> list[str]:
        token = self.metrics_token.get_secret_value()
        if not token or len(token) >= SHORTEST_TOKEN:
            return []
        return [
            f"MEDONLINE_METRICS_TOKEN is shorter than {SHORTEST_TOKEN} characters, so it can be guessed: write a random one."
        ]

    def _proxy_faults(self) -> list[str]:
        if "trusted_proxy_hops" in self.model_fields_set:
            return []
        return [
            "MEDONLINE_TRUSTED_PROXY_HOPS is missing: write how many proxies of your own stand in front of the portal, as 1. "
            "With 0 you say outright that there is none, and that each browser connects from an address of its own."
        ]
