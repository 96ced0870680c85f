"""Kind 1: one reader for each value. What a gateway has on record is taken, and nobody must falsify it; what people paste is read
as it looks, and never cut to fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from medonline.bootstrap import Portal
from medonline.domain.birth_date import parse_birth_date
from medonline.domain.email_address import EmailAddress
from medonline.domain.errors import InvalidFields, InvalidInput, InvalidName
from medonline.domain.folding import visible
from medonline.domain.oms_policy import OmsPolicy
from medonline.domain.phone import PhoneNumber
from medonline.domain.snils import Snils
from medonline.services.account_settings.form import SettingsForm
from medonline.services.crypto.tokens import token_hash
from medonline.services.gosuslugi.login import Waiting
from medonline.services.ports import IdentityPerson
from tests.providers.gosuslugi.oidc_script import OidcScript
from tests.real_world.copied_values import (
    ADDRESS,
    ADDRESSES,
    BORN,
    DATES,
    NAMES,
    PHONE,
    PHONES,
    POLICIES,
    POLICY,
    SNILS,
    SNILS_NUMBERS,
    Copied,
)
from tests.services.outside import ScriptedIdentity, arrive, with_provider
from tests.services.world import ANNA, CALL, last_row, signed_in

TODAY = date(2026, 11, 29)
NEW_PASSWORD = "KorablLipa47"
READERS: list[tuple[list[Copied], Callable[[str], Any]]] = [
    (PHONES, lambda typed: PhoneNumber.parse(typed).e164),
    (POLICIES, lambda typed: OmsPolicy.parse(typed).digits),
    (DATES, lambda typed: parse_birth_date(typed, TODAY)),
    (ADDRESSES, lambda typed: EmailAddress.parse(typed).text),
]
TABLE = [(one, read) for copied, read in READERS for one in copied]


# What people type and paste.


@pytest.mark.parametrize(("copied", "read"), TABLE, ids=lambda value: str(value) if isinstance(value, Copied) else "")
def test_what_is_pasted_is_read_as_it_looks_or_refused_by_name(copied: Copied, read: Callable[[str], Any]) -> None:
    if copied.means is None:
        with pytest.raises(InvalidInput):
            read(copied.written)
    else:
        assert read(copied.written) == copied.means


@pytest.mark.parametrize("copied", SNILS_NUMBERS, ids=str)
def test_a_snils_is_read_with_and_without_separators(copied: Copied) -> None:
    found = Snils.read(copied.written)

    assert (found.digits if found else None) == copied.means


@pytest.mark.parametrize("copied", [one for one in PHONES if one.means], ids=str)
async def test_a_code_goes_to_the_number_that_was_meant(portal: Portal, copied: Copied) -> None:
    await portal.recovery.begin(ANNA, copied.written, CALL)

    assert (await last_row(portal)).phone == PHONE


# What a gateway sends.


async def claimed(gateway: OidcScript, **claims: str) -> IdentityPerson:
    """Who signs in, as the portal's own client reads it over a socket."""
    gateway.userinfo |= claims
    return await gateway.fetch()


async def signed_up(portal: Portal, person: IdentityPerson) -> tuple[Portal, str]:
    """A new account of this person; the portal and the key of the session."""
    portal = with_provider(portal, ScriptedIdentity())
    assert await arrive(portal, ANNA, person) is Waiting.CONSENT
    opened = await portal.login.open_session(ANNA, await portal.answers.consent(ANNA))
    assert opened is not None
    return portal, token_hash(opened.token)


async def shown_form(portal: Portal, key: str) -> SettingsForm:
    """What the browser sends back when nothing was touched."""
    shown = await portal.settings.current(key)
    phone = PhoneNumber(shown.phone).spaced if shown.phone else ""
    return SettingsForm(phone, shown.email, shown.last_name, shown.first_name, "", "")


