"""Accounts at Gosuslugi that open a patient's account: taking them off, with what came from them.

Everything happens in a transaction of the caller, which holds the patient's row: who signs in with the identity at the same
moment waits, and finds it gone.
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
# What a later link by СНИЛС or number rests on.
_RECOGNISES = frozenset({"birth_date", "snils"})
_UNDONE: dict[str, dict[str, object]] = {
    "birth_date": {"birth_date": None},
    "patronymic": {"patronymic": ""},
    "snils": {"snils_index": None, "snils_sealed": ""},
    "oms_policy": {"oms_policy_sealed": ""},
}


def number_of(row: LinkedIdentity) -> str:
    """What an identity is called on a screen and in a command: it does not tell the number of the account at Gosuslugi."""
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
    """Take off the one of a patient's `rows` that is called `number`. Every session through Gosuslugi ends, except that of the
    client who asked, for which identity opened it is not kept; the token hashes of those that ended.

    Raises:
        NoSuchIdentity: none of them is called so.
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
    """Take off every identity that a stranger inside the account could have linked; how many there were.

    That is each one linked by a password or a code, whenever it was, and each one linked later by a birth date or СНИЛС that
    one of them had brought: a second account of the same stranger at Gosuslugi is recognised by them.
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
    """These identities open their account no more, and what only a proof vouched for goes with them."""
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
