"""Decides which account a person from the identity provider opens.

Rule (docs/identity.md): the key is (issuer, subject), never phone or e-mail. An existing account is linked without a further proof only
when the provider has confirmed the person, name and birth date match, and either a СНИЛС on record or a number that the portal itself has
verified matches, too. Otherwise the patient must also prove the old account.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy.exc import IntegrityError

from medonline.domain.errors import AccountOfAnother
from medonline.domain.gosuslugi import LinkedHow
from medonline.domain.person_name import name_key
from medonline.domain.phone import PhoneNumber
from medonline.services.ports import IdentityPerson
from medonline.storage.queries import gosuslugi, patients
from medonline.storage.tables.gosuslugi import LinkedIdentity
from medonline.storage.tables.patients import Patient

if TYPE_CHECKING:
    from sqlmodel import Session

    from medonline.services.crypto.field_encryption import Sealer

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Candidate:
    """An existing account that may be this person's. `how` is None when the person must prove it first."""

    patient: Patient
    how: LinkedHow | None


@dataclass(frozen=True, slots=True)
class Linker:
    """Answers questions inside a session of the caller."""

    snils: Sealer
    policies: Sealer

    def candidate(self, session: Session, person: IdentityPerson) -> Candidate | None:
        """The existing account that this person seems to have.

        It is held until the session commits, because the reasons for the link must still be on record when the link is made.
        """
        # An unconfirmed account can claim anybody's СНИЛС and birth date.
        if (
            person.confirmed
            and person.snils
            and (patient := patients.by_snils_held(session, self.snils.indexes(person.snils)))
        ):
            return Candidate(patient, LinkedHow.SNILS if is_same_person(patient, person) else None)
        # A number that the provider has not verified proves nothing: the portal must not reveal its account to the person who claims it.
        if person.phone and person.phone_verified and (patient := patients.by_phone_held(session, person.phone)):
            sure = person.confirmed and patient.phone_proved_at is not None and is_same_person(patient, person)
            return Candidate(patient, LinkedHow.VERIFIED_PHONE if sure else None)
        return None

    def link(self, session: Session, patient: Patient, person: IdentityPerson, how: LinkedHow, now: datetime) -> bool:
        """Link this identity to the account, whose row the caller holds, and fill in what the account did not know.

        Returns False when the identity already opens the account.

        Raises:
            AccountOfAnother: the account has another person's data on record, or another identity opens it.
        """
        # It is read without a lock: two accounts locked in the wrong order (`storage.engine`) would end in a deadlock.
        opens = gosuslugi.owner_of(session, person.issuer, person.subject)
        if opens is not None and opens != patient.id:
            raise AccountOfAnother  # this identity has got an account of its own in another browser meanwhile
        if opens is not None:
            self.known(session, person, now)
            return False
        others = gosuslugi.subjects_of(session, patient.id, person.issuer)
        # The same СНИЛС with a new subject means that the person opened a new account at the provider.
        same_snils = bool(person.snils) and patient.snils_index in self.snils.indexes(person.snils)
        if (others and not same_snils) or contradicts(patient, person):
            raise AccountOfAnother
        filled = ["patronymic"] if person.patronymic and not patient.patronymic else []
        patient.patronymic = patient.patronymic or person.patronymic
        filled += self._fill_in(session, patient, person)
        session.add(_row(patient, person, how, now, filled))
        return True

    def known(self, session: Session, person: IdentityPerson, now: datetime) -> Patient | None:
        """The patient whose account this identity already opens."""
        found = gosuslugi.linked(session, person.issuer, person.subject)
        if found is None:
            return None
        identity, patient = found
        filled = self._fill_in(session, patient, person)  # the identity was unconfirmed before and is confirmed now
        identity.filled = ",".join(filter(None, (identity.filled, *filled)))
        identity.last_used_at = now
        session.add(identity)
        return patient

    def register(self, session: Session, person: IdentityPerson, now: datetime) -> Patient:
        """Make a new account from the provider's data.

        It gets the phone only if the provider has verified it and no account here has it.
        """
        taken = not person.phone_verified or patients.by_phone(session, person.phone) is not None
        patient = Patient(
            phone=None if taken or not person.phone else person.phone,
            email=person.email if person.email_verified else "",
            last_name=person.last_name,
            first_name=person.first_name,
            patronymic=person.patronymic,
            created_at=now,
        )
        session.add(patient)
        session.flush()
        self._fill_in(session, patient, person)
        session.add(_row(patient, person, LinkedHow.REGISTRATION, now))
        return patient

    def _fill_in(self, session: Session, patient: Patient, person: IdentityPerson) -> list[str]:
        """Fill in what the account did not know. Returns the names of the fields that were filled in."""
        session.add(patient)
        if not person.confirmed:
            return []
        filled = []
        if patient.birth_date is None and person.birth_date is not None:
            patient.birth_date = person.birth_date
            filled.append("birth_date")
        indexes = self.snils.indexes(person.snils) if person.snils else []
        if indexes and patient.snils_index is None and patients.by_snils(session, indexes) is None:
            patient.snils_index, patient.snils_sealed = indexes[0], self.snils.seal(person.snils)
            filled.append("snils")
        if person.oms_policy:
            filled += [] if patient.oms_policy_sealed else ["oms_policy"]
            patient.oms_policy_sealed = self.policies.seal(person.oms_policy)
        return filled


