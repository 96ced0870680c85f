"""The stand-ins' store is bounded by age and by count."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from medonline.sandbox import store as module
from medonline.sandbox.gosuslugi.asked import Asked
from medonline.sandbox.gosuslugi.codes import CODE_LIVES, Codes
from medonline.sandbox.gosuslugi.journeys import Journeys
from medonline.sandbox.gosuslugi.sessions import Sessions
from medonline.sandbox.store import KEPT_FOR, Event, Message, Store

PHONE = "+79000001001"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "sandbox.sqlite3")
    yield store
    store.close()


def rows(store: Store, table: str) -> int:
    with store.transaction() as sql:
        return int(sql.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def message(number: int, sent_at: float | None) -> Message:
    return Message(str(number), PHONE, "1234", 60, "", "", sent_at)


def test_of_each_table_only_the_last_are_kept(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT", 20)
    monkeypatch.setattr(module, "FORGET_EVERY", 10)
    for number in range(200):
        store.place_call(PHONE, f"{number:04}", f"key {number}", "portal", Event("", "call", "+7", f"{number}"))
        store.save_message(message(number, time.time() if number % 2 else None))

    assert [table for table in ("event", "call", "message") if rows(store, table) > 30] == []
    assert store.events(PHONE)[-1].text == "199"
    assert store.message("199") is not None


def test_a_stand_in_that_keeps_tables_of_its_own_is_bounded_too(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Codes of Gosuslugi come by SMS: nothing else of the demo may happen for months."""
    monkeypatch.setattr(module, "KEPT", 20)
    monkeypatch.setattr(module, "FORGET_EVERY", 10)
    journeys, codes = Journeys(store, lambda: 1000.0), Codes(store, lambda: 1000.0)
    sessions, asked = Sessions(store, lambda: 1000.0), Asked("oidc", "client", "https://portal.example", "openid", "s")
    for number in range(200):
        journey = journeys.begin(asked, f"browser {number}")
        journeys.ask_code(journey.id, number, PHONE)
        secret, session = sessions.open(number % 13, "PWD")
        grant = codes.issue(asked, session.oid, session.amr, session.sid, session.at)
        codes.keep_token(f"token {number}", "access", grant.id, 60)
        sessions.offer_qr(journey.id)
        sessions.grant("client", session.oid, ["openid", "phone"])

    with store.transaction() as sql:
        tables = [row["name"] for row in sql.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    assert {"gosuslugi_journey", "gosuslugi_code", "gosuslugi_token", "gosuslugi_session", "gosuslugi_qr"} <= {*tables}
    assert [table for table in tables if rows(store, table) > 30] == []
    assert journeys.find(journey.id, "browser 199") is not None
    assert sessions.find(secret) == session
    assert codes.token("token 199", "access", "oidc") == grant


def test_what_is_old_goes_at_the_next_start(tmp_path: Path, store: Store) -> None:
    old = time.time() - KEPT_FOR - 60
    with store.transaction() as sql:
        at = datetime.fromtimestamp(old, UTC).isoformat(timespec="milliseconds")
        sql.execute("INSERT INTO event (at, phone, kind, sender, text) VALUES (?, ?, 'sms', '', 'old')", (at, PHONE))
        sql.execute("INSERT INTO call (phone, code, client, placed_at) VALUES (?, '1', '', ?)", (PHONE, old))
    store.save_message(message(1, old))
    store.add_event(PHONE, "sms", "", "new")
    store.save_message(message(2, time.time()))
    again = Store(tmp_path / "sandbox.sqlite3")
    left = [event.text for event in again.events(PHONE)], rows(again, "call"), again.message("1"), again.message("2")
    again.close()

    assert left[:3] == (["new"], 0, None)
    assert left[3] is not None


def test_codes_and_tokens_go_when_they_are_over(store: Store) -> None:
    now = [1000.0]
    codes = Codes(store, lambda: now[0])
    asked = Asked("oidc", "client", "https://portal.example", "openid", "state")
    first = codes.issue(asked, 1, "pwd", "sid", now[0])
    codes.keep_token("token", "access", first.id, CODE_LIVES * 2 - 1)
    now[0] += CODE_LIVES + 1
    second = codes.issue(asked, 1, "pwd", "sid", now[0])
    with_a_token = rows(store, "gosuslugi_code")
    now[0] += CODE_LIVES - 1
    codes.issue(asked, 1, "pwd", "sid", now[0])

    assert with_a_token == 2  # the first is behind a token that lives
    assert (rows(store, "gosuslugi_code"), rows(store, "gosuslugi_token")) == (2, 0)
    assert codes.look(second.id, "oidc") is not None
