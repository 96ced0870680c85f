"""How a patient signs in, and where that ends."""

from __future__ import annotations

from enum import StrEnum


class LoginMethod(StrEnum):
    """How a session came to be."""

    PASSWORD = "password"  # noqa: S105 (a method's name)
    GOSUSLUGI = "gosuslugi"
    PASSKEY = "passkey"


class Landing(StrEnum):
    """Where a sign-in ends: kept on the server, so that no address of a client's choice is ever gone to."""

    CARDS = "cards"
    NEW_PASSWORD = "new_password"  # noqa: S105 (the settings, at the password fields)
    SETTINGS = "settings"
