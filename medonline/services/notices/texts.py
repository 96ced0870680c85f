"""What a patient is told after a change of the account, and on which phone. The sentences are in `wording/notices.py`.

A notice about a way into the account ends with the link «это не я» (`sender`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum, auto
from typing import Protocol

from medonline.domain.account_settings import SettingsChange
from medonline.domain.email_address import EmailAddress


class About(StrEnum):
    """What a notice tells of: «это не я» undoes different things."""

    PASSWORD = "password"  # noqa: S105 (a notice's subject)
    RECOVERED = "recovered"  # a new password by a code to the phone that is told
    PHONE = "phone"
    IDENTITY = "identity"
    PASSKEY = "passkey"
    CARD_ASKED = "card_asked"
    CARD_GRANTED = "card_granted"
    NEW_DEVICE = "new_device"  # a sign-in from a browser that the account did not know
    EMAIL = "email"  # another address than the proved one is wanted, or one is proved
    DISPUTED = "disputed"  # the account was closed by the link of a notice
    EMAIL_PROOF = "email_proof"  # carries the code that proves an address
    DESK_PHONE = "desk_phone"  # an operator put a number on record; to those who were told before
    DESK_NUMBER = "desk_number"  # the same, to that number
    DESK_IDENTITY = "desk_identity"
    DESK_PASSKEY = "desk_passkey"
    DESK_SESSIONS = "desk_sessions"


# What gives no one new a way into the account: the owner answers inside it, and closing it would answer nothing.
WITHOUT_LINK = frozenset({About.CARD_ASKED, About.CARD_GRANTED, About.EMAIL_PROOF, About.DISPUTED, About.DESK_SESSIONS})
AT_DESK = frozenset({About.DESK_PHONE, About.DESK_NUMBER, About.DESK_IDENTITY, About.DESK_PASSKEY, About.DESK_SESSIONS})


@dataclass(frozen=True, slots=True)
class Room:
    """How a kind of notice is limited.

    Attributes:
        percent: of the day's money that it may use: the more it matters, the more.
        counted_with: kinds that share the limit of an account; empty: something else limits it.
        otherwise: what is done where there is no money, for the alarm.
        waits: it is told when there is money again.
    """

    percent: int
    counted_with: frozenset[About]
    otherwise: str
    waits: bool = False


_CHANGES = frozenset({About.PASSWORD, About.PHONE, About.IDENTITY, About.PASSKEY})


def _or_refused(together: frozenset[About]) -> Room:
    """A change inside the account is refused where it cannot be told: notices may not be used up first so that it is not seen."""
    return Room(80, together, "changes of accounts are refused")


ROOM: Mapping[About, Room] = {
    **{about: _or_refused(_CHANGES) for about in _CHANGES},
    About.CARD_GRANTED: _or_refused(frozenset({About.CARD_GRANTED})),
    About.EMAIL: _or_refused(frozenset({About.EMAIL})),
    About.EMAIL_PROOF: Room(0, frozenset({About.EMAIL_PROOF}), "no code is sent"),
    # Once for each link, and it closes the account: it is not refused for want of money.
    About.DISPUTED: Room(100, frozenset(), "closed accounts are told by mail alone"),
    # Limited by the codes that come before it. Refused, it would lock out the owner whose account somebody else uses up.
    About.RECOVERED: Room(100, frozenset(), "recoveries are told later", waits=True),
    # A stranger who used the account's notices up must not keep the desk from helping, nor hide what the desk was talked into.
    **{about: Room(100, frozenset(), "acts of the desk are told later", waits=True) for about in AT_DESK},
    # Limited by `new_devices`, and never a reason to refuse a sign-in: who uses the day's notices up would lock the owner out.
    About.NEW_DEVICE: Room(50, frozenset(), "sign-ins from new devices are told by mail alone"),
    # A stranger causes it, at most once a day (`patient_cards.consent`); a refusal would say that the policy has an owner here.
    About.CARD_ASKED: Room(50, frozenset(), "requests for cards are not told"),
}


class Text(StrEnum):
    """Which sentence says it."""

    PHONE_CHANGED = auto()
    PHONE_SET = auto()
    ACCESS_CHANGED = auto()
    ACCESS_RECOVERED = auto()
    ACCESS_RECOVERED_UNLINKED = auto()  # what linked Gosuslugi by a password or a code is off as well
    ACCESS_RECOVERED_NO_PASSKEYS = auto()  # what signed in by a fingerprint, a face or a PIN is off as well
    ACCESS_RECOVERED_ALL_OFF = auto()  # both
    IDENTITY_UNLINKED = auto()
    IDENTITY_LINKED = auto()
    PASSKEY_ADDED = auto()
    PASSKEY_REMOVED = auto()
    ACCESS_BY_PASSKEY = auto()  # a new password, in a session that a passkey opened
    CARD_ASKED = auto()
    CARD_GRANTED = auto()
    EMAIL_CHANGED = auto()
    EMAIL_REMOVED = auto()
    EMAIL_PROVED = auto()
    DISPUTED = auto()
    EMAIL_PROOF = auto()
    DESK_PHONE_CHANGED = auto()  # what an operator did
    DESK_PHONE_SET = auto()
    DESK_NUMBER = auto()  # to the number that was put on record
    DESK_IDENTITY_UNLINKED = auto()
    DESK_PASSKEY_REMOVED = auto()
    DESK_SESSIONS_ENDED = auto()


class Words(Protocol):
    """What the patient reads."""

    def text(self, of: Text) -> str:
        """The sentence."""

    def with_link(self, text: str, link: str) -> str:
        """The sentence and the address for «это не я»."""


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence with facts of its own in it, in the patient's words."""

    text: str


