"""Accounts as an operator makes and lists them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from medonline.domain.errors import PhoneTaken
from medonline.domain.folding import visible
from medonline.domain.passwords import PasswordPolicy
from medonline.domain.person_name import PersonName
from medonline.domain.phone import PhoneNumber
from medonline.domain.security_journal import JournalEvent
from medonline.services.clock import Clock
from medonline.services.ports import Hasher
from medonline.services.security_journal.writer import JournalNote, SecurityJournal
from medonline.storage.engine import Database, writes
from medonline.storage.queries import patients
from medonline.storage.tables.patients import Patient


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What an operator says of a new account; the password is in clear and is hashed at once."""

    phone: str
    password: str
    last_name: str
    first_name: str
    patronymic: str = ""
    birth_date: date | None = None
    phone_proved: bool = False  # the number was checked at the desk


@dataclass(frozen=True, slots=True)
class AccountService:
    """The use case."""

    database: Database
    clock: Clock
    hasher: Hasher
    passwords: PasswordPolicy
    journal: SecurityJournal

    async def add(self, account: NewAccount) -> Patient:
        """Make an account.

        Raises:
            InvalidPhone, InvalidName, InvalidPassword: as everywhere.
            PhoneTaken: the number has an account.
        """
        phone = PhoneNumber.parse(account.phone)
        encoded = await self.hasher.hash(self.passwords.check(account.password))
        now = self.clock()
        patient = Patient(
            phone=phone.e164,
            last_name=PersonName.of_document(account.last_name).text,
            first_name=PersonName.of_document(account.first_name).text,
            patronymic=PersonName.of_document(account.patronymic).text if visible(account.patronymic) else "",
            birth_date=account.birth_date,
            phone_proved_at=now if account.phone_proved else None,
            password_hash=encoded,
            password_changed_at=now,
            created_at=now,
        )
        try:
            await self._keep(patient, phone)
        except IntegrityError:  # another process made it in this moment
            raise PhoneTaken(phone.masked) from None
        return patient

    @writes
    def _keep(self, session: Session, patient: Patient, phone: PhoneNumber) -> None:
        if patients.by_phone(session, phone.e164):
            raise PhoneTaken(phone.masked)
        session.add(patient)
        self.journal.note(session, JournalNote(JournalEvent.ACCOUNT_MADE, patient.id, phone.e164))

    async def everyone(self) -> list[Patient]:
        """All accounts by name."""
        return await self.database.read(patients.everyone)
