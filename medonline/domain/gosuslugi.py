"""What makes an account at Gosuslugi open an account here."""

from __future__ import annotations

from enum import StrEnum


class LinkedHow(StrEnum):
    """What made an identity open an account."""

    REGISTRATION = "registration"
    SNILS = "snils"
    VERIFIED_PHONE = "verified_phone"
    PASSWORD = "password"  # noqa: S105 (a way's name)
    CODE = "code"
