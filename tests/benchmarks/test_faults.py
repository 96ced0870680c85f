"""The faults are played, and each invariant that is looked at after them goes red where it is broken."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from nacl import pwhash

from benchmarks.faults.__main__ import line_of
from benchmarks.faults.invariants import World, violations
from benchmarks.faults.stage import Outcome, why_no_disk
from benchmarks.faults.walk import Told
from benchmarks.load.databases import Sqlite
from medonline.sandbox.store import Store
from tests.services.world import copy_database

ROOT = Path(__file__).resolve().parents[2]
PHONE, PASSWORD, SESSION = "+79101002003", "KorablLipa47", "5e" * 32
CAPS = {"flash_call": 1000, "telegram": 1000, "notice": 1000}
AT, LATER = "2026-03-01 09:00:00.000000", "2026-03-01 09:05:00.000000"
TOLD = Told(PHONE, 3, PASSWORD, [SESSION], signed_in=True)


def hashed(password: str) -> str:
    return pwhash.argon2id.str(password.encode(), opslimit=1, memlimit=8192).decode()


def insert(sql: sqlite3.Connection, table: str, **values: object) -> None:
    """A row; what may not be empty and is not given is an empty text or a zero."""
    for _, name, kind, needed, default, _ in sql.execute(f"PRAGMA table_info({table})").fetchall():
        if needed and default is None and name not in values:
            values[name] = AT if kind.startswith("DATETIME") else 0 if kind == "INTEGER" else ""
    names, marks = ", ".join(values), ", ".join("?" * len(values))
    sql.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(values.values()))


def journal(sql: sqlite3.Connection, *events: str) -> None:
    (last,) = sql.execute("SELECT coalesce(max(seq), 0) FROM security_journal").fetchone()
    for seq, event in enumerate(events, last + 1):
        insert(sql, "security_journal", seq=seq, event=event, patient_id="anna", details="{}", hash=str(seq))


@pytest.fixture
def world(template: Path, tmp_path: Path) -> World:
    """What one journey leaves behind."""
    copy_database(template, tmp_path / "portal")
    found = World(
        Sqlite(tmp_path / "portal" / "medonline.sqlite3"),
        tmp_path / "sandbox.sqlite3",
        (tmp_path / "portal.log",),
        CAPS,
        codes_at_most=3,
    )
    with closing(sqlite3.connect(found.database.file, isolation_level=None)) as sql:  # type: ignore[attr-defined]
        for table in ("channel_spending", "account_session", "login_ticket", "notice", "password_recovery"):
            assert sql.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
        insert(sql, "patient", id="anna", phone=PHONE, password_hash=hashed(PASSWORD), password_version=1)
        insert(
            sql, "password_recovery", id="r", phone=PHONE, step="done", patient_id="anna", proved_at=AT, finished_at=AT
        )
        code = {"flow_id": "r", "phone": PHONE, "channel": "flash_call", "price": 90, "expires_at": LATER}
        insert(sql, "one_time_code", id="c", confirmed_at=AT, **code)
        insert(sql, "channel_spending", channel="flash_call", day="2026-03-01", kopecks=90)
        insert(sql, "channel_spending", channel="notice", day="2026-03-01", kopecks=250)
        insert(sql, "login_ticket", ticket_hash="t", patient_id="anna", used_at=AT)
        insert(sql, "account_session", token_hash=SESSION, patient_id="anna")
        insert(sql, "notice", id="n", patient_id="anna", phone=PHONE, sent_at=AT, paid_at=AT, kopecks=250)
        journal(sql, "code_asked", "code_accepted", "password_recovered", "signed_in")
    store = Store(found.phones)
    store.add_event(PHONE, "call", "+74951200427", "Входящий звонок")
    store.add_event(PHONE, "sms", "medonline", "Пароль изменён")
    store.close()
    return found


def test_one_journey_breaks_nothing(world: World) -> None:
    assert violations(world, [TOLD]) == []


BROKEN = {
    "UPDATE patient SET password_hash = NULL": "I1: the new password of …2003 is lost",
    "DELETE FROM account_session": "I1: a session of …2003 is lost",
    "UPDATE one_time_code SET misses = 3": "I2: a code of …2003 with 3 misses",
    "UPDATE one_time_code SET confirmed_at = '2026-03-01 09:06:00.000000'": "I2: a code of …2003 was accepted late",
    "UPDATE one_time_code SET confirmed_at = NULL": "I2: a recovery of …2003 at done with 0 accepted codes",
    "UPDATE one_time_code SET flow_id = 'another'": "I2: a recovery of …2003 at done with 0 accepted codes",
    "UPDATE channel_spending SET kopecks = 1001 WHERE channel = 'notice'": "I4: 1001 kopecks of notice in a day",
    "UPDATE one_time_code SET price = 0": "I4: 90 kopecks of flash_call are counted, the rows say 0",
    "UPDATE patient SET password_version = 2": "I9: the password of …2003 changed 2 times, with 1 finished",
    "UPDATE password_recovery SET proved_at = NULL": "I9: 1 passwords without a proof",
    "UPDATE login_ticket SET used_at = NULL": "I9: 1 sessions by 0 used tickets",
    "DELETE FROM notice": "1 new passwords of …2003 and 0 notices",
    "UPDATE notice SET sent_at = NULL": "a notice to …2003 is neither sent nor waiting nor given up",
}


@pytest.mark.parametrize("statement", BROKEN)
def test_what_is_broken_in_the_database_is_found(world: World, statement: str) -> None:
    world.database.run(statement)

    assert any(BROKEN[statement] in found for found in violations(world, [TOLD]))


def test_a_second_live_code_is_found(world: World) -> None:
    code = {"flow_id": "r", "phone": PHONE, "channel": "flash_call", "expires_at": "2999-01-01 00:00:00.000000"}
    with closing(sqlite3.connect(world.database.file, isolation_level=None)) as sql:  # type: ignore[attr-defined]
        insert(sql, "one_time_code", id="d", **code)
        assert not any("live codes" in found for found in violations(world, [TOLD]))
        insert(sql, "one_time_code", id="e", **code)

    assert "I2: 2 live codes of …2003" in violations(world, [TOLD])


def test_a_session_older_than_the_password_and_a_row_of_the_journal_too_many_are_found(world: World) -> None:
    with closing(sqlite3.connect(world.database.file, isolation_level=None)) as sql:  # type: ignore[attr-defined]
        journal(sql, "password_recovered")
    found = violations(world, [TOLD])

    assert "I3: 1 sessions of …2003 are older than the password" in found
    assert "I5: the journal has password_recovered 2 times, the tables 1 times" in found


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [("call", "I4: …2003 got 2 of call for 1 codes"), ("sms", "2 notices came to …2003, 1 were sent")],
)
def test_what_rings_twice_is_found_unless_the_network_repeated_it(world: World, kind: str, sentence: str) -> None:
    store = Store(world.phones)
    store.add_event(PHONE, kind, "", "once more")
    store.close()

    assert violations(world, [TOLD]) == [sentence]
    world.doubled.add(kind)
    assert violations(world, [TOLD]) == []


@pytest.mark.parametrize("secret", [PASSWORD, PHONE])
def test_a_secret_in_a_log_is_found(world: World, secret: str) -> None:
    world.logs[0].write_text(f"something with {secret} in it\n")

    assert [found[:3] for found in violations(world, [TOLD])] == ["I7:"]


def test_nobody_takes_a_skipped_or_a_bad_fault_for_a_good_one() -> None:
    skipped = Outcome("disk-full", "disk", skipped=why_no_disk(lambda: 1000))
    assert line_of(skipped).startswith("disk-full: SKIPPED: a small disk (tmpfs) needs root")
    assert Outcome("kill", "sqlite", back_s=1.0, ready_s=1.0).good
    assert not Outcome("kill", "sqlite").good
    assert not Outcome("kill", "sqlite", back_s=1.0, lost=["I1"]).good
    assert not Outcome("kill", "sqlite", back_s=1.0, violations=["I2"]).good


def test_a_kill_and_a_provider_that_answers_with_an_error_are_survived(tmp_path: Path) -> None:
    file = tmp_path / "faults.json"
    command = f"{sys.executable} -m benchmarks.faults --only kill-sqlite call-500 --kills 1 --seconds 1 --seed 7 --json {file}"
    done = subprocess.run(command.split(), cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "seed: 7\n" in done.stdout
    killed, refused = json.loads(file.read_text())["outcomes"]
    assert (killed["name"], killed["times"], killed["lost"], killed["violations"]) == ("kill-sqlite", 1, [], [])
    assert killed["saw"]
    assert (refused["name"], refused["lost"], refused["violations"]) == ("call-500", [], [])
    assert killed["good"] is refused["good"] is True
