"""Tables of accounts, recovery, codes and sessions. All times are UTC; tokens stand here only as SHA-256, codes only as HMAC
(see `domain.one_time_code`). Tables of identity, cards, limits, the journal: `identity_models`, `card_models`,
`limit_models`, `journal_models`."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from medonline.storage.columns import UtcDateTime, new_id

__all__ = ["UtcDateTime", "new_id"]


class Patient(SQLModel, table=True):
    """A person with an account (личный кабинет); the phone, where there is one, is the sign-in name."""

    __tablename__ = "patient"

    id: str = Field(default_factory=new_id, primary_key=True)
    phone: str | None = Field(default=None, unique=True)  # E.164; None: signs in through Gosuslugi only
    email: str = ""
    last_name: str
    first_name: str
    patronymic: str = ""
    birth_date: date | None = None
    snils_index: str | None = Field(default=None, unique=True)  # HMAC (services.sealing)
    snils_sealed: str = ""
    oms_policy_sealed: str = ""
    cards_fetched_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # the registry's last good answer
    password_hash: str | None = None  # Argon2id, encoded form
    password_changed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    phone_proved_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    recovery_stopped_until: datetime | None = Field(default=None, sa_type=UtcDateTime)  # after «это не я»
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
    birth_date_misses: int = 0


class OneTimeCodeRow(SQLModel, table=True):
    """A code and what became of it on its way. The row is the intent to send: it is committed before anything is sent."""

    __tablename__ = "one_time_code"
    __table_args__ = (
        Index("ix_one_time_code_phone", "phone", "issued_at"),
        Index("ix_one_time_code_flow", "flow_id", "issued_at"),
        Index("ix_one_time_code_due", "due_at"),
        Index("ix_one_time_code_issued", "issued_at"),
    )

    id: str = Field(default_factory=new_id, primary_key=True)  # also the idempotency key at the provider
    flow_id: str
    purpose: str
    phone: str  # E.164
    channel: str  # domain.one_time_code.ChannelName
    digest: str
    client_ip: str = ""
    price: int = 0  # kopecks reserved for it; 0 once they were given back
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
    landing: str  # services.login.Landing
    provider_token_sealed: str = ""  # the identity provider's id_token, for its sign-out
    password_changed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
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
    authenticated_at: datetime = Field(sa_type=UtcDateTime)  # the person last proved to be themselves
    last_seen_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class AccountChange(SQLModel, table=True):
    """A change of the account settings that waits for the code to the new phone; then it is made as a whole."""

    __tablename__ = "account_change"

    id: str = Field(default_factory=new_id, primary_key=True)  # the flow of its codes
    patient_id: str = Field(foreign_key="patient.id", index=True)
    session_key: str  # the account session that asked: no other may finish it
    phone: str  # E.164, the new one
    sealed: str  # what else was asked for, as JSON; a password only as its hash
    created_at: datetime = Field(sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Notice(SQLModel, table=True):
    """Something a patient is to be told; the row is the intent to tell it."""

    __tablename__ = "notice"

    id: str = Field(default_factory=new_id, primary_key=True)
    patient_id: str = Field(foreign_key="patient.id", index=True)
    phone: str  # E.164
    text: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    due_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)  # None: done
    attempts: int = 0
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    problem: str = ""
    provider_ref: str = ""
    about: str = ""  # services.account_notices.About: what a dispute of it undoes
    dispute_hash: str | None = Field(default=None, unique=True)  # SHA-256 of the token in the link «это не я»
    disputed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
