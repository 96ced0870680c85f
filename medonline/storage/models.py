"""Tables. All times are UTC; tokens stand here only as SHA-256, codes only as HMAC (see `domain.one_time_code`)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import DateTime, Dialect, Index
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel

NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
SQLModel.metadata.naming_convention = NAMING


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC datetime over a naive column, the same in SQLite and PostgreSQL."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive values, store the rest as UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            msg = "a naive datetime must not reach the database"
            raise ValueError(msg)
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Give back an aware value."""
        return None if value is None else value.replace(tzinfo=UTC)


def new_id() -> str:
    """122 random bits as 32 hex characters."""
    return uuid4().hex


class Patient(SQLModel, table=True):
    """A person with an account (личный кабинет); the phone is the sign-in name."""

    __tablename__ = "patient"

    id: str = Field(default_factory=new_id, primary_key=True)
    phone: str = Field(unique=True)  # E.164
    last_name: str
    first_name: str
    patronymic: str = ""
    birth_date: date | None = None
    password_hash: str | None = None  # Argon2id, encoded form
    password_changed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    phone_proved_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    created_at: datetime = Field(sa_type=UtcDateTime)


class PasswordRecovery(SQLModel, table=True):
    """One attempt of one browser to recover a password by phone."""

    __tablename__ = "password_recovery"
    __table_args__ = (Index("ix_password_recovery_visitor", "visitor_key", "created_at"),)

    id: str = Field(default_factory=new_id, primary_key=True)
    visitor_key: str  # SHA-256 of the visitor cookie
    phone: str  # E.164
    step: str  # domain.password_recovery.RecoveryStep
    patient_id: str | None = Field(default=None, foreign_key="patient.id")
    created_at: datetime = Field(sa_type=UtcDateTime)
    proved_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    left_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class OneTimeCodeRow(SQLModel, table=True):
    """A code and what became of it on its way. The row is the intent to send: it is committed before anything is sent."""

    __tablename__ = "one_time_code"
    __table_args__ = (
        Index("ix_one_time_code_phone", "phone", "issued_at"),
        Index("ix_one_time_code_flow", "flow_id", "issued_at"),
        Index("ix_one_time_code_due", "due_at"),
    )

    id: str = Field(default_factory=new_id, primary_key=True)  # also the idempotency key at the provider
    flow_id: str
    purpose: str
    phone: str  # E.164
    channel: str  # domain.one_time_code.ChannelName
    digest: str
    client_ip: str = ""
    issued_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    misses: int = 0
    confirmed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    replaced_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    delivery: str  # services.delivery.DeliveryState
    problem: str = ""  # why the delivery failed
    provider: str = ""
    provider_ref: str = ""
    attempts: int = 0
    due_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # when the dispatcher looks at it next


class LoginTicket(SQLModel, table=True):
    """Trades once, within 30 s, in the same browser, for a session cookie."""

    __tablename__ = "login_ticket"

    ticket_hash: str = Field(primary_key=True)
    visitor_key: str
    patient_id: str = Field(foreign_key="patient.id")
    method: str
    password_changed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class AccountSession(SQLModel, table=True):
    """A signed-in browser."""

    __tablename__ = "account_session"

    token_hash: str = Field(primary_key=True)
    patient_id: str = Field(foreign_key="patient.id", index=True)
    method: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    last_seen_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
