"""A ticket for the session of a browser, without the sign-in form."""

from __future__ import annotations

import httpx

from medonline.bootstrap import Portal
from medonline.web.cookies import visitor_key_in
from tests.services.world import KNOWN, PASSWORD


async def ticket_of(portal: Portal, browser: httpx.AsyncClient) -> str:
    """What the sign-in form gives this browser."""
    await browser.get("/")
    return await portal.login.log_in(visitor_key_in(browser.cookies), KNOWN, PASSWORD)
