"""The last step of a recovery: what a proof of the phone is worth after the account's number was changed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from sqlmodel import col, update

from medonline.bootstrap import Portal
from medonline.domain.errors import NoRecoveryInProgress
from medonline.services.account_settings.form import SettingsForm
from medonline.services.crypto.tokens import token_hash
from medonline.storage.tables.patients import Patient
from tests.services.world import (
    ANNA,
    BORIS,
    CALL,
    KNOWN,
    MovableClock,
    last_code,
    patient_with,
    prove,
    sign_in,
)

NEW_PHONE = "+79000009123"
STRANGERS = "StrangersPassword1"


async def in_the_settings(portal: Portal) -> None:
    """The owner signs in and proves the new number by a code."""
    key = token_hash(await sign_in(portal, ANNA))
    patient = await patient_with(portal)
    form = SettingsForm(
        phone=NEW_PHONE,
        email=patient.email,
        last_name=patient.last_name,
        first_name=patient.first_name,
        password="",
        password_confirmation="",
    )
    assert (await portal.settings.save(key, form, CALL)).code_needed
    await portal.settings.confirm_phone(key, await last_code(portal, NEW_PHONE))


async def at_the_desk(portal: Portal) -> None:
    await portal.personal_data.set_phone((await patient_with(portal)).id, NEW_PHONE)


async def between_two_statements(portal: Portal) -> None:
    """A change that saw no recovery to end, because it was committed while the new password was hashed."""
    async with portal.database.writing() as session:
        await session.exec(update(Patient).where(col(Patient.phone) == KNOWN).values(phone=NEW_PHONE))


@pytest.mark.parametrize("change", [in_the_settings, at_the_desk, between_two_statements])
async def test_a_proof_does_not_outlive_its_number(
    portal: Portal, clock: MovableClock, change: Callable[[Portal], Awaitable[None]]
) -> None:
    await prove(portal, BORIS)
    await change(portal)
    before = await patient_with(portal, NEW_PHONE)

    with pytest.raises(NoRecoveryInProgress):
        await portal.recovery.set_password(BORIS, STRANGERS)
    assert (await patient_with(portal, NEW_PHONE)).password_hash == before.password_hash
