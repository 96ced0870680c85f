"""A patient who signs in over the wire."""

from __future__ import annotations

import httpx

from medonline import routes
from tests.e2e.server import Server
from tests.patience import PATIENCE
from tests.state.tab import LOGIN, Tab, visitor_cookies


def sign_in(server: Server, phone: str, password: str) -> dict[str, str]:
    """The cookies of another browser in which the patient is signed in."""
    cookies = visitor_cookies(server.url)
    with httpx.Client(base_url=server.url, trust_env=False, timeout=PATIENCE, cookies=cookies) as http:
        answer = http.post(
            routes.SESSION_OPEN,
            data={"ticket": ticket_of(server, cookies, phone, password)},
            headers={"Origin": server.url},
        )
    return cookies | dict(answer.cookies)


def ticket_of(server: Server, cookies: dict[str, str], phone: str, password: str) -> str:
    with Tab(server.url, cookies) as tab:
        tab.call(f"{LOGIN}.log_in", form={"phone": phone, "password": password, "page": "p"})
        ticket = tab.wait_for(LOGIN, "ticket")
    assert ticket
    return str(ticket)
