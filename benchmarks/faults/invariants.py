"""What must hold whatever broke (SECURITY.md, I1-I9). The checks read only the database, the phones of the stand-ins and the log.

They use no code of the portal, except `medonline journal verify`, which an operator would run too.
"""

from __future__ import annotations

import sqlite3
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from nacl.exceptions import InvalidkeyError
from nacl.pwhash import verify

from benchmarks.faults.walk import Told
from benchmarks.load.databases import Database
from benchmarks.load.servers import Servers

MISSES_AT_MOST = 3
NOTICE = "notice"
_AFTER_CODE = ("new_password", "done")
_CALL, _SMS = "call", "sms"


@dataclass(frozen=True)
class World:
    """The places that the checks read.

    caps: kopecks per day, by way and for notices.
    codes_at_most: codes to one phone within the run.
    doubled: kinds of events that the network itself repeated.
    """

    database: Database
    phones: Path
    logs: Sequence[Path]
    caps: dict[str, int]
    codes_at_most: int
    doubled: set[str] = field(default_factory=set)


def violations(world: World, told: Sequence[Told]) -> list[str]:
    """One sentence for each violated invariant. `told`: what each patient of this world was told, for all patients."""
    return [
        *_nothing_told_is_lost(world.database, told),
        *_codes_count_once(world.database),
        *_older_sessions_are_over(world.database),
        *_within_limits(world),
        *_written_down(world.database),
        *_nothing_without_proof(world.database),
        *_notices_are_kept(world),
        *_no_secret_in(world.logs, told),
    ]


def journal_fault(servers: Servers) -> list[str]:
    """I5: the hash chain, checked by the operator's own command."""
    portal = servers.portal
    command = [portal.words[0], "journal", "verify"]
    environment = {name: value for name, value in portal.environment.items() if name != "COUNT_STATEMENTS_IN"}
    done = subprocess.run(
        command, env=environment, cwd=portal.checkout, capture_output=True, text=True, check=False, timeout=120
    )
    return [f"I5: `medonline journal verify`: {(done.stdout + done.stderr).strip()[-300:]}"] if done.returncode else []


def _nothing_told_is_lost(database: Database, told: Iterable[Told]) -> Iterator[str]:
    """I1: the password that a patient was told about is valid, and the opened session exists."""
    hashes = dict(database.rows("SELECT phone, password_hash FROM patient WHERE phone IS NOT NULL"))
    sessions = dict(database.rows("SELECT token_hash, ended_at FROM account_session"))
    for one in told:
        if one.password and not _fits(hashes.get(one.phone), one.password):
            yield f"I1: the new password of …{one.phone[-4:]} is lost"
        for key in one.sessions:
            if key not in sessions:
                yield f"I1: a session of …{one.phone[-4:]} is lost"


def _fits(encoded: str | None, password: str) -> bool:
    try:
        return bool(encoded) and verify(str(encoded).encode(), password.encode())
    except InvalidkeyError:
        return False


def _codes_count_once(database: Database) -> Iterator[str]:
    """I2: each phone has at most one live code. None is accepted late, after three misses, or twice."""
    live = """SELECT phone, count(*) FROM one_time_code WHERE confirmed_at IS NULL AND replaced_at IS NULL
        AND misses < 3 AND expires_at > CURRENT_TIMESTAMP GROUP BY phone HAVING count(*) > 1"""
    for phone, many in database.rows(live):
        yield f"I2: {many} live codes of …{phone[-4:]}"
    confirmed = defaultdict[str, int](int)
    asked = "SELECT flow_id, phone, misses, expires_at, confirmed_at FROM one_time_code"
    for flow, phone, misses, expires, accepted in database.rows(asked):
        if misses > MISSES_AT_MOST or (accepted is not None and misses >= MISSES_AT_MOST):
            yield f"I2: a code of …{phone[-4:]} with {misses} misses"
        if accepted is not None:
            confirmed[flow] += 1
            if accepted > expires:
                yield f"I2: a code of …{phone[-4:]} was accepted late"
    for flow, phone, step, proved in database.rows("SELECT id, phone, step, proved_at FROM password_recovery"):
        wanted = int(proved is not None)
        if confirmed[flow] != wanted or (step in _AFTER_CODE and not wanted):
            yield f"I2: a recovery of …{phone[-4:]} at {step} with {confirmed[flow]} accepted codes"


def _older_sessions_are_over(database: Database) -> Iterator[str]:
    """I3: no session that is older than the password is valid. The journal's order decides, because the clock may have moved."""
    older = """SELECT p.phone, s.live - (SELECT count(*) FROM security_journal j
            WHERE j.patient_id = p.id AND j.event = 'signed_in' AND j.seq > (SELECT max(c.seq) FROM security_journal c
                WHERE c.patient_id = p.id AND c.event = 'password_recovered'))
        FROM patient p JOIN (SELECT patient_id, count(*) AS live FROM account_session
            WHERE ended_at IS NULL GROUP BY patient_id) s ON s.patient_id = p.id WHERE p.password_version > 0"""
    for phone, many in database.rows(older):
        if many > 0:
            yield f"I3: {many} sessions of …{phone[-4:]} are older than the password"


