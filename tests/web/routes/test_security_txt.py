"""Where to report a weakness is the operator's to say (RFC 9116); the portal makes no address up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from medonline.bootstrap import Portal
from medonline.config.settings import ConfigurationError
from medonline.web.edge.boundary import Boundary
from tests.services.world import MovableClock, config_in, opened
from tests.web.conftest import ORIGIN, Browser

PATH = "/.well-known/security.txt"


async def test_it_says_what_the_operator_said(
    folder: Path, clock: MovableClock, site_of: Callable[[Portal], Boundary]
) -> None:
    async with opened(folder, clock, security_contact="mailto:security@portal.example.ru") as portal:
        transport = httpx.ASGITransport(site_of(portal))
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as anybody:
            answer = await anybody.get(PATH)

    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert answer.text.splitlines() == [
        "Contact: mailto:security@portal.example.ru",
        f"Expires: {clock.now + timedelta(days=180):%Y-%m-%d}T00:00:00Z",
        "Preferred-Languages: ru, en",
    ]


async def test_without_an_address_there_is_no_such_page(open_browser: Browser) -> None:
    assert (await open_browser().get(PATH)).status_code == 404


@pytest.mark.parametrize("contact", ["security@portal.example.ru", "http://portal.example.ru", "tel:1\nExpires: 2000"])
def test_what_is_no_address_to_report_to_is_refused(folder: Path, contact: str) -> None:
    with pytest.raises(ConfigurationError, match="MEDONLINE_SECURITY_CONTACT"):
        config_in(folder, security_contact=contact)
