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

    @property
    def by_proof(self) -> bool:
        """Whether a password or a code was all that spoke for it: less than the data that Gosuslugi vouches for."""
        return self in (LinkedHow.PASSWORD, LinkedHow.CODE)

    @property
    def by_record(self) -> bool:
        """Whether it rests on what the account had on record at that time."""
        return self in (LinkedHow.SNILS, LinkedHow.VERIFIED_PHONE)


class UnlinkedWhy(StrEnum):
    """Why an identity does not open an account any more."""

    DISPUTE = "dispute"
    RECOVERY = "recovery"
    SETTINGS = "settings"
    DESK = "desk"
