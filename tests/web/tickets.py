"""A ticket for the session of a browser, without the sign-in form."""

from __future__ import annotations

import httpx

from medonline.bootstrap import DEMO_ACCOUNTS, Portal
from medonline.domain.client import Client
from medonline.web.cookies import visitor_key_in


async def ticket_of(portal: Portal, browser: httpx.AsyncClient, number: int = 0) -> str:
    """What the sign-in form gives this browser for one of the demo's accounts."""
    account = DEMO_ACCOUNTS[number]
    await browser.get("/")
    return await portal.login.log_in(
        Client(visitor_key=visitor_key_in(browser.cookies)), account.phone, account.password
    )
