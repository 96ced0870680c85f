"""Names of cookies: on https only the one that no other host can plant."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from medonline.web import cookies
from medonline.web.cookies import region_code_in, session_key_in, visitor_key_in

PLANTED = {"medonline_visitor": "e" * 43, "medonline_session": "s" * 43, "medonline_region": "tula"}
OWN = {f"__Host-{name}": value for name, value in PLANTED.items()}


@pytest.fixture
def https(monkeypatch: pytest.MonkeyPatch):
    def switch(on: bool) -> None:
        monkeypatch.setattr(cookies, "portal", lambda: SimpleNamespace(config=SimpleNamespace(https=on)))

    return switch


def test_on_https_a_cookie_without_the_prefix_names_nobody(https) -> None:
    https(True)

    assert (visitor_key_in(PLANTED), session_key_in(PLANTED), region_code_in(PLANTED)) == ("", "", "")
    assert visitor_key_in(OWN) != ""
    assert visitor_key_in(OWN | {"medonline_visitor": "x" * 43}) == visitor_key_in(OWN)


def test_on_plain_http_as_in_the_demo_there_is_no_prefix(https) -> None:
    https(False)

    assert session_key_in(PLANTED) != ""
    assert (session_key_in(OWN), region_code_in(OWN)) == ("", "")
