"""Signing out at a gateway that wants the token back: the token goes in the body of a POST, never in an address."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Request, expect

from tests.e2e.conftest import StartServer
from tests.e2e.gosuslugi_in_browser import SMIRNOV, Gosuslugi, sign_in_through_gosuslugi
from tests.e2e.patients import DemoPhone
from tests.e2e.portal_in_browser import Portal
from tests.e2e.server import Server


@pytest.fixture
def server(start_server: StartServer) -> Iterator[Server]:
    """A server with the stand-in's standard face, which recognises by the token who signs out."""
    server = start_server("oidc", IDENTITY_PROVIDER="oidc")
    yield server
    server.stop()


def test_the_providers_token_is_in_no_address_of_the_way_out(portal: Portal, demo_phone: DemoPhone) -> None:
    sign_in_through_gosuslugi(portal, demo_phone, SMIRNOV)
    asked: list[Request] = []
    portal.page.on("request", lambda request: asked.append(request))
    portal.log_out()

    (left,) = [request for request in asked if request.url.partition("?")[0].endswith("/oidc/logout")]
    assert left.method == "POST"
    assert "id_token_hint=" in (left.post_data or "")
    token = (left.post_data or "").partition("id_token_hint=")[2].partition("&")[0]
    assert token.startswith("eyJ")
    addresses = [address for request in asked for address in (request.url, request.headers.get("referer", ""))]
    assert [address for address in addresses if token in address or "id_token_hint" in address] == []

    # The provider has forgotten the person.
    portal.open()
    portal.header.get_by_role("button", name="Войти", exact=True).click()
    portal.dialog("ВХОД В ЛИЧНЫЙ КАБИНЕТ").get_by_role("button", name="Войти через Госуслуги").click()
    gosuslugi = Gosuslugi(portal, demo_phone)
    gosuslugi.expect_sign_in()
    expect(portal.page.get_by_label("Пароль", exact=True)).to_be_visible()
