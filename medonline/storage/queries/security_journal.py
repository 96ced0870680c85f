"""Questions about the security journal. One lock, which is taken last, settles the order of its rows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cache
from typing import Any, Protocol

from sqlalchemy import BindParameter, Select, and_, bindparam, case, delete, exists, func, insert, union_all
from sqlalchemy import select as sa_select
from sqlmodel import Session, SQLModel, col, select

from medonline.domain.security_journal import GENESIS, JournalEvent, JournalLine
from medonline.storage.statements import new_values
from medonline.storage.tables.patients import Patient
from medonline.storage.tables.security_journal import JournalCheckpoint, JournalEntry, JournalExamination

# This lock is the portal's own. A hash of a phone can equal it only by chance, and then the transactions merely wait.
_LOCK = 0x6D65646A6F75726E
_SAME = ("event", "patient_id", "phone_tail", "network", "details")  # what makes two rows equal
_READ = tuple(getattr(JournalEntry, name) for name in ("seq", "at", *_SAME))
PHONE_BECAME_THEIRS = (
    JournalEvent.REGISTERED,
    JournalEvent.ACCOUNT_MADE,
    JournalEvent.PHONE_CHANGED,
    JournalEvent.PHONE_SET_AT_DESK,
)

# These prove more than the account's password does: a code to its phone, the link «это не я», documents at the desk.
OWNER_TOOK_IT_BACK = (JournalEvent.PASSWORD_RECOVERED, JournalEvent.DISPUTED, JournalEvent.PHONE_SET_AT_DESK)

# Built once: building a statement and its cache key costs as much as running it.
_HEADS = tuple(
    select(table.seq, table.hash, table.key_id).order_by(col(table.seq).desc()).limit(1)
    for table in (JournalEntry, JournalCheckpoint)
)
_ROWS = SQLModel.metadata.tables[str(JournalEntry.__tablename__)]
_INSERT = insert(_ROWS)
_last = sa_select(_ROWS.c.seq, _ROWS.c.hash).order_by(_ROWS.c.seq.desc()).limit(1).subquery()
_INSERT_AFTER = _INSERT.from_select(
    [column.name for column in _ROWS.columns],
    sa_select(*(bindparam(f"new_{column.name}", type_=column.type) for column in _ROWS.columns)).where(
        _last.c.seq == bindparam("last_seq"), _last.c.hash == bindparam("last_hash")
    ),
)
_LAST = select(JournalEntry).order_by(col(JournalEntry.seq).desc()).limit(1)
_AFTER = (
    select(JournalEntry)
    .where(col(JournalEntry.seq) > bindparam("after"))
    .order_by(col(JournalEntry.seq))
    .limit(bindparam("most"))
)
_PHONE_IS_THEIRS_SINCE = (
    select(JournalEntry.seq)
    .where(col(JournalEntry.patient_id) == bindparam("patient_id"), col(JournalEntry.event).in_(PHONE_BECAME_THEIRS))
    .order_by(col(JournalEntry.seq).desc())
    .limit(1)
)
_FIRST_SINCE = (
    select(JournalEntry)
    .where(
        col(JournalEntry.patient_id) == bindparam("patient_id"),
        col(JournalEntry.event) == bindparam("event"),
        col(JournalEntry.at) > bindparam("since"),
    )
    .order_by(col(JournalEntry.seq))
    .limit(1)
)


_ROW_OF_KEY = (
    exists().where(col(JournalEntry.key_id) == bindparam("key")),
    exists().where(col(JournalCheckpoint.key_id) == bindparam("key")),
)


class Indexer(Protocol):
    """Finds a phone again without keeping it."""

    def indexes(self, text: str) -> list[str]:
        """The keyed hash of a text under each key."""


@dataclass(frozen=True, slots=True)
class Head:
    """The last row, which determines the number and the hash of the next one."""

    seq: int
    hash: str

    def __str__(self) -> str:
        """The hash in groups of 8 characters, which the log's filter takes neither for a token nor for a phone."""
        return f"{self.seq}:{'.'.join(self.hash[at : at + 8] for at in range(0, len(self.hash), 8))}"


