"""The client of an HTTP request: what its cookies, its connection and its headers say."""

from __future__ import annotations

from starlette.requests import Request

from medonline.domain.client import Client
from medonline.web.cookies import cookie_value, marks_in, session_key_in, sitting_key_in, visitor_key_in
from medonline.web.devices import device_of
from medonline.web.edge.client_address import client_address


def client_of(request: Request) -> Client:
    """The client behind the request. This does not check the session: it may be over."""
    cookies, address = cookie_value(request.scope), client_address(request.scope)
    return Client(
        visitor_key=visitor_key_in(cookies),
        sitting_key=sitting_key_in(cookies),
        session_key=session_key_in(cookies),
        address=address,
        device=device_of(request.headers.get("user-agent", ""), address),
        marks=marks_in(cookies),
    )
