"""The end of every way of signing in: a ticket for the route that sets the cookie, or the session itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlmodel import Session

from medonline.domain.device import Device
from medonline.domain.login import Landing, LoginMethod
from medonline.services.crypto.tokens import new_token, token_hash
from medonline.storage.tables.login import AccountSession, LoginTicket
from medonline.storage.tables.patients import Patient

TICKET_LIFE = timedelta(seconds=30)
# Stands for an unknown time of the proof: the provider did not say when it had asked.
NEVER = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class SignIn:
    """An accepted proof: who signed in, how, when the proof was given (UTC, or `NEVER`), and where the sign-in ends.

    provider_token_sealed: ends the provider's session later.
    """

    patient: Patient
    method: LoginMethod
    proved_at: datetime
    landing: Landing = Landing.CARDS
    provider_token_sealed: str = ""


def add_ticket(session: Session, visitor_key: str, sign_in: SignIn, now: datetime) -> str:
    """Add a ticket to the caller's transaction: single use, 30 s, this browser only. Returns the ticket."""
    ticket = new_token()
    session.add(
        LoginTicket(
            ticket_hash=token_hash(ticket),
            visitor_key=visitor_key,
            patient_id=sign_in.patient.id,
            method=sign_in.method,
            landing=sign_in.landing,
            provider_token_sealed=sign_in.provider_token_sealed,
            password_version=sign_in.patient.password_version,
            authenticated_at=sign_in.proved_at,
            expires_at=now + TICKET_LIFE,
        )
    )
    return ticket


def add_session(session: Session, sign_in: SignIn, device: Device, now: datetime) -> str:
    """Add a session to the caller's transaction. Returns its token for the cookie, which is kept nowhere else."""
    token = new_token()
    session.add(
        AccountSession(
            token_hash=token_hash(token),
            patient_id=sign_in.patient.id,
            method=sign_in.method,
            device=device.name,
            network=device.network,
            provider_token_sealed=sign_in.provider_token_sealed,
            created_at=now,
            authenticated_at=sign_in.proved_at,
            last_seen_at=now,
        )
    )
    return token