def _row(
    patient: Patient, person: IdentityPerson, how: LinkedHow, now: datetime, filled: Sequence[str] = ()
) -> LinkedIdentity:
    return LinkedIdentity(
        issuer=person.issuer,
        subject=person.subject,
        patient_id=patient.id,
        how=how,
        filled=",".join(filled),
        linked_at=now,
        last_used_at=now,
    )


def is_same_person(patient: Patient, person: IdentityPerson) -> bool:
    """Whether name and birth date on record equal the provider's."""
    return (
        patient.birth_date is not None and patient.birth_date == person.birth_date and has_same_names(patient, person)
    )


def has_same_names(patient: Patient, person: IdentityPerson) -> bool:
    """Whether last and first name on record equal the provider's, in any spelling."""
    return (name_key(patient.last_name), name_key(patient.first_name)) == (
        name_key(person.last_name),
        name_key(person.first_name),
    )


def wants_birth_date(patient: Patient, person: IdentityPerson) -> bool:
    """Whether the patient must also type the birth date.

    It is not needed when the provider's own date equals the one on record, and the provider has confirmed the person's documents: then a
    typed date adds nothing. It is not needed for another person's account either, because that is refused after any proof.
    """
    agrees = person.confirmed and patient.birth_date is not None and patient.birth_date == person.birth_date
    return not agrees and not contradicts(patient, person)


def contradicts(patient: Patient, person: IdentityPerson) -> bool:
    """Whether the record says that this is somebody else. A changed name does not say so if the birth date is the same.

    Without a birth date to compare, both names must differ to say so: many people share a first name.
    """
    if patient.birth_date is not None and person.birth_date is not None:
        return patient.birth_date != person.birth_date
    return not has_same_names(patient, person)


def person_as_text(person: IdentityPerson) -> str:
    """JSON of a person. It is sealed afterwards."""
    return json.dumps(asdict(person), default=lambda moment: moment.isoformat(), ensure_ascii=False)


def person_from_text(text: str) -> IdentityPerson:
    """The person, read back."""
    fields = json.loads(text)
    if fields["birth_date"]:
        fields["birth_date"] = date.fromisoformat(fields["birth_date"])
    if fields.get("authenticated_at"):
        fields["authenticated_at"] = datetime.fromisoformat(fields["authenticated_at"])
    return IdentityPerson(**fields)


def phone_hint(person: IdentityPerson) -> str:
    """The person's own number, masked, for a screen. Empty when there is none."""
    return PhoneNumber(person.phone).masked if person.phone and person.phone_verified else ""


async def once_more(transaction: Callable[[], Awaitable[T]]) -> T:
    """The result of the transaction. It runs a second time if another browser committed the same identity, number or СНИЛС meanwhile.

    The second run finds the other browser's account.
    """
    try:
        return await transaction()
    except IntegrityError:
        return await transaction()
