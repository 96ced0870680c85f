"""Passkeys: keys in a patient's own device that it uses after a fingerprint, a face or its PIN (W3C Web Authentication, level 3)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from medonline.domain.folding import visible

MOST_NAME = 40  # characters
# More devices than a person has. Each passkey is one more way into the account.
MOST_PASSKEYS = 10


class PasskeyPurpose(StrEnum):
    """The purpose of a challenge. An answer to one purpose is not valid for another."""

    SIGN_IN = "sign_in"
    RECOVERY = "recovery"  # ends at the fields of the new password
    ADD = "add"


class PasskeyRemovedWhy(StrEnum):
    """Why a passkey does not open its account any more."""

    SETTINGS = "settings"
    DESK = "desk"
    RECOVERY = "recovery"
    DISPUTE = "dispute"


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """What passkeys are made for. A key for one host never works for another.

    host: the RP ID, a name and never an IP address.
    origin: scheme, host and port of the pages, compared character by character.
    name: what the device calls the portal.
    account, device: the names for an account without a number and for an unknown device.
    """

    host: str
    origin: str
    name: str
    account: str
    device: str


def passkey_name(typed: str, otherwise: str) -> str:
    """The name under which a passkey is kept: one line of at most 40 characters that a screen can show.

    otherwise: the name where nothing was typed. It is cut in the same way.
    """
    line = " ".join(visible(typed).split())
    # Danger: the name goes into the journal and onto an operator's terminal. No database accepts half of a surrogate pair as text.
    shown = "".join(char for char in line if char.isprintable())
    return shown[:MOST_NAME].strip() or otherwise[:MOST_NAME]
