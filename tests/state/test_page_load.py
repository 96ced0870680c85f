"""What is pressed before the page's own load is answered, and the load does not take the answer away."""

from __future__ import annotations

from typing import Any

import pytest

from medonline import routes
from tests.e2e.server import Server
from tests.services.world import KNOWN, PASSWORD
from tests.state.account_handlers import NOT_ME, REGISTER
from tests.state.tab import ACCOUNT, LOGIN, RECOVERY, Tab
from tests.state.watching import new_tab

LANDLINE = {"phone": "8 495 123 45 67", "channel": "flash_call"}
SIGN_IN = {"form": {"phone": KNOWN, "password": PASSWORD, "page": "p"}}
# The address, its load, handler, what it is called with, the variable that answers, what it is after a load that no answer overtook.
ANSWERS: list[tuple[str, str, str, dict[str, Any], str, object]] = [
    (routes.REGISTER, f"{REGISTER}.load", f"{REGISTER}.refuse", {}, "refused", False),
    (routes.NOT_ME, f"{NOT_ME}.load", f"{NOT_ME}.dispute", {"form": {"token": "0" * 64}}, "error", ""),
    (routes.RECOVERY, f"{RECOVERY}.load", f"{RECOVERY}.begin", {"form": LANDLINE}, "error", ""),
    (routes.HOME, f"{ACCOUNT}.load_home", f"{LOGIN}.log_in", {"form": LANDLINE | {"password": "x"}}, "error", ""),
    (routes.HOME, f"{ACCOUNT}.load_home", f"{LOGIN}.log_in", SIGN_IN, "ticket", ""),
    (routes.SESSIONS, f"{LOGIN}.forget", f"{LOGIN}.log_in", SIGN_IN, "ticket", ""),
]


def _last_said(tab: Tab, load: str, state: str, variable: str) -> object:
    """What the tab shows after a load: the last value that the server sent."""
    tab.call(load)
    tab.settle()
    return tab.shown(state, variable)


@pytest.mark.parametrize(
    ("path", "load", "handler", "payload", "variable", "cleared"),
    ANSWERS,
    ids=[f"{row[2]} {row[4]}" for row in ANSWERS],
)
def test_an_answer_that_overtook_the_load_stays_and_goes_with_the_next_one(
    server: Server, path: str, load: str, handler: str, payload: dict[str, Any], variable: str, cleared: object
) -> None:
    state = handler.rpartition(".")[0]
    tab = new_tab(server)
    tab.path = path
    with tab:
        tab.call(handler, **payload)
        assert _last_said(tab, load, state, variable) not in (cleared, None)
        assert (
            _last_said(tab, load, state, variable) == cleared
        )  # the patient came back to the page over the same socket
        tab.call(handler, **payload)
        tab.settle()
    with tab:
        assert _last_said(tab, load, state, variable) == cleared
