"""What the list of sessions knows of a browser: its family and system, its network, nothing that names one computer."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medonline.bootstrap import Portal
from medonline.services.crypto.tokens import token_hash
from medonline.services.limits.networks import cut
from medonline.web.cookies import SESSION
from medonline.web.devices import MAX_NAME, device_name
from tests.web.conftest import Browser
from tests.web.tickets import ticket_of

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
)
AGENTS = {
    CHROME: "Chrome, Windows",
    CHROME.replace("Chrome/126.0.0.0", "Chrome/124.0.0.0 YaBrowser/24.6.0.0"): "Яндекс Браузер, Windows",
    "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0": "Firefox, Linux",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 "
    "Mobile/15E148 Safari/604.1": "Safari, iPhone",
    "": "",
    "\x00\r\n": "",
    "ничего": "",
    "x" * 64_000: "",
}
NETWORKS = {
    "203.0.113.9": "203.0.113.x",
    "127.0.0.1": "127.0.0.x",
    "::ffff:203.0.113.9": "203.0.113.x",
    "2001:db8:1:2:3:4:5:6": "2001:db8:1::",
    "::1": "::",
    "fe80::1%eth0": "fe80::",
    "": "",
    "unix:": "",
    "203.0.113": "",
    "203.0.113.9, 10.0.0.1": "",
    "<script>": "",
}


@pytest.mark.parametrize(("agent", "name"), AGENTS.items(), ids=lambda text: repr(text)[:20])
def test_a_browser_is_named_by_family_and_system(agent: str, name: str) -> None:
    assert device_name(agent) == name


@pytest.mark.parametrize(("address", "network"), NETWORKS.items())
def test_an_address_is_cut_to_its_network(address: str, network: str) -> None:
    assert cut(address) == network


@given(st.ip_addresses())
def test_no_address_is_kept_whole(address: IPv4Address | IPv6Address) -> None:
    network = cut(str(address))

    assert network
    assert network != str(address) or address.packed[6:] == bytes(10)
    if isinstance(address, IPv4Address):
        assert network == f"{str(address).rpartition('.')[0]}.x"
    elif address.ipv4_mapped is None:
        assert IPv6Address(network).packed == address.packed[:6] + bytes(10)


@given(st.text())
def test_any_text_is_a_network_or_nothing(text: str) -> None:
    assert len(cut(text)) <= 24


@given(st.text(max_size=2000))
def test_any_header_is_a_short_name_or_nothing(text: str) -> None:
    assert len(device_name(text)) <= MAX_NAME


async def test_a_sign_in_keeps_the_device_of_its_browser(portal: Portal, open_browser: Browser) -> None:
    anna: httpx.AsyncClient = open_browser()
    ticket = await ticket_of(portal, anna)
    await anna.post("/session/open", data={"ticket": ticket}, headers={"User-Agent": CHROME})

    (view,) = await portal.sessions.everywhere(token_hash(anna.cookies[SESSION]))
    assert (view.device, view.network) == ("Chrome, Windows", "127.0.0.x")
