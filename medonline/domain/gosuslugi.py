"""Why an account at Gosuslugi opens an account here."""

from __future__ import annotations

from enum import StrEnum


class LinkedHow(StrEnum):
    """The reason why an identity opens an account."""

    REGISTRATION = "registration"
    SNILS = "snils"
    VERIFIED_PHONE = "verified_phone"
    PASSWORD = "password"  # noqa: S105 (a way's name)
    CODE = "code"

    @property
    def by_proof(self) -> bool:
        """Whether it rests only on a password or a code. That is less than data that Gosuslugi vouches for."""
        return self in (LinkedHow.PASSWORD, LinkedHow.CODE)

    @property
    def by_record(self) -> bool:
        """Whether it rests on the data that the account had on record at that time."""
        return self in (LinkedHow.SNILS, LinkedHow.VERIFIED_PHONE)


class UnlinkedWhy(StrEnum):
    """Why an identity does not open an account any more."""

    DISPUTE = "dispute"
    RECOVERY = "recovery"
    SETTINGS = "settings"
    DESK = "desk"
