"""Passkeys: keys in a patient's own device that it uses after a fingerprint, a face or its PIN (W3C Web Authentication, level 3)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from medonline.domain.folding import visible

MOST_NAME = 40  # characters
# More devices than a person has; each is one more way in.
MOST_PASSKEYS = 10


class PasskeyPurpose(StrEnum):
    """What a challenge was made for: an answer to one of them is no answer to another."""

    SIGN_IN = "sign_in"
    RECOVERY = "recovery"  # ends at the fields of the new password
    ADD = "add"


class PasskeyRemovedWhy(StrEnum):
    """Why a passkey opens its account no more."""

    SETTINGS = "settings"
    DESK = "desk"
    RECOVERY = "recovery"
    DISPUTE = "dispute"


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """What passkeys are made for. A key for one host never answers to another.

    host: the RP ID, a name and never an IP address.
    origin: scheme, host and port of the pages, to the letter.
    name: what the device calls the portal.
    account, device: what an account without a number, and a device that is not known, are called.
    """

    host: str
    origin: str
    name: str
    account: str
    device: str


def passkey_name(typed: str, otherwise: str) -> str:
    """A name of a passkey as it is kept: one line of at most 40 characters that a screen can show; `otherwise`, cut alike, where
    none is typed."""
    line = " ".join(visible(typed).split())
    # Danger: it goes into the journal and onto an operator's terminal. A half of a character is no text for a database at all.
    shown = "".join(char for char in line if char.isprintable())
    return shown[:MOST_NAME].strip() or otherwise[:MOST_NAME]
