"""Several servers over one database: what a patient does at one of them."""

from __future__ import annotations

import asyncio

import httpx

from medonline.bootstrap import build_portal
from medonline.config.settings import load_config
from medonline.services.desk.accounts import NewAccount
from tests.e2e.server import Server
from tests.patience import PATIENCE
from tests.services.world import last_code, last_row
from tests.state.tab import LOGIN, Tab, visitor_cookies


def code_to(server: Server, phone: str) -> str:
    """What the phone shows."""

    async def read() -> str:
        settings = {name: server.settings[name.upper()] for name in ("database_url", "secret_key")}
        config = load_config(mode="demo", data_dir=server.data_dir, port=server.port, **settings)
        portal = build_portal(config)
        try:
            async with asyncio.timeout(PATIENCE):
                while (await last_row(portal, phone)).delivery in ("queued", "sending"):
                    await asyncio.sleep(0.05)
            return await last_code(portal, phone)
        finally:
            await portal.close()

    return asyncio.run(read())


def seen_at(server: Server, cookies: dict[str, str], path: str = "/recovery") -> Tab:
    """A tab of the same browser at this server."""
    return Tab(server.url, cookies, path=path)


def sign_in(server: Server, owner: NewAccount) -> dict[str, str]:
    """The cookies of a browser that signed in."""
    cookies = visitor_cookies(server.url)
    with seen_at(server, cookies) as tab:
        tab.call(f"{LOGIN}.log_in", form={"phone": owner.phone, "password": owner.password, "page": "p"})
        ticket = tab.wait_for(LOGIN, "ticket")
    with httpx.Client(base_url=server.url, cookies=cookies, trust_env=False, timeout=PATIENCE) as browser:
        opened = browser.post("/session/open", data={"ticket": ticket}, headers={"Origin": server.url})
    assert (opened.status_code, opened.headers["location"]) == (303, "/cards")
    return cookies | dict(opened.cookies)
