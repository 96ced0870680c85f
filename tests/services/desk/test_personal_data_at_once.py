"""An operator's command and what somebody else does to the account at the same moment: the second sees what the first did.

On PostgreSQL the other comes in the middle of the command's transaction, between its first look and its lock; SQLite has one writer,
and there the other comes right before it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from medonline.bootstrap import Portal
from medonline.domain.errors import AccountNotFound, PhoneTaken
from medonline.services.account_settings.form import SettingsForm
from medonline.services.crypto.tokens import token_hash
from medonline.services.desk import personal_data
from medonline.services.desk.personal_data import PersonalDataService
from medonline.services.notices.texts import Text
from medonline.storage.tables.patients import Patient
from medonline.wording import notices as wording
from tests.patience import PATIENCE
from tests.services.account_limits import notices_of
from tests.services.notices.phone import token_in, told
from tests.services.overtaking import overtaken
from tests.services.world import (
    BORIS,
    CALL,
    KNOWN,
    OTHER_KNOWN,
    UNKNOWN,
    MovableClock,
    database_of,
    last_code,
    opened,
    patient_with,
    sign_in,
    signed_in,
)

THIEFS = "+79000008811"
CHANGED, HERE = wording.text(Text.DESK_PHONE_CHANGED), wording.text(Text.DESK_NUMBER)


@pytest.fixture
async def command(folder: Path, clock: MovableClock) -> AsyncIterator[Portal]:
    """The process of the operator's command, with connections of its own."""
    async with opened(folder, clock) as portal:
        yield portal


def overtaken_after(
    folder: Path, of: Any, name: str, action: Coroutine[Any, Any, object]
) -> AbstractAsyncContextManager[None]:
    """The block happens once the action has called this function of `of`, and holds nothing yet."""
    if database_of(folder).startswith("sqlite"):
        return overtaken(action)
    return _overtaken_after(of, name, action)


@asynccontextmanager
async def _overtaken_after(of: Any, name: str, action: Coroutine[Any, Any, object]) -> AsyncIterator[None]:
    real, arrived, goes_on = getattr(of, name), threading.Event(), threading.Event()
    kept = []  # a session gives a row again as it was read, as long as anybody holds it

    def waits(*arguments: Any) -> Any:
        answer = real(*arguments)
        kept.append(answer)
        if not arrived.is_set():
            arrived.set()
            assert goes_on.wait(PATIENCE)
        return answer

    with patch.object(of, name, staticmethod(waits)):
        task = asyncio.create_task(action)
        try:
            assert await asyncio.to_thread(arrived.wait, PATIENCE)
            yield
        finally:
            goes_on.set()
            await task


async def links(portal: Portal) -> dict[str, tuple[str, bool]]:
    """What each phone has been told since the last look, and whether with a link."""
    return {number: (text.partition(" Это не вы? ")[0], "#" in text) for number, text in await told(portal)}


async def takes_number(portal: Portal, number: str) -> None:
    """A stranger with the password puts their own number on record."""
    thief = token_hash(await sign_in(portal, BORIS))
    await portal.settings.save(signed_in(thief), SettingsForm(number, "", "Иванова", "Мария", "", ""), CALL)
    await portal.settings.confirm_phone(thief, await last_code(portal, number))


async def phone_of(portal: Portal, patient_id: str) -> str | None:
    patient = await portal.database.read(lambda session: session.get(Patient, patient_id))
    assert patient is not None
    return patient.phone


async def test_the_number_that_was_put_on_record_meanwhile_is_told_too(
    portal: Portal, command: Portal, folder: Path
) -> None:
    act = command.desk.personal_data.set_phone((await patient_with(portal)).id, UNKNOWN)
    async with overtaken_after(folder, PersonalDataService, "_patient", act):
        await takes_number(portal, THIEFS)
        await told(portal)

    assert await links(portal) == {THIEFS: (CHANGED, False), KNOWN: (CHANGED, True), UNKNOWN: (HERE, True)}


async def test_an_account_that_its_owner_closes_meanwhile_is_a_closed_one(
    portal: Portal, command: Portal, folder: Path
) -> None:
    patient = await patient_with(portal)
    await takes_number(portal, THIEFS)
    ((_, text),) = await told(portal)
    async with overtaken_after(
        folder, PersonalDataService, "_patient", command.desk.personal_data.set_phone(patient.id, THIEFS)
    ):
        await portal.dispute.raise_(token_in(text))
        await told(portal)

    assert await phone_of(portal, patient.id) == THIEFS
    assert await links(portal) == {KNOWN: (CHANGED, False), THIEFS: (HERE, True)}


async def test_an_account_that_is_erased_meanwhile_is_none(portal: Portal, command: Portal, folder: Path) -> None:
    act = command.desk.personal_data.set_phone(KNOWN, UNKNOWN)
    with pytest.raises(AccountNotFound):
        async with overtaken_after(folder, PersonalDataService, "_patient", act):
            await portal.desk.personal_data.erase(KNOWN)

    assert await notices_of(portal) == []


async def test_of_two_accounts_one_gets_the_number_and_nobody_is_told_of_the_other(
    portal: Portal, command: Portal, folder: Path
) -> None:
    act = command.desk.personal_data.set_phone(KNOWN, UNKNOWN)
    with pytest.raises(PhoneTaken):
        async with overtaken_after(folder, personal_data.at_desk, "of_number", act):
            await portal.desk.personal_data.set_phone(OTHER_KNOWN, UNKNOWN)

    assert {*await links(portal)} == {OTHER_KNOWN, UNKNOWN}
    assert (await patient_with(portal)).phone == KNOWN


async def test_the_patient_hears_that_the_desk_gave_the_number_to_another_account(
    portal: Portal, command: Portal
) -> None:
    thief = token_hash(await sign_in(portal, BORIS))
    await portal.settings.save(signed_in(thief), SettingsForm(UNKNOWN, "", "Иванова", "Мария", "", ""), CALL)
    code = await last_code(portal, UNKNOWN)
    await command.desk.personal_data.set_phone(OTHER_KNOWN, UNKNOWN)
    with pytest.raises(PhoneTaken):
        await portal.settings.confirm_phone(thief, code)

    assert {*await links(portal)} == {OTHER_KNOWN, UNKNOWN}