def last_key_id(session: Session) -> str:
    """The id of the key of the newest row, or of the checkpoint that replaced it. Empty when there is neither."""
    return head_and_key(session)[1]


def has_rows_of(session: Session, key_id: str) -> bool:
    """Whether any row or checkpoint was made with this key. If there is none, it reads every row."""
    return any(session.connection().execute(sa_select(found), {"key": key_id}).scalar_one() for found in _ROW_OF_KEY)


def append(session: Session, line: JournalLine, made: str) -> None:
    """Write the row for a line at once. `made` is the row's hash."""
    session.connection().execute(_INSERT, {**line.values(), "hash": made})


def append_after(session: Session, last: Head, line: JournalLine, made: str) -> bool:
    """Like `append`, if the line still follows the last row. Returns whether it did."""
    values = new_values({**line.values(), "hash": made}) | {"last_seq": last.seq, "last_hash": last.hash}
    return bool(session.connection().execute(_INSERT_AFTER, values).rowcount)


def line_of(row: JournalEntry) -> JournalLine:
    """The line that a row keeps. The row's hash must match it."""
    return JournalLine(**{field.name: getattr(row, field.name) for field in fields(JournalLine)})


def has_other_writers(session: Session) -> bool:
    """Whether other processes write into the journal all the time. Then its last row is seldom one of this process."""
    return bool(session.get_bind().dialect.name == "postgresql")


def hold(session: Session) -> None:
    """Let one transaction at a time write into the journal, until it ends. SQLite has one writer anyway."""
    if has_other_writers(session):
        session.exec(select(func.pg_advisory_xact_lock(_LOCK)))


def head(session: Session) -> Head:
    """The last row, or the last one that was deleted in its time. Number 0 before the first row."""
    return head_and_key(session)[0]


def head_and_key(session: Session) -> tuple[Head, str]:
    """Like `head`, with the id of the key that made it. Empty before the first row."""
    for statement in _HEADS:
        row = session.exec(statement).first()
        if row is not None:
            return Head(row[0], row[1]), row[2]
    return Head(0, GENESIS), ""


def checkpoints(session: Session) -> Sequence[JournalCheckpoint]:
    """All checkpoints, oldest first."""
    return session.exec(select(JournalCheckpoint).order_by(col(JournalCheckpoint.seq))).all()


def after(session: Session, seq: int, limit: int) -> Sequence[JournalEntry]:
    """Rows that follow a number, in order."""
    return session.exec(_AFTER, params={"after": seq, "most": limit}).all()


def forget_through(session: Session, seq: int) -> int:
    """Delete the rows that a checkpoint replaces. Returns how many."""
    return int(session.exec(delete(JournalEntry).where(col(JournalEntry.seq) <= seq)).rowcount)


@dataclass(frozen=True, slots=True)
class About:
    """One patient's part of the journal: rows that name the patient, and rows about the phone (one index per key) from a number on. It goes
    by number, not by time: after a clock was set back, times might show what happened to the number's last owner."""

    patient_id: str
    phone_indexes: tuple[str, ...]
    since: int


def about(session: Session, patient_id: str, phones: Indexer) -> About:
    """The part of one patient. A row of the journal says since when the phone is theirs, unless that row is past its time."""
    patient = session.get(Patient, patient_id)
    if patient is None or not patient.phone:
        return About(patient_id, (), 0)
    since = session.exec(_PHONE_IS_THEIRS_SINCE, params={"patient_id": patient_id}).first() or 0
    return About(patient_id, tuple(phones.indexes(patient.phone)), since)


