"""Settings of what stands between the portal and the network."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings


class BoundaryConfig(BaseSettings):
    """Each field is `MEDONLINE_` plus its name in capitals.

    trusted_proxy_hops: how many proxies of one's own add to X-Forwarded-For; with 0 the header is ignored.
    sockets_per_ip: open sockets from one address (IPv6: /64); a clinic's shared address may need more.
    sockets_per_session: open tabs of one signed-in browser.
    security_contact: where to report a weakness, as security.txt tells it; empty: it is not told.
    """

    trusted_proxy_hops: int = Field(0, ge=0, le=8)
    sockets_per_ip: int = Field(20, ge=1)
    sockets_per_session: int = Field(5, ge=1)
    # A URI of one of the kinds that RFC 9116, 2.5.3, names; one line, so that it cannot add a field of its own.
    security_contact: str = Field("", pattern=r"^((https://|mailto:|tel:)[!-~]+)?$", max_length=200)