@dataclass(frozen=True, slots=True)
class Told:
    """A notice: about what, in which sentence. It goes to the phone (E.164; empty: there is none) and to the proved address.

    only_to: an address that is told instead of both.
    by_mail_alone: the phone is on record, but not told.
    by_text_alone: another notice tells the mailbox.
    without_link: «это не я» would do harm here, whatever it is about.
    """

    phone: str
    about: About
    text: Text | Said
    only_to: str = ""
    by_mail_alone: bool = False
    by_text_alone: bool = False
    without_link: bool = False


def of_change(old_phone: str | None, change: SettingsChange, *, by_passkey: bool = False) -> Iterator[Told]:
    """Always to the phone on record before the change. `by_passkey`: how the session began that makes it."""
    if change.phone is not None:
        yield Told(old_phone or "", About.PHONE, Text.PHONE_CHANGED if old_phone else Text.PHONE_SET)
    if change.password_hash is not None:
        yield Told(old_phone or "", About.PASSWORD, Text.ACCESS_BY_PASSKEY if by_passkey else Text.ACCESS_CHANGED)


def of_new_address(phone: str | None, proved: str, wanted: str) -> Iterator[Told]:
    """Another address is wanted than the proved one, or none; the proved one is told."""
    if proved and EmailAddress(wanted).key != EmailAddress(proved).key:
        yield Told(phone or "", About.EMAIL, Text.EMAIL_CHANGED if wanted else Text.EMAIL_REMOVED, only_to=proved)


def of_dispute(phone: str, *, by_mail: bool) -> Iterator[Told]:
    """The account was closed by a link: the mailbox is told, and the phone where the link was in a mail (`by_mail`)."""
    yield Told(phone, About.DISPUTED, Text.DISPUTED, by_mail_alone=not by_mail)


def of_proved_address(phone: str | None) -> Told:
    """Notices go to another address from now on: told to the phone, and to the address before."""
    return Told(phone or "", About.EMAIL, Text.EMAIL_PROVED)


def of_unlink(phone: str | None) -> Iterator[Told]:
    """Somebody signed in has taken an identity off."""
    yield Told(phone or "", About.IDENTITY, Text.IDENTITY_UNLINKED)


def of_link(phone: str | None) -> Iterator[Told]:
    """An identity opens the account from now on, because somebody proved to be its owner."""
    yield Told(phone or "", About.IDENTITY, Text.IDENTITY_LINKED)


def of_passkey(phone: str | None, text: Text) -> Iterator[Told]:
    """A passkey was added or removed by somebody who is signed in."""
    yield Told(phone or "", About.PASSKEY, text)
