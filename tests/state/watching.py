"""What the portal's record and its log say, read from outside the process."""

from __future__ import annotations

import itertools
import sqlite3
import time
from contextlib import closing
from typing import Any

from medonline.config.settings import load_config
from medonline.domain.codes.channels import ChannelName
from medonline.domain.codes.one_time_code import derive_code
from medonline.services.codes.delivery import DeliveryState
from medonline.services.crypto.tokens import token_hash
from tests.e2e.server import Server
from tests.patience import PATIENCE
from tests.state.tab import Tab, visitor_cookies

VISITOR = "medonline_visitor"
SITTING = "medonline_sitting"
# Beyond the numbers with which the stand-ins make something go wrong (sandbox/magic.py) and those of the demo patients.
_numbers = itertools.count(2000)


def fresh_phone() -> str:
    """A number no one signs in with and no other test uses."""
    return f"+7900003{next(_numbers):04d}"


def new_tab(server: Server) -> Tab:
    """A tab of a browser that is new here."""
    return Tab(server.url, visitor_cookies(server.url))


def ask(server: Server, question: str, *values: object) -> list[Any]:
    path = server.data_dir / "medonline.sqlite3"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=PATIENCE)) as connection:
        return connection.execute(question, values).fetchall()


def record(server: Server) -> dict[str, list[Any]]:
    """Everything a handler could have an effect on; not what the dispatcher changes by itself."""
    return {
        "recoveries": ask(server, "SELECT * FROM password_recovery ORDER BY id"),
        "codes": ask(server, "SELECT id, misses, confirmed_at, replaced_at FROM one_time_code ORDER BY id"),
        "patients": ask(server, "SELECT * FROM patient ORDER BY id"),
        "tickets": ask(server, "SELECT * FROM login_ticket ORDER BY ticket_hash"),
        "sessions": ask(server, "SELECT token_hash, ended_at FROM account_session ORDER BY token_hash"),
    }


def step_of(server: Server, tab: Tab) -> str | None:
    question = "SELECT step FROM password_recovery WHERE visitor_key = ? AND left_at IS NULL"
    rows = ask(server, question, token_hash(tab.cookies[VISITOR].partition(".")[0]))
    return rows[0][0] if rows else None


def code_to(server: Server, phone: str) -> str:
    """What the phone shows, once it shows it: a code that is still being sent is not judged."""
    question = "SELECT id, channel, delivery FROM one_time_code WHERE phone = ? ORDER BY issued_at DESC LIMIT 1"
    given_up = time.monotonic() + PATIENCE
    while True:
        ((code_id, channel, delivery),) = ask(server, question, phone)
        if delivery not in (DeliveryState.QUEUED, DeliveryState.SENDING):
            break
        assert time.monotonic() < given_up, f"the code is still {delivery}"
        time.sleep(0.05)
    config = load_config(mode="demo", data_dir=server.data_dir, port=server.port)
    return derive_code(config.key, code_id, ChannelName(channel).code_length)


def log_of(server: Server) -> str:
    return server.log.read_text(encoding="utf-8", errors="replace")
