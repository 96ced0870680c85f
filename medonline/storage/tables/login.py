"""Tables of sign-in: tickets and sessions. Tokens are stored only as SHA-256. All times are UTC."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel

from medonline.storage.tables.columns import UtcDateTime


class LoginTicket(SQLModel, table=True):
    """Exchanged for a session cookie once, within 30 s, in the same browser."""

    __tablename__ = "login_ticket"

    ticket_hash: str = Field(primary_key=True)
    visitor_key: str
    patient_id: str = Field(foreign_key="patient.id")
    method: str
    landing: str  # domain.login.Landing
    provider_token_sealed: str = ""  # the identity provider's id_token, for its sign-out
    password_version: int = Field(default=0)  # the patient's password version at the sign-in
    authenticated_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class AccountSession(SQLModel, table=True):
    """A signed-in browser."""

    __tablename__ = "account_session"

    token_hash: str = Field(primary_key=True)
    patient_id: str = Field(foreign_key="patient.id", index=True)
    method: str
    device: str = ""  # «Chrome, Windows»
    network: str = ""  # the address cut to /24 or /48
    provider_token_sealed: str = ""
    created_at: datetime = Field(sa_type=UtcDateTime)
    authenticated_at: datetime = Field(
        sa_type=UtcDateTime
    )  # the person last proved to be themselves; services.login.tickets.NEVER
    last_seen_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)
