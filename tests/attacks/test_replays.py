"""Cookies of flows and sessions that are over, sent once more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from medonline.bootstrap import Portal
from medonline.domain.errors import NoRecoveryInProgress, NotSignedIn, PasswordAlreadySet
from medonline.services.account_settings.form import SettingsForm
from medonline.services.crypto.tokens import token_hash
from tests.services.outside import dump
from tests.services.world import ANNA, BORIS, CALL, KNOWN, UNKNOWN, MovableClock, last_code, prove, sign_in, signed_in

NEW, OTHER = "KorablLipa47", "LipaKorabl74"


async def done(portal: Portal) -> str:
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    code = await last_code(portal)
    await portal.recovery.confirm_code(ANNA, code)
    await portal.recovery.set_password(ANNA, NEW)
    return code


async def left_when_done(portal: Portal) -> str:
    code = await done(portal)
    await portal.recovery.leave(ANNA)
    return code


async def left_when_proved(portal: Portal) -> str:
    await prove(portal, ANNA)
    await portal.recovery.leave(ANNA)
    return await last_code(portal)


async def without_account(portal: Portal) -> str:
    await prove(portal, ANNA, UNKNOWN)
    await portal.recovery.leave(ANNA)
    return await last_code(portal)


@pytest.mark.parametrize("ended", [done, left_when_done, left_when_proved, without_account])
async def test_the_cookie_of_a_flow_that_is_over_opens_nothing(
    portal: Portal, clock: MovableClock, folder: Path, ended: Callable[[Portal], Awaitable[str]]
) -> None:
    """An attacker who found the visitor's cookie and the code, when the patient has gone."""
    code = await ended(portal)
    for hours in (0, 1, 24):
        clock.move(hours=hours)
        before = dump(folder)
        for attempt in (portal.recovery.resend(ANNA, CALL), portal.recovery.confirm_code(ANNA, code)):
            with pytest.raises(NoRecoveryInProgress):
                await attempt
        with pytest.raises((NoRecoveryInProgress, PasswordAlreadySet)):
            await portal.recovery.set_password(ANNA, OTHER)
        with pytest.raises(NoRecoveryInProgress):
            await portal.recovery.confirm_birth_date(ANNA, "21.05.1958")
        assert dump(folder) == before


async def test_the_cookie_of_a_session_that_is_over_opens_nothing(
    portal: Portal, clock: MovableClock, folder: Path
) -> None:
    signed_out = token_hash(await sign_in(portal, ANNA))
    await portal.login.close_session(signed_out)
    idled = token_hash(await sign_in(portal, BORIS))
    clock.move(minutes=30)
    before = dump(folder)
    form = SettingsForm(KNOWN, "", "Иванова", "Марья", OTHER, OTHER)
    for key in (signed_out, idled):
        assert await portal.login.who(key) is None
        assert await portal.sessions.extend(key) is None
        for attempt in (
            portal.settings.current(key),
            portal.settings.save(signed_in(key), form, CALL),
            portal.sessions.everywhere(key),
            portal.sessions.prove_again(signed_in(key), NEW),
            portal.cards.kept(key),
        ):
            with pytest.raises(NotSignedIn):
                await attempt
    assert dump(folder) == before
