"""How a patient signs in, and where a sign-in ends."""

from __future__ import annotations

from enum import StrEnum


class LoginMethod(StrEnum):
    """How a session came to be."""

    PASSWORD = "password"  # noqa: S105 (a method's name)
    GOSUSLUGI = "gosuslugi"
    PASSKEY = "passkey"


class Landing(StrEnum):
    """Where a sign-in ends. The server keeps it, so that a client can never choose the address."""

    CARDS = "cards"
    NEW_PASSWORD = "new_password"  # noqa: S105 (the settings, at the password fields)
    SETTINGS = "settings"
