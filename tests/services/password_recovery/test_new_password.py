"""The last step of a recovery: what the new password ends, what is refused, and what a proof of the phone is worth by then."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from sqlmodel import col, update

from medonline.bootstrap import Portal
from medonline.domain.errors import InvalidPassword, MedonlineError, NoRecoveryInProgress, PasswordAlreadySet
from medonline.domain.password_recovery import RecoveryStep
from medonline.services.account_settings.form import SettingsForm
from medonline.services.crypto.tokens import token_hash
from medonline.storage.tables.patients import Patient
from tests.services.world import (
    ANNA,
    BORIS,
    CALL,
    KNOWN,
    OTHER_KNOWN,
    MovableClock,
    PlainHasher,
    current_of,
    last_code,
    patient_with,
    prove,
    sign_in,
    signed_in,
    told_of,
)

NEW = "NewPassword1"
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
    assert (await portal.settings.save(signed_in(key), form, CALL)).code_needed
    await portal.settings.confirm_phone(key, await last_code(portal, NEW_PHONE))


async def at_the_desk(portal: Portal) -> None:
    await portal.desk.personal_data.set_phone((await patient_with(portal)).id, NEW_PHONE)


async def between_two_statements(portal: Portal) -> None:
    """A change that saw no recovery to end, because it was committed while the new password was hashed."""
    with portal.database.writing() as session:
        session.exec(update(Patient).where(col(Patient.phone) == KNOWN).values(phone=NEW_PHONE))


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


@pytest.mark.parametrize("change", [in_the_settings, at_the_desk])
async def test_a_proof_does_not_come_back_with_its_number(
    portal: Portal, change: Callable[[Portal], Awaitable[None]]
) -> None:
    """The change itself ends the proof: it does not only wait until the account has the old number again."""
    await prove(portal, BORIS)
    await change(portal)
    with portal.database.writing() as session:
        session.exec(update(Patient).where(col(Patient.phone) == NEW_PHONE).values(phone=KNOWN))
    before = await patient_with(portal)

    with pytest.raises(NoRecoveryInProgress):
        await portal.recovery.set_password(BORIS, STRANGERS)
    assert (await patient_with(portal)).password_hash == before.password_hash


async def test_the_new_password_signs_in_and_the_old_one_does_not(portal: Portal) -> None:
    await prove(portal, ANNA)
    view = await portal.recovery.set_password(ANNA, NEW)

    assert view.step is RecoveryStep.DONE
    assert await sign_in(portal, ANNA, KNOWN, NEW)
    with pytest.raises(MedonlineError):
        await sign_in(portal, ANNA)


async def test_a_password_change_ends_every_session_and_every_ticket(portal: Portal, clock: MovableClock) -> None:
    ended = told_of(portal, "session")
    tokens = [token_hash(await sign_in(portal, visitor)) for visitor in (ANNA, BORIS)]
    others = token_hash(await sign_in(portal, BORIS, OTHER_KNOWN, "Poliklinika7"))
    ticket = await portal.login.log_in(BORIS, KNOWN, "Zdorovie2026")
    clock.move(seconds=10)
    await prove(portal, ANNA)
    await portal.recovery.set_password(ANNA, NEW)

    assert sorted(ended) == sorted(tokens)
    assert [await portal.login.who(key) for key in tokens] == [None, None]
    assert await portal.login.open_session(BORIS, ticket) is None
    assert await portal.login.who(others) is not None


async def test_a_refused_password_keeps_the_step(portal: Portal) -> None:
    await prove(portal, ANNA)
    for typed in ("", "short", "русский-пароль", "x" * 5000):
        with pytest.raises(InvalidPassword):
            await portal.recovery.set_password(ANNA, typed)

    assert (await current_of(portal, ANNA)).step is RecoveryStep.NEW_PASSWORD
    assert (await portal.recovery.set_password(ANNA, NEW)).step is RecoveryStep.DONE


async def test_a_new_password_submitted_twice_is_set_once(portal: Portal) -> None:
    await prove(portal, ANNA)
    views = await asyncio.gather(*(portal.recovery.set_password(ANNA, NEW) for _ in range(3)))
    stored = (await patient_with(portal)).password_hash
    views.append(await portal.recovery.set_password(ANNA, NEW))
    for refused, why in (("OtherPassword2", PasswordAlreadySet), ("абв", InvalidPassword), ("", InvalidPassword)):
        with pytest.raises(why):
            await portal.recovery.set_password(ANNA, refused)

    assert {view.step for view in views} == {RecoveryStep.DONE}
    assert (await patient_with(portal)).password_hash == stored
    assert await sign_in(portal, ANNA, KNOWN, NEW)


async def test_a_proof_that_grows_old_while_the_password_is_hashed_is_refused(
    portal: Portal, clock: MovableClock
) -> None:
    class SlowHasher(PlainHasher):
        async def hash(self, password: str) -> str:
            clock.move(minutes=10)
            return await super().hash(password)

    await prove(portal, ANNA)
    slow = replace(portal.recovery.new_password, hasher=SlowHasher())
    with pytest.raises(NoRecoveryInProgress):
        await replace(portal.recovery, new_password=slow).set_password(ANNA, NEW)

    assert await sign_in(portal, ANNA)


async def test_a_phone_proved_in_another_browser_before_the_new_password_sets_none_after_it(
    portal: Portal, clock: MovableClock
) -> None:
    await prove(portal, BORIS)
    clock.move(minutes=2)
    await prove(portal, ANNA)
    assert (await portal.recovery.set_password(ANNA, NEW)).step is RecoveryStep.DONE

    assert await portal.recovery.current(BORIS) is None
    with pytest.raises(NoRecoveryInProgress):
        await portal.recovery.set_password(BORIS, "DrugoyParol58")
    assert await sign_in(portal, ANNA, KNOWN, NEW)