def first_since(session: Session, patient_id: str, event: str, since: datetime) -> JournalEntry | None:
    """The first row of this event about a patient that is younger than `since` (UTC)."""
    return session.exec(_FIRST_SINCE, params={"patient_id": patient_id, "event": event, "since": since}).first()


def taken_back(
    patient_id: str | BindParameter[str], events: Collection[JournalEvent] = OWNER_TOOK_IT_BACK
) -> Select[int, datetime]:
    """The row (number, time) by which the owner last took this account back from anyone who may have been in it. None when never."""
    return (
        sa_select(col(JournalEntry.seq), col(JournalEntry.at))
        .where(col(JournalEntry.patient_id) == patient_id, col(JournalEntry.event).in_(events))
        .order_by(col(JournalEntry.seq).desc())
        .limit(1)
    )


def times_since_taken_back(session: Session, patient_id: str, events: Collection[str], most: int) -> list[datetime]:
    """The times (UTC) of the newest rows of these events about a patient. At most `most` of them, and only those since the owner last took
    the account back or the desk let the account begin again."""
    statement = _times_since_taken_back(tuple(events))
    return list(session.connection().execute(statement, {"patient_id": patient_id, "most": most}).scalars())


@cache  # there are few sets of events, all of them in the code
def _times_since_taken_back(events: tuple[str, ...]) -> Select[datetime]:
    patient_id: BindParameter[str] = bindparam("patient_id")
    back = taken_back(patient_id, (*OWNER_TOOK_IT_BACK, JournalEvent.PACE_RESET)).subquery()
    after = func.coalesce(sa_select(back.c.seq).scalar_subquery(), 0)
    newest_of_each = [
        select(JournalEntry.seq, JournalEntry.at)
        .where(
            col(JournalEntry.patient_id) == patient_id, col(JournalEntry.event) == event, col(JournalEntry.seq) > after
        )
        .order_by(col(JournalEntry.seq).desc())
        .limit(bindparam("most"))
        .subquery()
        for event in events
    ]
    all_of_them = union_all(*map(sa_select, newest_of_each)).subquery()
    return sa_select(all_of_them.c.at).order_by(all_of_them.c.seq.desc()).limit(bindparam("most"))


def of_patient(session: Session, whose: About, before: int, limit: int) -> Sequence[JournalEntry]:
    """Rows that a patient may read and whose numbers are below `before`, newest first."""
    mine = select(JournalEntry).where(JournalEntry.patient_id == whose.patient_id, col(JournalEntry.seq) < before)
    phones = select(JournalEntry).where(
        col(JournalEntry.phone_index).in_(whose.phone_indexes),
        JournalEntry.patient_id == "",
        col(JournalEntry.seq) > whose.since,
        col(JournalEntry.seq) < before,
    )
    newest = col(JournalEntry.seq).desc()
    found = [row for part in (mine, phones) for row in session.exec(part.order_by(newest).limit(limit)).all()]
    return sorted(found, key=lambda row: row.seq, reverse=True)[:limit]


@dataclass(frozen=True, slots=True)
class Run:
    """`rows` equal rows that follow each other in a patient's part of the journal. The newest was written at `at` (UTC), the oldest has the
    number `oldest`."""

    oldest: int
    at: datetime
    event: str
    patient_id: str
    phone_tail: str
    network: str
    details: str
    rows: int


def runs_of_patient(
    session: Session, whose: About, before: int, scan: int, limit: int, folded: Collection[str]
) -> tuple[Sequence[Run], bool]:
    """The newest runs that a patient may read, at most `limit` of them, out of the newest `scan` rows with numbers below `before`. Also
    whether there may be older rows. Equal rows of the events `folded` that follow each other are one run."""
    facts = {
        "patient_id": whose.patient_id,
        "since": whose.since,
        "before": before,
        "scan": scan,
        "most": limit,
        "folded": list(folded),
    }
    facts |= {f"phone_{number}": index for number, index in enumerate(whose.phone_indexes)}
    found = session.connection().execute(_runs_of_patient(len(whose.phone_indexes)), facts).all()
    runs = [Run(*row[:8]) for row in found]
    return runs, len(runs) == limit or (bool(found) and found[0][8] == scan)


