"""Questions about recoveries. Every move is one conditional UPDATE, so that of two equal moves only one wins."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import String, and_, bindparam, case, func, or_
from sqlalchemy import select as sa_select  # SQLModel's own cannot become a subquery
from sqlalchemy.orm import aliased
from sqlalchemy.sql.dml import ReturningUpdate
from sqlmodel import Session, col, select, update

from medonline.storage.statements import UNSYNCHRONISED, new_facts, new_values
from medonline.storage.tables.codes import OneTimeCodeRow
from medonline.storage.tables.columns import UtcDateTime
from medonline.storage.tables.password_recovery import PasswordRecovery

_ON_SOURCES = col(PasswordRecovery.step).in_(bindparam("sources", expanding=True))
_OF_VISITOR = col(PasswordRecovery.visitor_key) == bindparam("visitor")
_SHOWN = col(PasswordRecovery.left_at).is_(None)
_THIS = col(PasswordRecovery.id) == bindparam("recovery_id")
_NEWEST = col(PasswordRecovery.created_at).desc()
# The recoveries that `leave_all_of_visitor` leaves.
_OPEN = (_OF_VISITOR, or_(_SHOWN, _ON_SOURCES))

_NEWEST_OF = (
    select(PasswordRecovery)
    .where(_OF_VISITOR, _SHOWN)
    .order_by(_NEWEST)
    .limit(1)
    .execution_options(populate_existing=True)
)
_code: type[OneTimeCodeRow] = aliased(OneTimeCodeRow)
_last_code: type[OneTimeCodeRow] = aliased(OneTimeCodeRow)
_LAST_CODE = (
    sa_select(col(_last_code.id))
    .where(col(_last_code.flow_id) == col(PasswordRecovery.id))
    .order_by(col(_last_code.replaced_at).is_not(None), col(_last_code.issued_at).desc())
    .limit(1)
    .correlate(PasswordRecovery)
    .scalar_subquery()
)
_NEWEST_WITH_CODE = (
    select(PasswordRecovery, _code)
    .outerjoin(_code, col(_code.id) == _LAST_CODE)
    .where(_OF_VISITOR, _SHOWN)
    .order_by(_NEWEST)
    .limit(1)
    .execution_options(populate_existing=True)
)
_NEWEST_OR_LEFT = (
    select(PasswordRecovery)
    .where(
        _OF_VISITOR,
        or_(
            _SHOWN,
            and_(col(PasswordRecovery.phone) == bindparam("phone"), col(PasswordRecovery.step) == bindparam("step")),
        ),
    )
    .order_by(_SHOWN.desc(), _NEWEST)
    .limit(1)
    .execution_options(populate_existing=True)
)
_MOVE_ALL_OF = (
    update(PasswordRecovery)
    .where(col(PasswordRecovery.patient_id) == bindparam("of_patient"), _ON_SOURCES)
    .values(step=bindparam("target"))
    .execution_options(**UNSYNCHRONISED)
)
_SET_LEFT = update(PasswordRecovery).where(_THIS).values(left_at=bindparam("now")).execution_options(**UNSYNCHRONISED)
_RECORD_TAKEN_OFF = (
    update(PasswordRecovery)
    .where(_THIS)
    .values(identities_unlinked=bindparam("identities"), passkeys_removed=bindparam("passkeys"))
    .returning(PasswordRecovery)
    .execution_options(**UNSYNCHRONISED, populate_existing=True)
)
_RENAME_VISITOR = (
    update(PasswordRecovery)
    .where(_OF_VISITOR, col(PasswordRecovery.step) != bindparam("but"))
    .values(visitor_key=bindparam("next_key"))
    .execution_options(**UNSYNCHRONISED)
)
_SET_SINCE = (
    select(PasswordRecovery.id)
    .where(
        _OF_VISITOR,
        col(PasswordRecovery.patient_id) == bindparam("of_patient"),
        col(PasswordRecovery.finished_at) >= bindparam("since", type_=UtcDateTime()),
    )
    .limit(1)
)
_HAS_OPEN = select(PasswordRecovery.id).where(*_OPEN).limit(1)
_LEAVE_ALL = (
    update(PasswordRecovery)
    .where(*_OPEN)
    .values(
        step=case((_ON_SOURCES, bindparam("target", type_=String())), else_=col(PasswordRecovery.step)),
        left_at=func.coalesce(col(PasswordRecovery.left_at), bindparam("now", type_=UtcDateTime())),
    )
    .execution_options(**UNSYNCHRONISED)
)
_ADD_MISS = (
    update(PasswordRecovery)
    .where(
        _THIS,
        col(PasswordRecovery.step) == bindparam("at_step"),
        col(PasswordRecovery.birth_date_misses) < bindparam("tries"),
    )
    .values(birth_date_misses=col(PasswordRecovery.birth_date_misses) + 1)
    .returning(PasswordRecovery)
    .execution_options(**UNSYNCHRONISED, populate_existing=True)
)
_WITH_WRONG_DATES = select(func.count()).where(
    # Found through the codes to the phone, which have an index: each recovery is the flow of its codes.
    col(PasswordRecovery.id).in_(
        select(OneTimeCodeRow.flow_id).where(
            col(OneTimeCodeRow.phone) == bindparam("phone"),
            col(OneTimeCodeRow.issued_at) > bindparam("since"),
            col(OneTimeCodeRow.confirmed_at).is_not(None),
            col(OneTimeCodeRow.channel).not_in(bindparam("but_ways", expanding=True)),
        )
    ),
    col(PasswordRecovery.id) != bindparam("but"),
    col(PasswordRecovery.birth_date_misses) > 0,
)


def newest_of(session: Session, visitor_key: str) -> PasswordRecovery | None:
    """The last recovery that this browser began and has not left."""
    return session.exec(_NEWEST_OF, params={"visitor": visitor_key}).first()


def newest_with_code(session: Session, visitor_key: str) -> tuple[PasswordRecovery, OneTimeCodeRow | None] | None:
    """Like `newest_of`, with the last code of the recovery."""
    return session.exec(_NEWEST_WITH_CODE, params={"visitor": visitor_key}).first()


def newest_or_left(session: Session, visitor_key: str, phone: str, step: str) -> PasswordRecovery | None:
    """Like `newest_of`. If there is none: the last recovery for this phone (E.164) that this browser left at this step."""
    return session.exec(_NEWEST_OR_LEFT, params={"visitor": visitor_key, "phone": phone, "step": step}).first()


def as_it_is_now(session: Session, recovery: PasswordRecovery) -> PasswordRecovery | None:
    """Read the row again after waiting for a lock, because it may have moved meanwhile. None when its account was erased."""
    return session.get(PasswordRecovery, recovery.id, populate_existing=True)


def move(session: Session, recovery_id: str, sources: tuple[str, ...], target: str, **facts: Any) -> bool:
    """Put the recovery on `target` if it is on one of `sources`. Returns whether it was. Then the row in the session is up to date."""
    params = {"recovery_id": recovery_id, "sources": sources, "target": target, **new_values(facts)}
    return session.exec(_move_with(tuple(facts)), params=params).first() is not None


@cache  # callers use few different sets of facts
def _move_with(facts: tuple[str, ...]) -> ReturningUpdate[PasswordRecovery]:
    return (
        update(PasswordRecovery)
        .where(_THIS, _ON_SOURCES)
        .values(step=bindparam("target"), **new_facts(facts))
        .returning(PasswordRecovery)
        # Not computed from what the session read: another transaction may have moved the row meanwhile.
        .execution_options(**UNSYNCHRONISED, populate_existing=True)
    )


def move_all_of(session: Session, patient_id: str, sources: tuple[str, ...], target: str) -> None:
    """Put every recovery of a patient that is on one of `sources` on `target`. Rows that the session has read stay as they were."""
    session.exec(_MOVE_ALL_OF, params={"of_patient": patient_id, "sources": sources, "target": target})


def set_left(session: Session, recovery_id: str, now: datetime | None) -> None:
    """Record that the browser no longer wants to see this recovery. None: it does again."""
    session.exec(_SET_LEFT, params={"recovery_id": recovery_id, "now": now})


def record_taken_off(session: Session, recovery_id: str, *, identities: int, passkeys: int) -> None:
    """Record how many identities and passkeys the new password has removed, for the screen that says so."""
    params = {"recovery_id": recovery_id, "identities": identities, "passkeys": passkeys}
    session.exec(_RECORD_TAKEN_OFF, params=params).all()


def rename_visitor(session: Session, visitor_key: str, next_key: str, but: str) -> None:
    """Give the recoveries of this browser its new visitor key, except those on the step `but`."""
    session.exec(_RENAME_VISITOR, params={"visitor": visitor_key, "next_key": next_key, "but": but})


def has_open(session: Session, visitor_key: str, sources: tuple[str, ...]) -> bool:
    """Whether `leave_all_of_visitor` would leave any recovery."""
    return session.exec(_HAS_OPEN, params={"visitor": visitor_key, "sources": sources}).first() is not None


def set_password_since(session: Session, visitor_key: str, patient_id: str, since: datetime) -> bool:
    """Whether this browser has set a password of this patient by a recovery, at this moment (UTC) or later."""
    params = {"visitor": visitor_key, "of_patient": patient_id, "since": since}
    return session.exec(_SET_SINCE, params=params).first() is not None


def leave_all_of_visitor(
    session: Session, visitor_key: str, sources: tuple[str, ...], target: str, now: datetime
) -> None:
    """Leave all recoveries of this browser, and put those on one of `sources` on `target`."""
    session.exec(_LEAVE_ALL, params={"visitor": visitor_key, "sources": sources, "target": target, "now": now})


def add_birth_date_miss(session: Session, recovery_id: str, step: str, tries: int) -> int | None:
    """Count a wrong birth date in one atomic statement. Returns the new count, None when no more may be tried."""
    params = {"recovery_id": recovery_id, "at_step": step, "tries": tries}
    row = session.exec(_ADD_MISS, params=params).first()
    return None if row is None else int(row[0].birth_date_misses)


def with_wrong_dates(session: Session, phone: str, since: datetime, but: str, but_ways: tuple[str, ...]) -> int:
    """In how many recoveries of this number (E.164) a wrong birth date was typed. Only recoveries whose phone was proved by a code issued
    after `since` (UTC) count, without the recovery `but` and without proofs by a way in `but_ways`."""
    params = {"phone": phone, "since": since, "but": but, "but_ways": but_ways}
    return int(session.exec(_WITH_WRONG_DATES, params=params).one())
