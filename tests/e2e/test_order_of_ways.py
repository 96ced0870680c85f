"""Step 1 lists the ways by how well they worked in the last hour. The failing ones come last, with the reason."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import expect

from medonline.bootstrap import Portal as Services
from medonline.domain.codes.channels import ChannelName
from medonline.services.codes.channel_order import ENOUGH
from medonline.wording.channels import FAILING
from tests.e2e.conftest import StartServer
from tests.e2e.patients import fresh_phone
from tests.e2e.portal_in_browser import STEP_2, Portal
from tests.e2e.server import Server
from tests.patience import PATIENCE
from tests.services.codes.past_codes import add_codes

CALL, TELEGRAM, SMS, MAX = ChannelName.FLASH_CALL, ChannelName.TELEGRAM, ChannelName.SMS, ChannelName.MAX
GUIDE = [CALL, TELEGRAM]


@pytest.fixture
def server(start_server: StartServer, profile: str) -> Server:
    return start_server(f"order-{profile}", CODE_CHANNELS="flash_call,telegram,sms,max")


def fall_back(server: Server, *failing: ChannelName, begin: int) -> None:
    """Let enough patients ask by these ways in vain, and then type a code that came by SMS."""

    async def happened(portal: Services) -> None:
        for way in failing:
            await add_codes(portal, [False] * ENOUGH, way, begin=begin)
        await add_codes(portal, [True] * ENOUGH, SMS, begin=begin)

    server.operate(happened)


def shown(portal: Portal) -> list[str]:
    """The visible ways, from top to bottom."""
    portal.open_recovery()
    expect(portal.main.get_by_role("radio").first).to_be_visible()
    return portal.main.get_by_role("radio").evaluate_all(
        "all => all.filter((one) => one.checkVisibility()).map((one) => one.value)"
    )


def wait_for(portal: Portal, order: list[ChannelName]) -> None:
    """Wait for this order. The server checks every 15 seconds."""
    deadline = time.monotonic() + PATIENCE
    while (found := shown(portal)) != order:
        assert time.monotonic() < deadline, found
        portal.page.wait_for_timeout(1000)


@pytest.mark.parametrize("profile", ["1280", "360"])
def test_what_works_comes_first_and_what_fails_last_with_its_reason(portal: Portal, server: Server) -> None:
    assert shown(portal) == GUIDE
    expect(portal.main).not_to_contain_text(FAILING)

    fall_back(server, CALL, begin=0)
    wait_for(portal, [TELEGRAM, CALL])
    expect(portal.page.get_by_role("radio", name="Код в Telegram")).to_be_checked()
    expect(portal.page.get_by_text(FAILING)).to_have_count(1)
    expect(portal.page.get_by_role("radio", name="Проверочный звонок")).to_have_accessible_description(FAILING)
    portal.look("a failing way last")

    fall_back(server, CALL, TELEGRAM, begin=100)
    wait_for(portal, [SMS, MAX, CALL, TELEGRAM])  # nothing is folded away when the guide's two fail
    expect(portal.page.get_by_role("radio", name="Код в SMS")).to_be_checked()
    portal.look("both of the guide fail")
    portal.begin(fresh_phone(), "Проверочный звонок")  # each can still be chosen
    portal.expect_step(STEP_2)