@cache  # one statement per number of keys
def _runs_of_patient(phones: int) -> Select[Any]:
    part = (col(JournalEntry.patient_id) == bindparam("patient_id"),)
    of_phones = [
        (
            col(JournalEntry.phone_index) == bindparam(f"phone_{number}"),
            col(JournalEntry.patient_id) == "",
            col(JournalEntry.seq) > bindparam("since"),
        )
        for number in range(phones)
    ]
    newest_of_each = [
        select(*_READ)
        .where(*which, col(JournalEntry.seq) < bindparam("before"))
        .order_by(col(JournalEntry.seq).desc())
        .limit(bindparam("scan"))
        .subquery()
        for which in (part, *of_phones)
    ]
    both = union_all(*map(sa_select, newest_of_each)).subquery()
    rows = sa_select(both).order_by(both.c.seq.desc()).limit(bindparam("scan")).subquery()
    newer = {name: func.lag(rows.c[name]).over(order_by=rows.c.seq.desc()) for name in _SAME}
    goes_on = and_(
        rows.c.event.in_(bindparam("folded", expanding=True)), *(newer[name] == rows.c[name] for name in _SAME)
    )
    marked = sa_select(rows, case((goes_on, 0), else_=1).label("begins")).subquery()
    number = func.sum(marked.c.begins).over(order_by=marked.c.seq.desc()).label("run")
    numbered = sa_select(marked, number).subquery()
    return (
        sa_select(
            func.min(numbered.c.seq),
            func.max(case((numbered.c.begins == 1, numbered.c.at))),
            *(func.min(numbered.c[name]) for name in _SAME),
            func.count(),
            func.sum(func.count()).over(),
        )
        .group_by(numbered.c.run)
        .order_by(numbered.c.run)
        .limit(bindparam("most"))
    )


def last(session: Session) -> JournalEntry | None:
    """The last row that exists."""
    return session.exec(_LAST).first()


def rows_by_key(session: Session) -> dict[str, int]:
    """How many rows have a hash made with each key, by the key's id."""
    statement = select(JournalEntry.key_id, func.count()).group_by(col(JournalEntry.key_id))
    return {key: int(count) for key, count in session.exec(statement).all()}


def began_with(session: Session, keys: Collection[str]) -> datetime | None:
    """Since when (UTC) each row was made with one of these keys. None when the newest row was made with another key.

    Keys follow one another, so a binary search over the numbers finds the row. While processes change keys one by one, their rows are
    mixed: then the answer is one of those minutes. If older rows were deleted, it is the oldest remaining row.
    """
    # Two queries: if one asks for both ends, SQLite reads every row.
    first = session.exec(select(func.min(JournalEntry.seq))).one()
    last = session.exec(select(func.max(JournalEntry.seq))).one()
    if first is None or last is None or _key_of(session, last)[0] not in keys:
        return None
    while first < last:
        middle = (first + last) // 2
        if _key_of(session, middle)[0] in keys:
            last = middle
        else:
            first = middle + 1
    return _key_of(session, last)[1]


def _key_of(session: Session, seq: int) -> tuple[str, datetime]:
    return session.exec(select(JournalEntry.key_id, JournalEntry.at).where(col(JournalEntry.seq) == seq)).one()


_WHOLE_JOURNAL = "whole"  # the key of the only row


def record_examination(session: Session, *, at: datetime, rows: int, whole: bool) -> None:
    """Store the result of the last examination of every row."""
    session.merge(JournalExamination(name=_WHOLE_JOURNAL, at=at, rows=rows, whole=whole))


def last_examination(session: Session) -> JournalExamination | None:
    """The last examination. None before the first."""
    return session.get(JournalExamination, _WHOLE_JOURNAL)
