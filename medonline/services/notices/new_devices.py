"""Tells the owner of a sign-in from a browser that the account did not know (`services.login.new_devices`).

It never refuses a sign-in, so it is limited otherwise than a change: to so many a day, and of the day's money to half. The last one
of a day says that it is the last: nobody gets in unseen behind notices that were used up before.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from sqlmodel import Session

from medonline.domain.client import Client
from medonline.domain.limits import Limit
from medonline.domain.login import LoginMethod
from medonline.services.login.tickets import TICKET_LIFE, SignIn
from medonline.services.notices.sender import NoticeService
from medonline.services.notices.texts import About, Said, Told
from medonline.services.security_journal.account_pace import full_until
from medonline.storage.queries import notices

log = logging.getLogger(__name__)


class NewDeviceNotices(StrEnum):
    """How the owner is told of a sign-in from a new device."""

    ALL = "all"
    EMAIL = "email"
    NONE = "none"


class NewDeviceWords(Protocol):
    """What the owner reads."""

    def new_device(self, method: LoginMethod, device: str, at: datetime, *, is_last: bool) -> str:
        """The sentence. `device`: the browser and the system, as the browser itself names them; `at` is UTC; `is_last`: for a while."""


@dataclass(frozen=True, slots=True)
class NewDeviceTeller:
    """A `TellsOfNewDevice`. `limits`: of one account."""

    notices: NoticeService
    words: NewDeviceWords
    how: NewDeviceNotices
    limits: tuple[Limit, ...]

    def __call__(self, session: Session, client: Client, sign_in: SignIn, now: datetime) -> None:
        """As the protocol."""
        patient = sign_in.patient
        if self.how is NewDeviceNotices.NONE or self._is_told_anyway(session, sign_in, now):
            return
        most = max(limit.count for limit in self.limits)
        times = notices.times_told(session, patient.id, {About.NEW_DEVICE}, most)
        if full_until(times, self.limits, now) is not None:
            log.info("A sign-in from a new device is not told: the account's limit is reached")
            return
        is_last = full_until([now, *times], self.limits, now) is not None
        said = Said(self.words.new_device(sign_in.method, client.device.name, now, is_last=is_last))
        by_mail_alone = self.how is NewDeviceNotices.EMAIL
        told = Told(patient.phone or "", About.NEW_DEVICE, said, by_mail_alone=by_mail_alone)
        self.notices.put(session, patient.id, told)

    @staticmethod
    def _is_told_anyway(session: Session, sign_in: SignIn, now: datetime) -> bool:
        """Whether this sign-in has just linked the account at Gosuslugi by which it was made."""
        by_gosuslugi = sign_in.method is LoginMethod.GOSUSLUGI
        return by_gosuslugi and notices.was_told_since(session, sign_in.patient.id, About.IDENTITY, now - TICKET_LIFE)
