"""Questions about journeys to the identity provider, linked identities and those who wait for an answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import bindparam, or_
from sqlalchemy import select as sa_select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, delete, select, update

from medonline.storage.queries import patients
from medonline.storage.tables.gosuslugi import IdentityJourney, LinkedIdentity, PendingIdentity
from medonline.storage.tables.patients import Patient

_INSERT: dict[str, Callable[[type[IdentityJourney]], sqlite.Insert | postgresql.Insert]] = {
    "sqlite": sqlite.insert,
    "postgresql": postgresql.insert,
}
# Two clicks may be handled in either order. The browser follows the answer to the later one.
SAME_CLICK = timedelta(seconds=10)

# Built once: building a statement and its cache key costs as much as running it.
_JOURNEY = select(IdentityJourney.state_hash).where(
    col(IdentityJourney.state_hash) == bindparam("state_hash"),
    col(IdentityJourney.visitor_key) == bindparam("visitor_key"),
)
_JOURNEY_HELD = _JOURNEY.with_for_update()
_SIGNING_OUT = select(IdentityJourney).where(
    col(IdentityJourney.visitor_key) == bindparam("visitor_key"),
    col(IdentityJourney.signing_out),
    col(IdentityJourney.used_at).is_(None),
    col(IdentityJourney.created_at) > bindparam("begun_after"),
)
_OWNER_OF = select(LinkedIdentity.patient_id).where(
    col(LinkedIdentity.issuer) == bindparam("issuer"), col(LinkedIdentity.subject) == bindparam("subject")
)
_LINKED_HELD = (
    select(LinkedIdentity)
    .where(
        col(LinkedIdentity.issuer) == bindparam("issuer"),
        col(LinkedIdentity.subject) == bindparam("subject"),
        col(LinkedIdentity.patient_id) == bindparam("patient_id"),
    )
    .with_for_update()
    .execution_options(populate_existing=True)
)
_OF_PATIENT = (
    select(LinkedIdentity)
    .where(col(LinkedIdentity.patient_id) == bindparam("patient_id"))
    .order_by(col(LinkedIdentity.linked_at), col(LinkedIdentity.issuer), col(LinkedIdentity.subject))
)
_SUBJECTS_OF = select(LinkedIdentity.subject).where(
    col(LinkedIdentity.patient_id) == bindparam("patient_id"), col(LinkedIdentity.issuer) == bindparam("issuer")
)
_PENDING_OF = (
    select(PendingIdentity)
    .where(
        col(PendingIdentity.visitor_key) == bindparam("visitor_key"),
        col(PendingIdentity.created_at) > bindparam("since"),
    )
    .with_for_update()
)
_HAS_ANYTHING = sa_select(
    or_(
        *(
            sa_select(table).where(col(table.visitor_key) == bindparam("visitor_key")).exists()
            for table in (PendingIdentity, IdentityJourney)
        )
    )
)
# No session has loaded a journey when this runs, so no object needs to be synchronised.
_FORGET_JOURNEYS_OF = (
    delete(IdentityJourney)
    .where(col(IdentityJourney.visitor_key) == bindparam("visitor_key"))
    .execution_options(synchronize_session=False)
)


def replace_journey(session: Session, journey: IdentityJourney) -> None:
    """Put the browser on this journey. The state of its earlier journey becomes useless. A journey that began a moment later but was
    written first stays."""
    values = journey.model_dump()
    began = col(IdentityJourney.created_at)
    statement = (
        _INSERT[session.get_bind().dialect.name](IdentityJourney)
        .values(values)
        .on_conflict_do_update(
            index_elements=[col(IdentityJourney.visitor_key)],
            set_=values,
            where=or_(began <= journey.created_at, began > journey.created_at + SAME_CLICK),
        )
    )
    session.connection().execute(statement)


def has_journey(session: Session, state_hash: str, visitor_key: str) -> bool:
    """Whether this browser ever left with this state. Only `take_journey` decides whether the state is still valid."""
    facts = {"state_hash": state_hash, "visitor_key": visitor_key}
    return session.exec(_JOURNEY, params=facts).first() is not None


def hold_journey(session: Session, state_hash: str, visitor_key: str) -> bool:
    """Whether this browser is still the one that left with this state. The row stays locked until the session commits."""
    facts = {"state_hash": state_hash, "visitor_key": visitor_key}
    return session.exec(_JOURNEY_HELD, params=facts).first() is not None


def take_journey(
    session: Session, state_hash: str, visitor_key: str, begun_after: datetime, now: datetime
) -> IdentityJourney | None:
    """Use up a journey of this browser; None when it is unknown, used, late or another browser's."""
    statement = (
        update(IdentityJourney)
        .where(
            col(IdentityJourney.state_hash) == state_hash,
            col(IdentityJourney.visitor_key) == visitor_key,
            col(IdentityJourney.used_at).is_(None),
            col(IdentityJourney.created_at) > begun_after,
        )
        .values(used_at=now)
        .returning(IdentityJourney)
    )
    row = session.exec(statement).first()
    return None if row is None else row[0]


