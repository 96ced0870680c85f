"""Settings for the border between the portal and the network."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

from medonline.config.connections import Hosts
from medonline.config.types import Drain, OptionalUrl

SHORTEST_TOKEN = 20


class BoundaryConfig(BaseSettings):
    """Each field is `MEDONLINE_` plus its name in capitals.

    trusted_proxy_hops: how many of your own proxies add to X-Forwarded-For; with 0 the header is ignored. Production requires an explicit
    value, even 0: behind a proxy that is not counted, all patients would share the limits of one address.
    allowed_hosts: further host names by which requests may reach the portal, besides the public address. All others are refused.
    sockets_per_ip: open sockets from one network, which is an IPv4 address or an IPv6 /64. A /56 may have four times as many, a /48 sixteen
    times, and at most half of `sockets_in_all`.
    sockets_per_visitor: open tabs of one browser.
    sockets_in_all: open sockets of this process. Each takes about 0.2 MB.
    sockets_per_session: open tabs of one signed-in browser.
    drain: how long `/health/ready` answers 503 before a stopping process closes its listening socket, so that a balancer sends it no new
    work. Zero in the demo.
    metrics_token: what Prometheus must send to read `/metrics` (Authorization: Bearer …). Empty: nobody can read them.
    traces_url: where traces go (OTLP over HTTP, the whole address, like `https://collector.internal:4318/v1/traces`). Empty: none are made.
    traces_percent: the share of traces that are kept.
    security_contact: where to report a weakness, as security.txt shows it. Empty: it shows none.
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
    # A URI of a kind that RFC 9116, 2.5.3, allows. It is one line, so that it cannot add another field to security.txt.
    security_contact: str = Field("", pattern=r"^((https://|mailto:|tel:)[!-~]+)?$", max_length=200)

    def boundary_faults(self) -> list[str]:
        """Settings that production requires explicitly."""
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
