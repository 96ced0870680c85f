"""Questions about proofs of an e-mail address."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Integer, bindparam
from sqlmodel import Session, col, select, update

from medonline.storage.statements import UNSYNCHRONISED
from medonline.storage.tables.columns import UtcDateTime
from medonline.storage.tables.email_proofs import EmailProof

_OPEN_OF = (
    select(EmailProof)
    .where(
        col(EmailProof.patient_id) == bindparam("whose"),
        col(EmailProof.ended_at).is_(None),
        col(EmailProof.created_at) > bindparam("since", type_=UtcDateTime()),
    )
    .order_by(col(EmailProof.created_at).desc())
    .limit(1)
)
_IS_OPEN = select(EmailProof.id).where(
    col(EmailProof.id) == bindparam("proof_id"),
    col(EmailProof.ended_at).is_(None),
    col(EmailProof.created_at) > bindparam("since", type_=UtcDateTime()),
)
_TIMES_TO = (
    select(EmailProof.created_at)
    .where(col(EmailProof.email) == bindparam("address"), col(EmailProof.created_at) > bindparam("since"))
    .order_by(col(EmailProof.created_at).desc())
    .limit(bindparam("limit", type_=Integer()))
)
_END = (
    update(EmailProof)
    .where(col(EmailProof.patient_id) == bindparam("whose"), col(EmailProof.ended_at).is_(None))
    .values(ended_at=bindparam("now", type_=UtcDateTime()))
    .execution_options(**UNSYNCHRONISED)
)


def open_of(session: Session, patient_id: str, since: datetime) -> EmailProof | None:
    """The proof of this patient, made after `since` (UTC), that waits for its code."""
    return session.exec(_OPEN_OF, params={"whose": patient_id, "since": since}).first()


def is_open(session: Session, proof_id: str, since: datetime) -> bool:
    """Whether this proof, made after `since` (UTC), waits for its code."""
    return session.exec(_IS_OPEN, params={"proof_id": proof_id, "since": since}).first() is not None


def times_to(session: Session, email: str, since: datetime, most: int) -> list[datetime]:
    """When (UTC) the newest codes after `since` went to this address, no matter who asked. At most `most` of them."""
    params = {"address": email, "since": since, "limit": most}
    return list(session.exec(_TIMES_TO, params=params).all())


def end(session: Session, patient_id: str, now: datetime) -> None:
    """End all open proofs of this patient. The caller holds the patient's row."""
    session.exec(_END, params={"whose": patient_id, "now": now})