def signing_out(session: Session, visitor_key: str, begun_after: datetime) -> IdentityJourney | None:
    """The journey of this browser that continues once it has signed out at the provider."""
    return session.exec(_SIGNING_OUT, params={"visitor_key": visitor_key, "begun_after": begun_after}).first()


def forget_before(session: Session, moment: datetime) -> None:
    """Delete journeys and waiting persons that are too old to go on."""
    session.exec(delete(IdentityJourney).where(col(IdentityJourney.created_at) < moment))
    session.exec(delete(PendingIdentity).where(col(PendingIdentity.created_at) < moment))


def owner_of(session: Session, issuer: str, subject: str) -> str | None:
    """The id of the patient whose account the identity with this key opens."""
    return session.exec(_OWNER_OF, params={"issuer": issuer, "subject": subject}).first()


def linked(session: Session, issuer: str, subject: str) -> tuple[LinkedIdentity, Patient] | None:
    """The identity with this key and its patient, both locked until the session commits.

    The patient is locked first (`storage.engine`), as in the transactions that remove an identity.
    """
    owner = owner_of(session, issuer, subject)
    patient = patients.by_id_held(session, owner) if owner is not None else None
    if patient is None:
        return None
    # Read again: somebody may have removed it while this transaction waited for the patient.
    facts = {"issuer": issuer, "subject": subject, "patient_id": patient.id}
    identity = session.exec(_LINKED_HELD, params=facts).first()
    return None if identity is None else (identity, patient)


def of_patient(session: Session, patient_id: str) -> list[LinkedIdentity]:
    """The identities that open this patient's account, the first one linked first."""
    return list(session.exec(_OF_PATIENT, params={"patient_id": patient_id}).all())


def subjects_of(session: Session, patient_id: str, issuer: str) -> list[str]:
    """The subjects of one issuer that open this patient's account."""
    return list(session.exec(_SUBJECTS_OF, params={"patient_id": patient_id, "issuer": issuer}).all())


def pending_of(session: Session, visitor_key: str, since: datetime) -> PendingIdentity | None:
    """The person who waits for an answer in this browser. The row stays locked until the session commits."""
    return session.exec(_PENDING_OF, params={"visitor_key": visitor_key, "since": since}).first()


def has_anything(session: Session, visitor_key: str) -> bool:
    """Whether somebody waits in this browser or is on a journey from it."""
    return bool(session.connection().execute(_HAS_ANYTHING, {"visitor_key": visitor_key}).scalar_one())


def forget_pending(session: Session, visitor_key: str) -> bool:
    """Delete the person who waits in this browser. Returns whether there was one."""
    statement = delete(PendingIdentity).where(col(PendingIdentity.visitor_key) == visitor_key)
    return bool(session.exec(statement).rowcount)


def rename_visitor(session: Session, visitor_key: str, next_key: str) -> None:
    """Give the waiting person of this browser its new visitor key."""
    session.exec(
        update(PendingIdentity).where(col(PendingIdentity.visitor_key) == visitor_key).values(visitor_key=next_key)
    )


def forget_journeys_of(session: Session, visitor_key: str) -> None:
    """Delete the journeys of this browser."""
    session.exec(_FORGET_JOURNEYS_OF, params={"visitor_key": visitor_key})
