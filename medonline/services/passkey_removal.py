"""Removes passkeys from an account, in a transaction of the caller, which holds the patient's row.

A person who signs in with one of them at the same moment waits, and then finds it gone.
"""

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
    """Remove the passkey with this id. Returns how many sessions ended.

    Every session that a passkey opened ends except the client's own, because the record does not say which passkey opened it.

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
    """Remove every passkey, because a stranger inside the account could have added it. Returns how many there were."""
    rows = passkeys.of_patient(session, patient_id)
    if rows:
        _remove(session, journal, rows, why, device)
    return len(rows)


def _remove(
    session: Session, journal: SecurityJournal, rows: Sequence[Passkey], why: PasskeyRemovedWhy, device: Device
) -> None:
    passkeys.forget(session, rows)
    # A sign-in that has just begun with one of them fails, too: the record does not say which passkey it used.
    login.forget_tickets(session, rows[0].patient_id, LoginMethod.PASSKEY)
    journal.note(session, *(entries.passkey_removed(row.patient_id, row.name, why, device) for row in rows))
