"""The events of the security journal, and the text that chains each row to the one before."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

GENESIS = "0" * 64  # the first row is chained to this


class JournalEvent(StrEnum):
    """What happened. The events up to `DISPUTED` are acts in an account or on it. Later ones happen before an act: something was asked
    for, was proved by a code, or was refused."""

    REGISTERED = "registered"
    ACCOUNT_MADE = "account_made"
    CONSENT_GIVEN = "consent_given"
    SIGNED_IN = "signed_in"
    REAUTHENTICATED = "reauthenticated"
    SIGNED_OUT = "signed_out"
    SESSION_REPLACED = "session_replaced"
    SESSION_ENDED = "session_ended"
    OTHER_SESSIONS_ENDED = "other_sessions_ended"
    SESSIONS_ENDED_AT_DESK = "sessions_ended_at_desk"
    PASSWORD_RECOVERED = "password_recovered"  # noqa: S105 (an event's name)
    PASSWORD_CHANGED = "password_changed"  # noqa: S105
    PHONE_CHANGED = "phone_changed"
    EMAIL_CHANGED = "email_changed"
    EMAIL_PROVED = "email_proved"
    NAME_CHANGED = "name_changed"
    IDENTITY_LINKED = "identity_linked"
    IDENTITY_UNLINKED = "identity_unlinked"
    PASSKEY_ADDED = "passkey_added"
    PASSKEY_REMOVED = "passkey_removed"
    CARD_ADDED = "card_added"
    CARD_REMOVED = "card_removed"
    CARD_ACCESS_GRANTED = "card_access_granted"
    CARD_ACCESS_WITHDRAWN = "card_access_withdrawn"
    CARD_ACCESS_REMOVED = "card_access_removed"
    PHONE_SET_AT_DESK = "phone_set_at_desk"
    DATA_EXPORTED = "data_exported"
    DATA_ERASED = "data_erased"
    DATA_SHOWN = "data_shown"
    NOTICE_RESENT = "notice_resent"
    LIMITS_RESET = "limits_reset"
    PACE_RESET = "pace_reset"
    BREAKER_CLOSED = "breaker_closed"  # belongs to no patient
    DISPUTED = "disputed"
    CODE_ASKED = "code_asked"
    CODE_ACCEPTED = "code_accepted"
    CODE_REFUSED = "code_refused"
    BIRTH_DATE_REFUSED = "birth_date_refused"
    SIGN_IN_REFUSED = "sign_in_refused"
    # The signature counter of its device went back: the passkey may have been copied.
    PASSKEY_COUNTED_BACK = "passkey_counted_back"
    CARD_REFUSED = "card_refused"
    CARD_ACCESS_ASKED = "card_access_asked"
    CARD_ACCESS_REFUSED = "card_access_refused"
    # An operator or the rule switched a way of getting a code; belongs to no patient.
    CHANNEL_SWITCHED = "channel_switched"
    OTHER = "other"  # never written: stands for an event that only a newer version knows


@dataclass(frozen=True, slots=True)
class Operator:
    """Who acts by a command, and why. Every row that the command writes keeps both. They are for operators: no screen shows them."""

    name: str
    reason: str

    @property
    def details(self) -> dict[str, str | int]:
        """The values as a row keeps them."""
        return {"operator": self.name, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class JournalLine:
    """One row, without its own hash.

    Attributes:
        seq: 1, 2, 3, … without a gap.
        at: UTC.
        patient_id: empty until somebody has proved to be the patient.
        phone_index: HMAC of the phone in question (services.crypto.field_encryption), empty without one; `phone_tail`: its last two digits.
        network: the client's address, cut to /24 or /48.
        details: JSON of short texts and numbers, keys sorted; never a code, a password, a token or a whole phone.
        previous: the hash of the row before.
        key_id: the id of the key that makes the hash.

    The order of the fields is part of every stored hash. Danger: a new order or a new field makes another format of the row.
    """

    seq: int
    at: datetime
    event: str
    patient_id: str
    phone_index: str
    phone_tail: str
    network: str
    details: str
    previous: str
    key_id: str

    def values(self) -> dict[str, Any]:
        """Every field by its name, in order."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def text(self) -> str:
        """The text to hash: every field, in an order and a form that no two different rows share."""
        at = self.at.astimezone(UTC).isoformat(timespec="microseconds")
        return json.dumps(list((self.values() | {"at": at}).values()), ensure_ascii=False)


def details_text(details: Mapping[str, str | int]) -> str:
    """The details as a row keeps them. Empty values are left out."""
    kept = {name: value for name, value in details.items() if value not in ("", 0)}
    return json.dumps(kept, ensure_ascii=False, sort_keys=True)


def details_of(text: str) -> dict[str, str | int]:
    """The details, read back from a row."""
    kept: dict[str, str | int] = json.loads(text)
    return kept