@pytest.mark.parametrize(("last_name", "first_name"), NAMES, ids=ascii)
async def test_whatever_gosuslugi_calls_a_patient_the_settings_save_a_password(
    portal: Portal, gateway: OidcScript, last_name: str, first_name: str
) -> None:
    portal, key = await signed_up(portal, await claimed(gateway, family_name=last_name, given_name=first_name))
    form = await shown_form(portal, key)
    assert (form.last_name, form.first_name) == (visible(last_name), visible(first_name))

    saved = await portal.settings.save(
        signed_in(key), replace(form, password=NEW_PASSWORD, password_confirmation=NEW_PASSWORD), CALL
    )

    assert saved.changed == ("password_hash",)
    after = await shown_form(portal, key)
    assert (after.last_name, after.first_name) == (form.last_name, form.first_name)


@pytest.mark.parametrize("retyped", ["\u2014", "\u2011", "\u2212", " - "], ids=ascii)
async def test_a_dash_that_the_keyboard_writes_in_its_own_way_is_no_change(
    portal: Portal, gateway: OidcScript, retyped: str
) -> None:
    portal, key = await signed_up(portal, await claimed(gateway, given_name="-"))
    form = replace(await shown_form(portal, key), first_name=retyped, last_name="Орлова")

    assert (await portal.settings.save(signed_in(key), form, CALL)).changed == ("last_name",)
    assert (await shown_form(portal, key)).first_name == "-"


async def test_a_name_that_was_changed_is_judged(portal: Portal, gateway: OidcScript) -> None:
    portal, key = await signed_up(portal, await claimed(gateway, given_name="-"))
    form = await shown_form(portal, key)
    with pytest.raises(InvalidFields) as refusal:
        await portal.settings.save(signed_in(key), replace(form, last_name="Ив<а>нова"), CALL)

    assert {name: type(error) for name, error in refusal.value.by_field.items()} == {"last_name": InvalidName}
    assert (await portal.settings.save(signed_in(key), replace(form, first_name="Анна"), CALL)).changed == (
        "first_name",
    )


@pytest.mark.parametrize("email", ["irina@intranet", "irina@example.ru", "ирина@почта.рф", "i r@example.ru"])
async def test_an_address_from_gosuslugi_is_not_judged_while_it_stays(
    portal: Portal, gateway: OidcScript, email: str
) -> None:
    portal, key = await signed_up(portal, await claimed(gateway, email=email))
    form = await shown_form(portal, key)

    assert (await portal.settings.save(signed_in(key), replace(form, first_name="Ирма"), CALL)).changed == (
        "first_name",
    )


CLAIMED = [
    *(("snils", "snils", copied, copied.means or "") for copied in SNILS_NUMBERS),
    *(("oms_policy", "oms_policy", copied, copied.means or "") for copied in POLICIES),
    *(("phone_number", "phone", copied, copied.means or "") for copied in PHONES),
    *(("email", "email", copied, copied.means) for copied in ADDRESSES if copied.means),
]


@pytest.mark.parametrize(("claim", "field", "copied", "expected"), CLAIMED, ids=str)
async def test_a_claim_is_read_by_the_same_reader(
    gateway: OidcScript, claim: str, field: str, copied: Copied, expected: str
) -> None:
    assert getattr(await claimed(gateway, **{claim: copied.written}), field) == expected


@pytest.mark.parametrize(
    "written",
    ["2001-06-09", "09.06.2001", "\u200e2001-06-09", "2001\u201106\u201109", "2001-06-09T00:00:00Z", "09062001"],
)
async def test_a_birth_date_of_a_gateway_is_read_with_its_whole_year(gateway: OidcScript, written: str) -> None:
    assert (await claimed(gateway, birthdate=written)).birth_date == date(2001, 6, 9)


def test_what_is_shown_is_read_again() -> None:
    assert PhoneNumber.parse(PhoneNumber(PHONE).spaced).e164 == PHONE
    assert OmsPolicy.parse(OmsPolicy(POLICY).spaced).digits == POLICY
    assert Snils.read(Snils(SNILS).spaced) == Snils(SNILS)
    assert EmailAddress.parse(EmailAddress(ADDRESS).text).text == ADDRESS
    assert parse_birth_date(f"{BORN:%d.%m.%Y}", TODAY) == BORN
