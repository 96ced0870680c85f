"""What was typed in the settings (guide G12), and what of it is a change that may be saved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from medonline.domain.errors import InvalidFields, InvalidInput, PasswordsDiffer
from medonline.domain.person_name import parse_name
from medonline.domain.phone import PhoneNumber
from medonline.services.account_settings.email_address import parse_email
from medonline.services.codes.flow import CodeView
from medonline.services.passwords.new_passwords import NewPasswords, personal_words
from medonline.storage.tables.patients import Patient

T = TypeVar("T")

# The texts that are columns of the patient's row under the same name, each with what reads it.
TEXTS: dict[str, Callable[[str], str]] = {"email": parse_email, "last_name": parse_name, "first_name": parse_name}


@dataclass(frozen=True, slots=True)
class SettingsForm:
    """What was typed; an empty password changes nothing."""

    phone: str
    email: str
    last_name: str
    first_name: str
    password: str
    password_confirmation: str


@dataclass(frozen=True, slots=True)
class SettingsView:
    """What the form shows its owner: the record, and over it what waits for the code to a new phone (`code`)."""

    phone: str
    email: str
    last_name: str
    first_name: str
    has_password: bool
    code: CodeView | None


@dataclass(frozen=True, slots=True)
class Saved:
    """What came of «Сохранить»: the names of the fields that changed; or that a code to the new phone is awaited."""

    changed: tuple[str, ...] = ()
    code_needed: bool = False
    sessions_ended: int = 0


async def changes_asked(
    patient: Patient, form: SettingsForm, passwords: NewPasswords
) -> tuple[dict[str, Any], PhoneNumber | None, str]:
    """The changed columns without phone and password; the new phone, None when it stays; the new password or nothing.

    Raises:
        InvalidFields: what is wrong with each field.
    """
    refused: dict[str, InvalidInput] = {}

    def parsed(field: str, parse: Callable[[str], T], typed: str, otherwise: T) -> T:
        try:
            return parse(typed)
        except InvalidInput as error:
            refused[field] = error
            return otherwise

    wanted: dict[str, Any] = {name: parsed(name, parse, getattr(form, name), "") for name, parse in TEXTS.items()}
    phone = None
    if form.phone.strip() or patient.phone:  # an account without a phone may stay so
        phone = parsed("phone", PhoneNumber.parse, form.phone, None)
    password = ""
    if form.password or form.password_confirmation:
        try:
            password = await passwords.check(form.password, personal_words(patient))
            if form.password != form.password_confirmation:
                refused["password_confirmation"] = PasswordsDiffer()
        except InvalidInput as error:
            refused["password"] = error
    if refused:
        raise InvalidFields(refused)
    wanted = {name: value for name, value in wanted.items() if value != getattr(patient, name)}
    new_phone = phone if phone is not None and phone.e164 != patient.phone else None
    return wanted, new_phone, password
