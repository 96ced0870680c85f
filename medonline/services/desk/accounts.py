"""Accounts as an operator makes and lists them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from medonline.domain.errors import InvalidPhone, MedonlineError, PhoneTaken
from medonline.domain.folding import visible
from medonline.domain.passwords import PasswordPolicy
from medonline.domain.person_name import PersonName, name_key
from medonline.domain.phone import PhoneNumber
from medonline.domain.security_journal import JournalEvent
from medonline.domain.snils import Snils
from medonline.services.clock import Clock
from medonline.services.crypto.field_encryption import Sealer
from medonline.services.ports import Hasher
from medonline.services.security_journal.writer import JournalNote, SecurityJournal
from medonline.storage.engine import Database, reads, writes
from medonline.storage.queries import patients
from medonline.storage.tables.patients import Patient

PAGE = 500  # accounts that a listing holds in memory
MOST_FOUND = 50


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What an operator says of a new account; the password is in clear and is hashed at once. None: the patient sets one by a
    recovery."""

    phone: str
    password: str | None
    last_name: str
    first_name: str
    patronymic: str = ""
    birth_date: date | None = None
    phone_proved: bool = False  # the number was checked at the desk


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one account of many; neither made nor refused: it was there already, under the same name."""

    made: bool = False
    refused: MedonlineError | None = None


@dataclass(frozen=True, slots=True)
class AccountService:
    """The use case."""

    database: Database
    clock: Clock
    hasher: Hasher
    passwords: PasswordPolicy
    journal: SecurityJournal
    snils: Sealer

    async def add(self, account: NewAccount) -> Patient:
        """Make an account.

        Raises:
            InvalidPhone, InvalidName, InvalidPassword: as everywhere.
            PhoneTaken: the number has an account.
        """
        phone = PhoneNumber.parse(account.phone)
        password = None if account.password is None else self.passwords.check(account.password)
        patient = self._patient(account, phone)
        if password is not None:
            patient.password_hash = await self.hasher.hash(password)
            patient.password_changed_at = patient.created_at
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

    def _patient(self, account: NewAccount, phone: PhoneNumber) -> Patient:
        now = self.clock()
        return Patient(
            phone=phone.e164,
            last_name=PersonName.of_document(account.last_name).text,
            first_name=PersonName.of_document(account.first_name).text,
            patronymic=PersonName.of_document(account.patronymic).text if visible(account.patronymic) else "",
            birth_date=account.birth_date,
            phone_proved_at=now if account.phone_proved else None,
            created_at=now,
        )

    @writes
    def add_all(self, session: Session, accounts: Sequence[NewAccount]) -> list[Fate]:
        """Make many accounts without passwords, in one transaction; what became of each, in order. One that is there already,
        under the same name, is left as it is: a list that was interrupted is given once more from its beginning.
        """
        read = [self._read(account) for account in accounts]
        phones = {patient.phone for patient in read if isinstance(patient, Patient) and patient.phone}
        holders = patients.with_phones(session, phones)
        fates: list[Fate] = []
        for one in read:
            if isinstance(one, MedonlineError):
                fates.append(Fate(refused=one))
                continue
            number = one.phone or ""
            holder = holders.get(number)
            if holder is None:
                holders[number] = one
                session.add(one)
                self.journal.note(session, JournalNote(JournalEvent.ACCOUNT_MADE, one.id, number))
                fates.append(Fate(made=True))
            elif _is_same(holder, one):
                fates.append(Fate())
            else:
                fates.append(Fate(refused=PhoneTaken(PhoneNumber(number).masked)))
        return fates

    def _read(self, account: NewAccount) -> Patient | MedonlineError:
        try:
            return self._patient(account, PhoneNumber.parse(account.phone))
        except MedonlineError as error:
            return error

    async def pages(self, most: int | None = None) -> AsyncIterator[Sequence[Patient]]:
        """All accounts by name, page by page, each read in a transaction of its own; at most `most` of them. What is made or
        renamed meanwhile may be missing."""
        after, left = None, most
        while left is None or left > 0:
            size = PAGE if left is None else min(PAGE, left)
            found = await self.database.read(patients.page, after, size)
            if found:
                yield found
            if len(found) < size:
                return
            after = (found[-1].last_name, found[-1].first_name, found[-1].id)
            left = None if left is None else left - len(found)

    @reads
    def find(self, session: Session, wanted: str) -> list[Patient]:
        """The accounts that a text names: by id, phone, СНИЛС, or last name and first name; at most `MOST_FOUND`, by name.

        Each way asks an index. Names are compared letter for letter, as typed, and with capitals at the beginnings or throughout.
        """
        text = visible(wanted)
        if (patient := session.get(Patient, text)) is not None:
            return [patient]
        if any(character.isdigit() for character in text):
            return self._by_number(session, text)
        words = text.split()
        if not words:
            return []
        return list(patients.named(session, _cases(words[0]), _cases(words[1]) if words[1:] else [], MOST_FOUND))

    def _by_number(self, session: Session, text: str) -> list[Patient]:
        found: list[Patient | None] = []
        if (snils := Snils.read(text)) is not None:
            found.append(patients.by_snils(session, self.snils.indexes(snils.digits)))
        with suppress(InvalidPhone):
            found.append(patients.by_phone(session, PhoneNumber.parse(text).e164))
        return [patient for patient in found if patient is not None]

    async def everyone(self) -> list[Patient]:
        """All accounts by name."""
        return await self.database.read(patients.everyone)


def _is_same(holder: Patient, other: Patient) -> bool:
    """Whether an account that is there is the one that is to be made."""
    return all(
        name_key(getattr(holder, name)) == name_key(getattr(other, name)) for name in ("last_name", "first_name")
    )


def _cases(word: str) -> list[str]:
    """How a name may be written in records: as typed, «Петрова-Водкина», «ПЕТРОВА-ВОДКИНА»."""
    return list(dict.fromkeys((word, word.title(), word.upper())))
