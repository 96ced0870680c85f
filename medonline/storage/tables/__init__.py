"""Imports every table, so that one import fills the metadata."""

from medonline.storage.tables import (
    account_settings,
    channel_switches,
    codes,
    email_proofs,
    gosuslugi,
    limits,
    login,
    notices,
    passkeys,
    password_recovery,
    patient_cards,
    patients,
    security_journal,
)

__all__ = [
    "account_settings",
    "channel_switches",
    "codes",
    "email_proofs",
    "gosuslugi",
    "limits",
    "login",
    "notices",
    "passkeys",
    "password_recovery",
    "patient_cards",
    "patients",
    "security_journal",
]
