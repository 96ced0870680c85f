"""The stand-ins take posts without an Origin: a page elsewhere must gain nothing by that."""

from __future__ import annotations

import httpx
import pytest

from medonline.bootstrap import Portal
from tests.web.conftest import ORIGIN, Browser

SEND = "/sandbox/telegram/sendVerificationMessage"
ELSEWHERE = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}


def message(portal: Portal, **changes: str) -> dict[str, str]:
    token = portal.config.telegram_token.get_secret_value()
    return {"access_token": token, "phone_number": "+79000001001", "code": "1234", "ttl": "60"} | changes


async def post(browser: httpx.AsyncClient, form: dict[str, str]) -> dict[str, object]:
    answer: dict[str, object] = (await browser.post(SEND, data=form, headers=ELSEWHERE)).json()
    return answer


@pytest.mark.parametrize("token", ["demo-telegram-token", "demo-telegram-", ""])
async def test_a_page_elsewhere_cannot_know_the_token_of_this_installation(
    portal: Portal, open_browser: Browser, token: str
) -> None:
    answer = await post(open_browser(), message(portal, access_token=token))

    assert answer == {"ok": False, "error": "ACCESS_TOKEN_INVALID"}


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/",
        "http://127.0.0.1:9/callbacks/telegram",
        f"{ORIGIN}/session/close",
        f"{ORIGIN}/callbacks/telegram?x",
        "http://169.254.169.254/",
    ],
)
async def test_even_with_the_token_the_server_posts_to_the_portal_alone(
    portal: Portal, open_browser: Browser, url: str
) -> None:
    assert await post(open_browser(), message(portal, callback_url=url)) == {
        "ok": False,
        "error": "CALLBACK_URL_INVALID",
    }


async def test_the_portals_own_address_is_taken(portal: Portal, open_browser: Browser) -> None:
    own = portal.config.telegram_report_url

    assert own is not None
    assert (await post(open_browser(), message(portal, callback_url=own)))["ok"] is True
