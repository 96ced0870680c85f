"""Whether a sign-in comes from a browser that this account does not know, and how its owner is told.

It is decided after a sign-in is accepted, in the transaction that opens the session: a wrong password causes no notice. The package of
notices is above the sign-in in the layers, so the function that tells the owner is passed in.
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
    """Tells the owner of a sign-in. It never refuses the sign-in."""

    def __call__(self, session: Session, client: Client, sign_in: SignIn, now: datetime) -> None:
        """Add the notices to the caller's transaction, which holds the patient."""


@dataclass(frozen=True, slots=True)
class NewDevices:
    """Tells the owner of a sign-in from a new browser; `known` makes the marks by which browsers are known."""

    known: KnownBrowsers
    tell: TellsOfNewDevice

    def note(self, session: Session, client: Client, sign_in: SignIn, now: datetime) -> str:
        """Tell the owner if the account does not know the browser. Returns the marks by which the browser is known from now on.

        It must be the last call of a transaction that holds the patient: it may lock the day's money (lock order: `storage.engine`).
        """
        patient = sign_in.patient
        if not self._is_known(session, client, sign_in, now):
            self.tell(session, client, sign_in, now)
        return self.known.with_mark(client.marks, patient.id, patient.password_version, now)

    def _is_known(self, session: Session, client: Client, sign_in: SignIn, now: datetime) -> bool:
        """Whether the account knows the browser. A new password makes every mark worthless, so the owner hears again of a stranger's old
        browser.

        The owner's own browsers stay known: the session that changed the password goes on, and a recovery's browser set the password in
        force.
        """
        patient = sign_in.patient
        if self.known.name_in(client.marks, patient.id, patient.password_version, now):
            return True
        if client.session_key and login.is_open_of(session, client.session_key, patient.id):
            return True
        since = patient.password_changed_at
        if since is not None and password_recovery.set_password_since(session, client.visitor_key, patient.id, since):
            return True
        # This very sign-in has made the account, so there is nobody else to tell.
        return sign_in.method is LoginMethod.GOSUSLUGI and now - patient.created_at <= TICKET_LIFE
