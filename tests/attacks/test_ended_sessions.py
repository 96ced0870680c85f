"""After a password change an older session gets nothing: no socket, no page, no route, no handler (I3)."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

import httpx
import pytest

from medonline import routes
from medonline.domain.codes.channels import ChannelName
from medonline.services.crypto.tokens import token_hash
from medonline.services.desk.accounts import NewAccount
from medonline.web.cookies import SESSION
from tests.attacks.conftest import StartServer
from tests.attacks.raw import HYDRATE
from tests.attacks.signed_in import sign_in, ticket_of
from tests.e2e.server import Server
from tests.patience import PATIENCE
from tests.state.account_handlers import CARDS, FORM, HANDLERS, JOURNAL, SESSIONS, SETTINGS, record
from tests.state.tab import ACCOUNT, RECOVERY, Tab, visitor_cookies
from tests.state.watching import ask, code_to, log_of

OLD, NEW = "Prezhniy2026", "KorablLipa47"
POLICY, CARD_NUMBER = "7707170210000719", "МК-001007"
_numbers = count(3100)
# What each page with a patient's data loads, and what of it is the patient's.
SHOWN = {routes.CARDS: CARDS, routes.SETTINGS: SETTINGS, routes.SESSIONS: SESSIONS, routes.JOURNAL: JOURNAL}
AGAIN = f"{routes.HOME}?login=again"


@dataclass
class Signed:
    """A patient, and the browser of the older session: `tab` is open and shows the account."""

    server: Server
    phone: str
    cookies: dict[str, str]
    tab: Tab
    new_phone: str
    code: str = ""
    ticket: str = ""
    data: tuple[str, ...] = field(default=("Евлампия", "Прокофьевна", "Заболотная", CARD_NUMBER))

    def shown_in(self, said: list[str]) -> set[str]:
        """What of the patient's data is in these frames, in any spelling of JSON."""
        text = "".join(said)
        forms = {one: (one, one.encode("unicode_escape").decode()) for one in self.data}
        digits = re.sub(r"\D", "", text)
        found = {one for one, spelled in forms.items() if any(form in text for form in spelled)}
        return found | {"phone" for phone in (self.phone, self.new_phone) if phone[2:] in digits}


@pytest.fixture(scope="module")
def own(start_server: StartServer) -> Server:
    """A server whose patients no one else signs in as."""
    return start_server()


def open_page(tab: Tab, path: str) -> None:
    """What Reflex's client sends when a page is opened, and everything that comes of it."""
    tab.path = path
    tab.call(HYDRATE)
    tab.wait_for("reflex___state____state", "is_hydrated", True)
    tab.settle()


@pytest.fixture
def older(own: Server) -> Signed:
    """Signed in, with each page of the account opened, a card, a new phone that waits for its code, an unused ticket."""
    number = next(_numbers)
    phone = f"+7900004{number}"
    own.add_account(NewAccount(phone, OLD, "Заболотная", "Евлампия", "Прокофьевна", phone_proved=True))
    cookies = sign_in(own, phone, OLD)
    older = Signed(own, phone, cookies, Tab(own.url, cookies).open(), f"+7900005{number}")
    born = f"10.02.{datetime.now(UTC).year - 9}"
    with closing(sqlite3.connect(own.data_dir / "medonline.sqlite3", timeout=PATIENCE)) as connection, connection:
        connection.execute("DELETE FROM card_attempt")  # each test adds the same card: a policy has a limit
    older.tab.call(f"{CARDS}.link", form={"policy": POLICY, "birth_date": born, "representative": "on"})
    older.tab.settle()
    for path in SHOWN:
        open_page(older.tab, path)
    form = FORM | {"phone": older.new_phone, "password": "", "password_confirmation": ""}
    older.tab.call(f"{SETTINGS}.save", form=form)
    older.tab.settle()
    older.code = code_to(own, older.new_phone)
    older.ticket = ticket_of(own, cookies, phone, OLD)
    assert older.shown_in(older.tab.said) == {*older.data, "phone"}, "or nothing below could fail"
    return older


def by_recovery(older: Signed) -> None:
    """In a browser that never was signed in."""
    with Tab(older.server.url, visitor_cookies(older.server.url)) as tab:
        tab.call(f"{RECOVERY}.begin", form={"phone": older.phone, "channel": ChannelName.FLASH_CALL})
        tab.settle()
        tab.call(f"{RECOVERY}.confirm_code", form={"code": code_to(older.server, older.phone)})
        tab.settle()
        tab.call(f"{RECOVERY}.change_password", form={"new_password": NEW})
        tab.settle()
    ((step,),) = ask(older.server, "SELECT step FROM password_recovery WHERE phone = ?", older.phone)
    assert step == "done"


def by_settings(older: Signed) -> None:
    """In another session of the patient, which stays."""
    cookies = sign_in(older.server, older.phone, OLD)
    with Tab(older.server.url, cookies) as tab:
        form = {"phone": older.phone, "last_name": "Заболотная", "first_name": "Евлампия", "email": ""}
        tab.call(f"{SETTINGS}.save", form=form | {"password": NEW, "password_confirmation": NEW})
        tab.settle()  # its own socket is still served
    question = "SELECT ended_at FROM account_session WHERE token_hash = ?"
    assert ask(older.server, question, token_hash(cookies[SESSION])) == [(None,)]


