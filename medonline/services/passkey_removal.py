"""Taking passkeys off an account, in a transaction of the caller, which holds the patient's row: who signs in by one of them at the
same moment waits, and finds it gone."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import Session

from medonline.domain.client import Client
from medonline.domain.device import UNKNOWN_DEVICE, Device
from medonline.domain.errors import NoSuchPasskey
from medonline.domain.login import LoginMethod
from medonline.domain.passkeys import PasskeyRemovedWhy
from medonline.services.security_journal import entries
from medonline.services.security_journal.writer import SecurityJournal
from medonline.storage.queries import login, passkeys
from medonline.storage.tables.passkeys import Passkey


def remove_one(
    session: Session,
    journal: SecurityJournal,
    patient_id: str,
    number: str,
    why: PasskeyRemovedWhy,
    by: Client,
) -> int:
    """Take off the one with this id. Every session that a passkey opened ends, except that of the client who asked, for which one
    opened it is not kept; how many ended.

    Raises:
        NoSuchPasskey: the patient has none with this id.
    """
    chosen = [row for row in passkeys.of_patient(session, patient_id) if row.id == number]
    if not chosen:
        raise NoSuchPasskey
    _remove(session, journal, chosen, why, by.device)
    return len(login.end_all_of(session, patient_id, journal.clock(), but=by.session_key, method=LoginMethod.PASSKEY))


def remove_all(
    session: Session,
    journal: SecurityJournal,
    patient_id: str,
    why: PasskeyRemovedWhy,
    device: Device = UNKNOWN_DEVICE,
) -> int:
    """Take off every one, for a stranger inside the account could have added it; how many there were."""
    rows = passkeys.of_patient(session, patient_id)
    if rows:
        _remove(session, journal, rows, why, device)
    return len(rows)


def _remove(
    session: Session, journal: SecurityJournal, rows: Sequence[Passkey], why: PasskeyRemovedWhy, device: Device
) -> None:
    passkeys.forget(session, rows)
    # Who is on the way in by one of them is not let in: which one it was is not kept.
    login.forget_tickets(session, rows[0].patient_id, LoginMethod.PASSKEY)
    journal.note(session, *(entries.passkey_removed(row.patient_id, row.name, why, device) for row in rows))
