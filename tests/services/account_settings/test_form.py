"""Each wrong field is named, and nothing is saved."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from medonline.bootstrap import Portal
from medonline.domain.errors import (
    EmailProblem,
    InvalidEmail,
    InvalidFields,
    InvalidName,
    InvalidPassword,
    InvalidPhone,
    NameProblem,
    PasswordProblem,
    PasswordsDiffer,
    PhoneProblem,
)
from medonline.services.account_settings.form import SettingsForm
from tests.services.account_settings.saving import FORM, NEW_PASSWORD
from tests.services.outside import dump
from tests.services.world import CALL, signed_in


async def refused(portal: Portal, key: str, form: SettingsForm) -> dict[str, Exception]:
    with pytest.raises(InvalidFields) as refusal:
        await portal.settings.save(signed_in(key), form, CALL)
    return dict(refusal.value.by_field)


REFUSALS: list[tuple[str, str, type[Exception], object]] = [
    ("email", "maria", InvalidEmail, EmailProblem.NO_AT),
    ("email", "maria@example", InvalidEmail, EmailProblem.NO_DOMAIN),
    ("email", "ma ria@example.ru", InvalidEmail, EmailProblem.MALFORMED),
    ("email", "a@b.ru\r\nBcc: x@y.ru", InvalidEmail, EmailProblem.MALFORMED),
    ("last_name", "  ", InvalidName, NameProblem.EMPTY),
    ("last_name", "Иванова2", InvalidName, NameProblem.DIGITS),
    ("first_name", "<b>Мария</b>", InvalidName, NameProblem.SYMBOLS),
    ("first_name", "М" * 101, InvalidName, NameProblem.TOO_LONG),
    ("phone", "", InvalidPhone, PhoneProblem.EMPTY),
    ("phone", "8 495 123-45-67", InvalidPhone, PhoneProblem.FIXED_LINE),
]


@pytest.mark.parametrize(("name", "typed", "kind", "problem"), REFUSALS, ids=lambda value: str(value)[:20])
async def test_a_field_that_cannot_be_saved_is_named_and_nothing_is_saved(
    portal: Portal, key: str, folder: Path, name: str, typed: str, kind: type[Exception], problem: object
) -> None:
    good = replace(FORM, email="maria@example.ru", last_name="Петрова", first_name="Марья")
    before = dump(folder)
    errors = await refused(portal, key, replace(good, **{name: typed}))

    assert set(errors) == {name}
    assert isinstance(errors[name], kind)
    assert errors[name].problem is problem  # type: ignore[attr-defined]
    assert dump(folder) == before


@pytest.mark.parametrize(
    ("password", "again", "name", "kind"),
    [
        ("Kora7", "Kora7", "password", InvalidPassword),
        ("", NEW_PASSWORD, "password", InvalidPassword),
        (NEW_PASSWORD, "", "password_confirmation", PasswordsDiffer),
        (NEW_PASSWORD, NEW_PASSWORD.lower(), "password_confirmation", PasswordsDiffer),
        ("qwerty", "qwerty", "password", InvalidPassword),
        ("Ivanova1958", "Ivanova1958", "password", InvalidPassword),
        ("9000001001", "9000001001", "password", InvalidPassword),
    ],
)
async def test_a_password_that_cannot_be_set_is_named_and_nothing_is_saved(
    portal: Portal, key: str, folder: Path, password: str, again: str, name: str, kind: type[Exception]
) -> None:
    before = dump(folder)
    form = replace(FORM, first_name="Марья", password=password, password_confirmation=again)
    errors = await refused(portal, key, form)

    assert {field: type(error) for field, error in errors.items()} == {name: kind}
    assert dump(folder) == before


async def test_every_wrong_field_is_told_at_once(portal: Portal, key: str, folder: Path) -> None:
    before = dump(folder)
    errors = await refused(portal, key, SettingsForm("123", "x", "1", "", "short", ""))

    assert set(errors) == {"phone", "email", "last_name", "first_name", "password"}
    assert dump(folder) == before


async def test_a_leaked_password_is_refused(portal: Portal, key: str) -> None:
    class Leaked:
        async def contains(self, password: str) -> bool:
            return password == NEW_PASSWORD

        async def close(self) -> None:
            return None

    passwords = replace(portal.settings.passwords, breached=Leaked())
    form = replace(FORM, password=NEW_PASSWORD, password_confirmation=NEW_PASSWORD)
    with pytest.raises(InvalidFields) as refusal:
        await replace(portal.settings, passwords=passwords).save(signed_in(key), form, CALL)

    error = refusal.value.by_field["password"]
    assert isinstance(error, InvalidPassword)
    assert error.problems == (PasswordProblem.BREACHED,)