CHANGES = pytest.mark.parametrize("change", [by_recovery, by_settings])


@CHANGES
def test_an_open_socket_of_an_older_session_is_closed(older: Signed, change: Callable[[Signed], None]) -> None:
    said = len(older.tab.said)
    change(older)
    older.tab.wait_until_closed()

    assert older.shown_in(older.tab.said[said:]) == set()
    (ended,) = ask(
        older.server, "SELECT ended_at FROM account_session WHERE token_hash = ?", token_hash(older.cookies[SESSION])
    )
    assert ended != (None,)


@CHANGES
def test_a_new_socket_of_an_older_session_shows_nothing(older: Signed, change: Callable[[Signed], None]) -> None:
    """Neither a new tab, nor the tab that was closed and comes back with the token of its state."""
    change(older)
    older.tab.wait_until_closed()
    for token in (older.tab.token, "a-new-tab"):
        for path in routes.PAGES:
            with Tab(older.server.url, older.cookies, token) as tab:
                open_page(tab, path)

                assert older.shown_in(tab.said) == set(), path
                assert (AGAIN in "".join(tab.said)) == (path in SHOWN), path
                tab.call(f"{ACCOUNT}.load_page")
                tab.settle()
                assert '"signed_in_rx_state_":true' not in "".join(tab.said)


@CHANGES
def test_a_tab_that_was_closed_before_shows_nothing_when_it_comes_back(
    older: Signed, change: Callable[[Signed], None]
) -> None:
    """Its state is kept for a while, and the first thing a page that comes back gets is its state."""
    older.tab.close()
    with Tab(older.server.url, older.cookies, older.tab.token) as tab:
        tab.call(HYDRATE)
        tab.settle()
        assert older.shown_in(tab.said) == {*older.data, "phone"}, "the state was kept"
    change(older)
    with Tab(older.server.url, older.cookies, older.tab.token) as tab:
        open_page(tab, routes.CARDS)

        assert older.shown_in(tab.said) == set()


@CHANGES
def test_every_route_and_document_refuses_an_older_session(older: Signed, change: Callable[[Signed], None]) -> None:
    change(older)
    before = record(older.server)
    del before["login_ticket"]  # the stale one counts as used
    with httpx.Client(
        base_url=older.server.url, trust_env=False, timeout=PATIENCE, headers={"Origin": older.server.url}
    ) as http:
        http.cookies.update(older.cookies)
        for path in routes.PAGES:
            assert older.shown_in([http.get(path).text]) == set()
        assert http.get(routes.SESSION_LEFT).json() == {"idle": 0, "absolute": 0}
        assert http.post(routes.SESSION_EXTEND).json() == {"idle": 0, "absolute": 0}
        opened = http.post(routes.SESSION_OPEN, data={"ticket": older.ticket})
        assert (opened.headers["location"], opened.headers.get("set-cookie")) == (AGAIN, None)
        closed = http.post(routes.SESSION_CLOSE)
        assert (closed.status_code, closed.headers["location"]) == (303, routes.HOME)
        assert closed.headers["set-cookie"].startswith(f"{SESSION}=; ")

    after = record(older.server)
    assert {table: after[table] for table in before} == before


@CHANGES
def test_no_handler_has_an_effect_for_an_older_session(older: Signed, change: Callable[[Signed], None]) -> None:
    honest: dict[str, dict[str, Any]] = HANDLERS | {
        f"{SETTINGS}.save": {"form": FORM | {"current_password": NEW}},
        f"{SETTINGS}.prove": {"form": {"current_password": NEW}},
        f"{SETTINGS}.confirm_phone": {"form": {"code": older.code}},
        f"{CARDS}.link": {"form": {"policy": "7707161005001210", "birth_date": "05.10.2016", "representative": "on"}},
        f"{SESSIONS}.end": {"number": token_hash(older.cookies[SESSION])[:16]},
    }
    ((card_id,),) = ask(
        older.server,
        "SELECT c.id FROM patient_card c JOIN patient p ON p.id = c.patient_id WHERE p.phone = ?",
        older.phone,
    )
    honest |= {f"{CARDS}.{name}": {"card_id": card_id} for name in ("ask_unlink", "unlink", "ask_again")}
    change(older)
    another = sign_in(older.server, older.phone, NEW)  # for `end_others` to end
    before, logged = record(older.server), len(log_of(older.server))
    for handler, payload in honest.items():
        with Tab(older.server.url, older.cookies, path=routes.SETTINGS) as tab:
            tab.call(handler, **payload)
            tab.settle()

            assert record(older.server) == before, handler
            assert older.shown_in(tab.said) == set(), handler
    assert "A handler failed" not in log_of(older.server)[logged:]
    with Tab(older.server.url, another) as tab:
        open_page(tab, routes.CARDS)
        assert older.shown_in(tab.said) >= {"Евлампия", CARD_NUMBER}, "the patient's own new session has it all"
