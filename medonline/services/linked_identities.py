"""Accounts at Gosuslugi that open a patient's account: removing them, together with the data that came from them.

Everything happens in a transaction of the caller, which holds the patient's row. A person who signs in with the identity at the same moment
waits, and then finds it gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlmodel import Session

from medonline.domain.client import Client
from medonline.domain.device import UNKNOWN_DEVICE, Device
from medonline.domain.errors import NoSuchIdentity
from medonline.domain.gosuslugi import LinkedHow, UnlinkedWhy
from medonline.domain.login import LoginMethod
from medonline.services.crypto.tokens import token_hash
from medonline.services.security_journal import entries
from medonline.services.security_journal.writer import SecurityJournal
from medonline.storage.queries import account_settings, gosuslugi, login
from medonline.storage.tables.gosuslugi import LinkedIdentity

NUMBER_LENGTH = 12
# A later link by СНИЛС or number depends on these fields.
_RECOGNISES = frozenset({"birth_date", "snils"})
_UNDONE: dict[str, dict[str, object]] = {
    "birth_date": {"birth_date": None},
    "patronymic": {"patronymic": ""},
    "snils": {"snils_index": None, "snils_sealed": ""},
    "oms_policy": {"oms_policy_sealed": ""},
}


def number_of(row: LinkedIdentity) -> str:
    """The name of an identity on a screen and in a command. It does not reveal the number of the account at Gosuslugi."""
    return token_hash(f"{row.patient_id} {row.issuer} {row.subject}")[:NUMBER_LENGTH]


def unlink(
    session: Session,
    journal: SecurityJournal,
    rows: Sequence[LinkedIdentity],
    number: str,
    why: UnlinkedWhy,
    now: datetime,
    by: Client,
) -> list[str]:
    """Remove the one of a patient's `rows` with this `number`. Returns the token hashes of the sessions that ended.

    Every session through Gosuslugi ends except the client's own, because the record does not say which identity opened it.

    Raises:
        NoSuchIdentity: none of them has this number.
    """
    chosen = [row for row in rows if number_of(row) == number]
    if not chosen:
        raise NoSuchIdentity
    patient_id = chosen[0].patient_id
    _take_off(session, journal, chosen, why, by.device)
    login.forget_tickets(session, patient_id, LoginMethod.GOSUSLUGI)
    return login.end_all_of(session, patient_id, now, but=by.session_key, method=LoginMethod.GOSUSLUGI)


def take_off_proved(
    session: Session,
    journal: SecurityJournal,
    patient_id: str,
    why: UnlinkedWhy,
    device: Device = UNKNOWN_DEVICE,
) -> int:
    """Remove every identity that a stranger inside the account could have linked. Returns how many there were.

    These are all that were linked by a password or a code, whenever that was. They are also those that were linked later by a birth date or
    СНИЛС which one of the first kind had brought: by these the portal recognises a second account of the same stranger at Gosuslugi.
    """
    rows = gosuslugi.of_patient(session, patient_id)
    proved = [row for row in rows if LinkedHow(row.how).by_proof]
    brought = min((row.linked_at for row in proved if _RECOGNISES & set(_filled(row))), default=None)
    rest_on_it = [
        row for row in rows if brought is not None and LinkedHow(row.how).by_record and row.linked_at >= brought
    ]
    gone = [*proved, *rest_on_it]
    _take_off(session, journal, gone, why, device)
    return len(gone)


def _take_off(
    session: Session, journal: SecurityJournal, rows: Sequence[LinkedIdentity], why: UnlinkedWhy, device: Device
) -> None:
    """Remove these identities, together with the data that only a proof vouched for."""
    undone: dict[str, object] = {}
    for row in rows:
        if LinkedHow(row.how).by_proof or why in (UnlinkedWhy.DISPUTE, UnlinkedWhy.RECOVERY):
            for name in _filled(row):
                undone |= _UNDONE[name]
        session.delete(row)
        journal.note(session, entries.unlinked(row.patient_id, row.how, why, device))
    if undone:
        account_settings.set_columns(session, rows[0].patient_id, undone)


def _filled(row: LinkedIdentity) -> Iterable[str]:
    return [name for name in row.filled.split(",") if name]
