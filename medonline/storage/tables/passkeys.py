"""Tables of passkeys. All times are UTC. Bytes are stored as base64url without padding, as browsers send them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from medonline.storage.tables.columns import UtcDateTime, new_id


class Passkey(SQLModel, table=True):
    """A key in a device of the patient that opens the account. Only its public half is here."""

    __tablename__ = "passkey"

    id: str = Field(default_factory=new_id, primary_key=True)
    patient_id: str = Field(foreign_key="patient.id", index=True)
    handle: str  # the name of the account in the device: random, the same for all passkeys of a patient
    credential_id: str = Field(unique=True)
    public_key: str  # COSE
    sign_count: int = Field(sa_type=BigInteger)  # 32 bits; 0 when the device does not count
    transports: str = ""  # separated by commas
    aaguid: str = ""  # the model of the authenticator
    device_type: str = ""
    backed_up: bool = False
    name: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    last_used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class PasskeyChallenge(SQLModel, table=True):
    """What a device must sign: once, within 5 minutes, in this browser (and session, if there is one), for this purpose."""

    __tablename__ = "passkey_challenge"

    challenge_hash: str = Field(primary_key=True)
    visitor_key: str
    session_key: str = ""
    purpose: str  # domain.passkeys.PasskeyPurpose
    handle: str = ""  # the handle of the account that a new passkey is for
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)


class PasskeyOffer(SQLModel, table=True):
    """Records that a patient was asked whether they want a passkey. They are asked once."""

    __tablename__ = "passkey_offer"

    patient_id: str = Field(foreign_key="patient.id", primary_key=True)
    shown_at: datetime = Field(sa_type=UtcDateTime)
    answered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
