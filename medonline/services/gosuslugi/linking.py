"""Which account a person from the identity provider opens.

Rule (docs/identity.md): the key is (issuer, subject), never phone or e-mail. An existing account is linked by
itself only when the provider has confirmed the person and a СНИЛС on record, or a number that the portal itself has
verified, matches together with name and birth date. Otherwise the patient proves the old account too.
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
    """An existing account that may be this person's; `how` is None when the person must prove it first."""

    patient: Patient
    how: LinkedHow | None


@dataclass(frozen=True, slots=True)
class Linker:
    """Answers inside a session of the caller."""

    snils: Sealer
    policies: Sealer

    def candidate(self, session: Session, person: IdentityPerson) -> Candidate | None:
        """The existing account that this person seems to have, held until the session commits: what speaks for the link must
        still be on record when it is made."""
        # What an unconfirmed account says of itself may be anybody's СНИЛС and birth date.
        if (
            person.confirmed
            and person.snils
            and (patient := patients.by_snils_held(session, self.snils.indexes(person.snils)))
        ):
            return Candidate(patient, LinkedHow.SNILS if is_same_person(patient, person) else None)
        # A number that the provider has not verified says nothing: telling of an account would give it away.
        if person.phone and person.phone_verified and (patient := patients.by_phone_held(session, person.phone)):
            sure = person.confirmed and patient.phone_proved_at is not None and is_same_person(patient, person)
            return Candidate(patient, LinkedHow.VERIFIED_PHONE if sure else None)
        return None

    def link(self, session: Session, patient: Patient, person: IdentityPerson, how: LinkedHow, now: datetime) -> bool:
        """From now on this identity opens the account, whose row the caller holds; what the account did not know is filled in.
        False when the identity opens it already.

        Raises:
            AccountOfAnother: the account is on record with another person's data, or opened by another identity.
        """
        # Read without a lock: two accounts locked in the wrong order (`storage.engine`) would end in a deadlock.
        opens = gosuslugi.owner_of(session, person.issuer, person.subject)
        if opens is not None and opens != patient.id:
            raise AccountOfAnother  # meanwhile, in another browser, this identity got an account of its own
        if opens is not None:
            self.known(session, person, now)
            return False
        others = gosuslugi.subjects_of(session, patient.id, person.issuer)
        # The same СНИЛС under a new subject: the person opened a new account at the provider.
        same_snils = bool(person.snils) and patient.snils_index in self.snils.indexes(person.snils)
        if (others and not same_snils) or contradicts(patient, person):
            raise AccountOfAnother
        filled = ["patronymic"] if person.patronymic and not patient.patronymic else []
        patient.patronymic = patient.patronymic or person.patronymic
        filled += self._fill_in(session, patient, person)
        session.add(_row(patient, person, how, now, filled))
        return True

    def known(self, session: Session, person: IdentityPerson, now: datetime) -> Patient | None:
        """The patient whose account this identity opens already."""
        found = gosuslugi.linked(session, person.issuer, person.subject)
        if found is None:
            return None
        identity, patient = found
        filled = self._fill_in(session, patient, person)  # once unconfirmed, confirmed now
        identity.filled = ",".join(filter(None, (identity.filled, *filled)))
        identity.last_used_at = now
        session.add(identity)
        return patient

    def register(self, session: Session, person: IdentityPerson, now: datetime) -> Patient:
        """A new account from the provider's data. Its phone is taken over only when verified there and free here."""
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
        """Take over what the account did not know; the names of the fields that were filled in."""
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
    """Name and birth date on record are the provider's."""
    return (
        patient.birth_date is not None and patient.birth_date == person.birth_date and has_same_names(patient, person)
    )


def has_same_names(patient: Patient, person: IdentityPerson) -> bool:
    """Last and first name on record are the provider's, however they are written."""
    return (name_key(patient.last_name), name_key(patient.first_name)) == (
        name_key(person.last_name),
        name_key(person.first_name),
    )


def wants_birth_date(patient: Patient, person: IdentityPerson) -> bool:
    """Whether the patient must type the birth date as well.

    Not when the provider's own date, of a confirmed person whose documents it has seen, is the one on record: the typed date adds
    nothing. And not for the account of another person: that is refused whatever is proved.
    """
    agrees = person.confirmed and patient.birth_date is not None and patient.birth_date == person.birth_date
    return not agrees and not contradicts(patient, person)


def contradicts(patient: Patient, person: IdentityPerson) -> bool:
    """What is on record says that this is somebody else. A changed name does not where the birth date is the same; where there
    is none to compare, both names speak: a first name alone is shared by many."""
    if patient.birth_date is not None and person.birth_date is not None:
        return patient.birth_date != person.birth_date
    return not has_same_names(patient, person)


def person_as_text(person: IdentityPerson) -> str:
    """JSON of a person, to be sealed."""
    return json.dumps(asdict(person), default=lambda moment: moment.isoformat(), ensure_ascii=False)


def person_from_text(text: str) -> IdentityPerson:
    """The person again."""
    fields = json.loads(text)
    if fields["birth_date"]:
        fields["birth_date"] = date.fromisoformat(fields["birth_date"])
    if fields.get("authenticated_at"):
        fields["authenticated_at"] = datetime.fromisoformat(fields["authenticated_at"])
    return IdentityPerson(**fields)


def phone_hint(person: IdentityPerson) -> str:
    """The person's own number, masked, for a screen; empty when there is none."""
    return PhoneNumber(person.phone).masked if person.phone and person.phone_verified else ""


async def once_more(transaction: Callable[[], Awaitable[T]]) -> T:
    """The result of the transaction. It runs a second time if another browser committed the same identity, number or СНИЛС
    between its look and its write: the second run finds the other browser's account."""
    try:
        return await transaction()
    except IntegrityError:
        return await transaction()
