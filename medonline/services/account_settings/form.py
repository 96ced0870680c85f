"""What was typed in the settings (guide G12), and which of it is a change that may be saved.

A value that comes back as it was shown is no change and is not checked: it may come from Gosuslugi, and is not the patient's mistake.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from medonline.domain.account_settings import SettingsChange
from medonline.domain.email_address import EmailAddress
from medonline.domain.errors import InvalidFields, InvalidInput, PasswordsDiffer
from medonline.domain.folding import folded, visible
from medonline.domain.passwords import normalised
from medonline.domain.person_name import PersonName
from medonline.domain.phone import PhoneNumber
from medonline.services.codes.flow import CodeView
from medonline.services.passwords.new_passwords import NewPasswords, personal_words
from medonline.storage.tables.patients import Patient

T = TypeVar("T")

# The texts that are columns of the patient's row under the same name, each with its reader.
TEXTS: dict[str, Callable[[str], str]] = {
    "email": lambda typed: EmailAddress.parse(typed).text if visible(typed) else "",  # an account needs no address
    "last_name": lambda typed: PersonName.parse(typed).text,
    "first_name": lambda typed: PersonName.parse(typed).text,
}


@dataclass(frozen=True, slots=True)
class SettingsForm:
    """What was typed. An empty password changes nothing."""

    phone: str
    email: str
    last_name: str
    first_name: str
    password: str
    password_confirmation: str


@dataclass(frozen=True, slots=True)
class SettingsView:
    """What the form shows its owner: the record, and in its place the values that wait for the code to a new phone (`code`)."""

    phone: str
    email: str
    last_name: str
    first_name: str
    has_password: bool
    code: CodeView | None


@dataclass(frozen=True, slots=True)
class Saved:
    """The result of «Сохранить»: the names of the changed fields, or that a code to the new phone is awaited."""

    changed: tuple[str, ...] = ()
    code_needed: bool = False
    sessions_ended: int = 0


@dataclass(frozen=True, slots=True)
class Asked:
    """What the form asks to change.

    texts: the change without phone and password, which need more checks.
    phone: the new phone; None when it stays.
    password: the new password in clear; empty when it stays.
    """

    texts: SettingsChange
    phone: PhoneNumber | None
    password: str = field(repr=False)

    @property
    def is_nothing(self) -> bool:
        """Whether nothing changes."""
        return not (self.texts.changed or self.phone or self.password)


async def changes_asked(patient: Patient, form: SettingsForm, passwords: NewPasswords) -> Asked:
    """What differs between the form and the patient's row.

    Raises:
        InvalidFields: says what is wrong with each field.
    """
    refused: dict[str, InvalidInput] = {}

    def parsed(name: str, parse: Callable[[str], T], typed: str, on_record: T, shown: str) -> T:
        if visible(typed) == visible(shown):
            return on_record
        try:
            return parse(typed)
        except InvalidInput as error:
            # A keyboard may write another dash. The value on record is not checked because of that.
            if folded(typed) != folded(shown):
                refused[name] = error
            return on_record

    wanted: dict[str, Any] = {}
    for name, parse in TEXTS.items():
        on_record = getattr(patient, name)
        wanted[name] = parsed(name, parse, getattr(form, name), on_record, shown=on_record)
    own = PhoneNumber(patient.phone) if patient.phone else None
    phone = parsed("phone", PhoneNumber.parse, form.phone, own, shown=own.spaced if own else "")
    password = ""
    if normalised(form.password) or normalised(form.password_confirmation):
        try:
            password = await passwords.check(form.password, personal_words(patient))
            if password != normalised(form.password_confirmation):
                refused["password_confirmation"] = PasswordsDiffer()
        except InvalidInput as error:
            refused["password"] = error
    if refused:
        raise InvalidFields(refused)
    new = {name: value for name, value in wanted.items() if value != getattr(patient, name)}
    new_phone = phone if phone != own else None
    return Asked(SettingsChange(**new), new_phone, password)


# What may wait for the code to a new phone. The phone itself has a column of its own.
_WAITS = (*TEXTS, "password_hash")


def change_as_text(change: SettingsChange) -> str:
    """JSON of the values that wait with a new phone. It is encrypted afterwards (`AccountChange.sealed`)."""
    return json.dumps({name: value for name, value in change.values().items() if name in _WAITS})


def change_from_text(text: str) -> SettingsChange:
    """The change, read back. Unknown names come from another version, and change nothing."""
    kept = json.loads(text)
    return SettingsChange(**{name: value for name, value in kept.items() if name in _WAITS})
