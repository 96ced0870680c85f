"""Whether a sign-in comes from a browser that this account does not know, and who is told of it.

Asked once a sign-in is accepted, in the transaction that opens the session: a wrong password tells nobody anything. The notices stand
above the sign-in, so what tells the owner is handed in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlmodel import Session

from medonline.domain.client import Client
from medonline.domain.login import LoginMethod
from medonline.services.login.known_browsers import KnownBrowsers
from medonline.services.login.tickets import TICKET_LIFE, SignIn
from medonline.storage.queries import login, password_recovery


class TellsOfNewDevice(Protocol):
    """Tells the owner of a sign-in; never refuses it."""

    def __call__(self, session: Session, client: Client, sign_in: SignIn, now: datetime) -> None:
        """Add the notices to the caller's transaction, which holds the patient."""


@dataclass(frozen=True, slots=True)
class NewDevices:
    """`known` makes the marks by which browsers are known."""

    known: KnownBrowsers
    tell: TellsOfNewDevice

    def note(self, session: Session, client: Client, sign_in: SignIn, now: datetime) -> str:
        """Tell the owner where the browser is none that the account knows; the marks that it is known by from now on.

        Called last by a transaction that holds the patient: it may lock the day's money (lock order: `storage.engine`).
        """
        patient = sign_in.patient
        if not self._is_known(session, client, sign_in, now):
            self.tell(session, client, sign_in, now)
        return self.known.with_mark(client.marks, patient.id, patient.password_version, now)

    def _is_known(self, session: Session, client: Client, sign_in: SignIn, now: datetime) -> bool:
        """A new password makes every mark worthless, so a stranger's browser of before is told of again. Not the owner's own: the
        session in which it was changed goes on, and a recovery's browser is the one that set the password in force."""
        patient = sign_in.patient
        if self.known.name_in(client.marks, patient.id, patient.password_version, now):
            return True
        if client.session_key and login.is_open_of(session, client.session_key, patient.id):
            return True
        since = patient.password_changed_at
        if since is not None and password_recovery.set_password_since(session, client.visitor_key, patient.id, since):
            return True
        # Made by this very sign-in: there is nobody else to tell.
        return sign_in.method is LoginMethod.GOSUSLUGI and now - patient.created_at <= TICKET_LIFE
