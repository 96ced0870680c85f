"""What the settings' new phone asks of the database. A ceiling is raised with a reason only."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from medonline.bootstrap import Portal
from medonline.services.account_settings.form import SettingsForm
from medonline.services.crypto.tokens import token_hash
from tests.services.statement_counts import counting, send, statements_of
from tests.services.world import ANNA, BORIS, CALL, TELEGRAM, MovableClock, last_code, patient_with, sign_in, signed_in

NEW_PHONE = "+79000006001"
FORM = SettingsForm(NEW_PHONE, "", "Иванова", "Мария", "", "")


@dataclass
class SignedIn:
    portal: Portal
    key: str


@pytest.fixture
async def me(folder: Path, clock: MovableClock) -> AsyncIterator[SignedIn]:
    async with counting(folder, clock) as portal:
        await portal.recovery.begin(BORIS, "+79000007001", CALL)  # the day's spending has begun
        yield SignedIn(portal, token_hash(await sign_in(portal, ANNA)))


async def test_a_new_phone(me: SignedIn) -> None:
    assert len(await statements_of(me.portal, me.portal.settings.save(signed_in(me.key), FORM, CALL))) <= 16


async def test_one_look_of_the_watch(me: SignedIn) -> None:
    await me.portal.settings.save(signed_in(me.key), FORM, CALL)
    await send(me.portal)

    assert len(await statements_of(me.portal, me.portal.settings.code_of(me.key))) <= 4


async def test_another_code(me: SignedIn, clock: MovableClock) -> None:
    await me.portal.settings.save(signed_in(me.key), FORM, CALL)
    clock.move(minutes=2)

    # Two more than a first code costs: the phone is looked at before its place within the limits is taken, and whether the
    # change still waits is asked under its lock, after the code's.
    assert len(await statements_of(me.portal, me.portal.settings.resend(signed_in(me.key), TELEGRAM))) <= 14


async def test_the_right_code(me: SignedIn) -> None:
    await me.portal.settings.save(signed_in(me.key), FORM, CALL)
    await send(me.portal)
    code = await last_code(me.portal, NEW_PHONE)

    assert len(await statements_of(me.portal, me.portal.settings.confirm_phone(me.key, code))) <= 19
    assert await patient_with(me.portal, NEW_PHONE)