def _within_limits(world: World) -> Iterator[str]:
    """I4: limits, money, and no call without a code. An idempotent provider calls once for each code."""
    codes = Counter[tuple[str, str]]()
    prices = Counter[str]()
    for phone, channel, price in world.database.rows("SELECT phone, channel, price FROM one_time_code"):
        codes[phone, channel] += 1
        prices[channel] += price
    by_phone = Counter(phone for phone, _ in codes.elements())
    for phone, many in by_phone.items():
        if many > world.codes_at_most:
            yield f"I4: {many} codes to …{phone[-4:]}"
    for (paid,) in world.database.rows("SELECT sum(kopecks) FROM notice WHERE paid_at IS NOT NULL"):
        prices[NOTICE] += paid or 0
    spent = Counter[str]()
    for channel, kopecks in world.database.rows("SELECT channel, kopecks FROM channel_spending"):
        spent[channel] += kopecks
        if kopecks > world.caps[channel]:
            yield f"I4: {kopecks} kopecks of {channel} in a day, more than {world.caps[channel]}"
    for channel in {*prices, *spent}:
        # Each attempt to send a notice is counted, but a notice has only one row: the sum may exceed what the rows say.
        if spent[channel] < prices[channel] or (channel != NOTICE and spent[channel] > prices[channel]):
            yield f"I4: {spent[channel]} kopecks of {channel} are counted, the rows say {prices[channel]}"
    for phone, kind, many in _events(world.phones):
        channel = {_CALL: "flash_call", "telegram": "telegram"}.get(kind)
        if channel and kind not in world.doubled and many > codes[phone, channel]:
            yield f"I4: …{phone[-4:]} got {many} of {kind} for {codes[phone, channel]} codes"


def _events(phones: Path) -> list[tuple[str, str, int]]:
    with closing(sqlite3.connect(phones)) as store:
        return store.execute("SELECT phone, kind, count(*) FROM event GROUP BY phone, kind").fetchall()


def _written_down(database: Database) -> Iterator[str]:
    """I5: the journal has a row for each requested and accepted code, each new password and each session, and no other such rows."""
    happened = dict(database.rows("SELECT event, count(*) FROM security_journal GROUP BY event"))
    rows = {
        "signed_in": "SELECT count(*) FROM account_session",
        "code_asked": "SELECT count(*) FROM one_time_code",
        "code_accepted": "SELECT count(*) FROM one_time_code WHERE confirmed_at IS NOT NULL",
        "password_recovered": "SELECT sum(password_version) FROM patient",
    }
    for event, question in rows.items():
        there = database.rows(question)[0][0] or 0
        if happened.get(event, 0) != there:
            yield f"I5: the journal has {event} {happened.get(event, 0)} times, the tables {there} times"


def _nothing_without_proof(database: Database) -> Iterator[str]:
    """I9, I2: each new password has a finished recovery with an accepted code, and each session has a used ticket."""
    finished = Counter(
        phone for (phone,) in database.rows("SELECT phone FROM password_recovery WHERE finished_at IS NOT NULL")
    )
    for phone, version in database.rows("SELECT phone, password_version FROM patient WHERE password_version > 0"):
        if finished[phone] != version:
            yield f"I9: the password of …{phone[-4:]} changed {version} times, with {finished[phone]} finished recoveries"
    unproved = "SELECT count(*) FROM password_recovery WHERE finished_at IS NOT NULL AND proved_at IS NULL"
    if many := database.rows(unproved)[0][0]:
        yield f"I9: {many} passwords without a proof of the phone"
    ((sessions, tickets),) = database.rows(
        "SELECT (SELECT count(*) FROM account_session), (SELECT count(*) FROM login_ticket WHERE used_at IS NOT NULL)"
    )
    if sessions != tickets:
        yield f"I9: {sessions} sessions by {tickets} used tickets"


def _notices_are_kept(world: World) -> Iterator[str]:
    """Each new password has a notice. A notice that counts as sent has reached the phone, and none has reached it twice."""
    asked = "SELECT p.phone, p.password_version FROM patient p WHERE p.password_version > 0"
    wanted = dict(world.database.rows(asked))
    made, sent, tried = Counter[str](), Counter[str](), Counter[str]()
    for phone, sent_at, due_at, problem in world.database.rows("SELECT phone, sent_at, due_at, problem FROM notice"):
        made[phone] += 1
        sent[phone] += sent_at is not None
        tried[phone] += sent_at is not None or bool(problem)
        if sent_at is None and due_at is None and not problem:
            yield f"a notice to …{phone[-4:]} is neither sent nor waiting nor given up"
    for phone, many in wanted.items():
        if made[phone] != many:
            yield f"{many} new passwords of …{phone[-4:]} and {made[phone]} notices"
    came = {phone: many for phone, kind, many in _events(world.phones) if kind == _SMS}
    for phone in {*made, *came}:
        if not sent[phone] <= came.get(phone, 0):
            yield f"{sent[phone]} notices to …{phone[-4:]} count as sent, {came.get(phone, 0)} came"
        if came.get(phone, 0) > tried[phone] and _SMS not in world.doubled:
            yield f"{came[phone]} notices came to …{phone[-4:]}, {tried[phone]} were sent"


def _no_secret_in(logs: Sequence[Path], told: Iterable[Told]) -> Iterator[str]:
    """I7: no password and no whole phone in a log."""
    told = list(told)
    for log in logs:
        text = log.read_text(errors="replace") if log.exists() else ""
        for one in told:
            if one.password and one.password in text:
                yield f"I7: a password is in {log.name}"
            if one.phone.removeprefix("+") in text:
                yield f"I7: the phone …{one.phone[-4:]} is in {log.name}"
