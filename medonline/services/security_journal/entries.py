"""What the journal says of each event. Only this module gives rows their form."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator

from medonline.domain.account_settings import SettingsChange
from medonline.domain.device import Device
from medonline.domain.login import LoginMethod
from medonline.domain.passkeys import PasskeyRemovedWhy
from medonline.domain.personal_data_consent import VERSION
from medonline.domain.security_journal import JournalEvent
from medonline.services.limits.networks import cut
from medonline.services.security_journal.writer import JournalNote
from medonline.storage.tables.codes import OneTimeCodeRow
from medonline.storage.tables.login import AccountSession
from medonline.storage.tables.security_journal import JournalEntry

_SETTINGS = {
    "password_hash": JournalEvent.PASSWORD_CHANGED,
    "phone": JournalEvent.PHONE_CHANGED,
    "email": JournalEvent.EMAIL_CHANGED,
    "last_name": JournalEvent.NAME_CHANGED,
    "first_name": JournalEvent.NAME_CHANGED,
}


def signed_in(patient_id: str, method: LoginMethod, device: Device) -> JournalNote:
    """A session begins."""
    return JournalNote(JournalEvent.SIGNED_IN, patient_id, device=device, details={"method": method})


def left(ended: AccountSession, why: JournalEvent) -> JournalNote:
    """A session ends in its own browser."""
    return JournalNote(why, ended.patient_id, device=Device(ended.device, ended.network))


def session_ended(ended: AccountSession, device: Device) -> JournalNote:
    """A session is ended from another browser."""
    what = {"ended": ended.device}
    return JournalNote(JournalEvent.SESSION_ENDED, ended.patient_id, device=device, details=what)


def registered(patient_id: str, device: Device) -> tuple[JournalNote, ...]:
    """Consent was given, and then the account was made."""
    consent = JournalNote(JournalEvent.CONSENT_GIVEN, patient_id, device=device, details={"version": VERSION})
    return consent, JournalNote(JournalEvent.REGISTERED, patient_id, device=device)


def linked(patient_id: str, how: str, device: Device) -> JournalNote:
    """An identity opens the account from now on."""
    return JournalNote(JournalEvent.IDENTITY_LINKED, patient_id, device=device, details={"how": how})


def unlinked(patient_id: str, how: str, why: str, device: Device) -> JournalNote:
    """An identity does not open the account any more. `how`: why it was linked."""
    return JournalNote(JournalEvent.IDENTITY_UNLINKED, patient_id, device=device, details={"how": how, "why": why})


def passkey_added(patient_id: str, name: str, device: Device) -> JournalNote:
    """A passkey opens the account from now on."""
    return JournalNote(JournalEvent.PASSKEY_ADDED, patient_id, device=device, details={"name": name})


def passkey_removed(patient_id: str, name: str, why: PasskeyRemovedWhy, device: Device) -> JournalNote:
    """A passkey does not open the account any more."""
    return JournalNote(JournalEvent.PASSKEY_REMOVED, patient_id, device=device, details={"name": name, "why": why})


def passkey_counted_back(patient_id: str, name: str, device: Device) -> JournalNote:
    """A passkey opened the account, although its device's counter went back."""
    return JournalNote(JournalEvent.PASSKEY_COUNTED_BACK, patient_id, device=device, details={"name": name})


def of_code(event: JournalEvent, row: OneTimeCodeRow) -> JournalNote:
    """A code was asked for, or a wrong one typed. The row names no patient, because nobody has proved to be one.

    It names the vendor after a vendor was asked to send the code.
    """
    what = {"channel": row.channel, "purpose": row.purpose, "provider": row.provider}
    return JournalNote(event, phone=row.phone, device=Device(network=cut(row.client_ip)), details=what)


def settings_saved(
    patient_id: str, change: SettingsChange, old_phone: str | None, ended: Collection[str], device: Device
) -> Iterator[JournalNote]:
    """One row for each kind of changed field. The row does not contain the values."""
    for event in dict.fromkeys(_SETTINGS[name] for name in change.changed):
        phone, details = "", dict[str, str | int]()
        if event is JournalEvent.PHONE_CHANGED:
            phone, details = change.phone or "", {"old_tail": (old_phone or "")[-2:]}
        elif event is JournalEvent.PASSWORD_CHANGED:
            details = {"sessions": len(ended)}
        yield JournalNote(event, patient_id, phone, device, details=details)


def had_number_before(changed: JournalEntry) -> bool:
    """Whether the account had a number before this change of it in the settings."""
    return bool(json.loads(changed.details).get("old_tail"))
