"""Who is asking: a session is as fresh as the provider's own proof, and phone and password want a fresh one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from medonline.bootstrap import Portal
from medonline.domain.client import Client
from medonline.domain.errors import IdentityProblem, IdentityRefused, ReauthenticationNeeded
from medonline.domain.personal_data_consent import VERSION
from medonline.services.account_settings.form import SettingsForm
from medonline.services.crypto.tokens import token_hash
from medonline.services.gosuslugi.login import JourneyReturn, Purpose, Waiting
from medonline.services.login.password_login import OpenedSession
from medonline.services.login.tickets import NEVER
from medonline.services.ports import IdentityPerson
from tests.services.outside import (
    DEVICE,
    MOBILE,
    RETURN,
    VERA,
    ScriptedIdentity,
    arrive,
    leave,
    provider_of,
    with_provider,
)
from tests.services.world import ANNA, BORIS, CALL, KNOWN, PASSWORD, MovableClock, opened, signed_in

ONWARD = "http://127.0.0.1:8000/gosuslugi/onward"
NEW_PASSWORD = SettingsForm(MOBILE, "vera@example.ru", "Воробьёва", "Вера", "KorablLipa47", "KorablLipa47")


@pytest.fixture
async def portal(folder: Path, clock: MovableClock) -> AsyncIterator[Portal]:
    async with opened(folder, clock) as portal:
        yield with_provider(portal, ScriptedIdentity())


async def came(portal: Portal, state: str, person: IdentityPerson, visitor: Client = ANNA) -> str:
    """Back from the provider, which tells just what is in `person`: the key of the session."""
    back = JourneyReturn(state, provider_of(portal).code_for(person))
    outcome = await portal.identity.finish(replace(visitor, device=DEVICE), back)
    assert isinstance(outcome, OpenedSession)
    return token_hash(outcome.token)


async def proved_at(portal: Portal, key: str) -> datetime:
    who = await portal.login.who(key)
    assert who is not None
    return who.authenticated_at


@pytest.mark.parametrize("purpose", Purpose)
@pytest.mark.parametrize("signed_in", [False, True])
async def test_a_fresh_proof_is_asked_for_where_phone_and_password_change_and_where_somebody_is_signed_in(
    portal: Portal, purpose: Purpose, signed_in: bool
) -> None:
    await portal.identity.start(ANNA, purpose, RETURN, signed_in=signed_in)

    wanted = signed_in or purpose in (Purpose.RECOVERY, Purpose.SETTINGS)
    assert [request.fresh for request in provider_of(portal).asked] == [wanted]


async def test_what_the_provider_remembers_for_hours_changes_no_password(portal: Portal, clock: MovableClock) -> None:
    """A sign-in whose cookie was thrown away asks no fresh proof: it does not pass for one either."""
    await arrive(portal, BORIS, VERA, consent=VERSION)
    remembered = replace(VERA, authenticated_at=clock.now - timedelta(hours=3))
    key = await came(portal, await leave(portal, ANNA), remembered)

    assert await proved_at(portal, key) == remembered.authenticated_at
    with pytest.raises(ReauthenticationNeeded):
        await portal.settings.save(signed_in(key), NEW_PASSWORD, CALL)
    key = await came(
        portal, await leave(portal, ANNA, Purpose.SETTINGS), replace(VERA, authenticated_at=clock.now), ANNA
    )
    assert "password_hash" in (await portal.settings.save(signed_in(key), NEW_PASSWORD, CALL)).changed


async def test_a_provider_that_does_not_tell_when_it_asked_proves_nothing_for_a_password(portal: Portal) -> None:
    await arrive(portal, BORIS, VERA, consent=VERSION)
    key = await came(portal, await leave(portal, ANNA), VERA)

    assert await proved_at(portal, key) == NEVER
    with pytest.raises(ReauthenticationNeeded):
        await portal.settings.save(signed_in(key), NEW_PASSWORD, CALL)


@pytest.mark.parametrize("purpose", [Purpose.LOGIN, Purpose.RECOVERY])
async def test_who_forgot_the_password_and_has_just_signed_in_at_gosuslugi_sets_a_new_one_at_once(
    portal: Portal, clock: MovableClock, purpose: Purpose
) -> None:
    await arrive(portal, BORIS, VERA, consent=VERSION)
    state = await leave(portal, ANNA, purpose)
    clock.move(minutes=3)
    asked = replace(VERA, authenticated_at=clock.now - timedelta(seconds=20))
    key = await came(portal, state, asked)
    clock.move(minutes=10)

    assert "password_hash" in (await portal.settings.save(signed_in(key), NEW_PASSWORD, CALL)).changed


async def test_consent_makes_a_session_no_fresher_than_the_providers_proof(portal: Portal, clock: MovableClock) -> None:
    told = clock.now - timedelta(minutes=40)
    assert await arrive(portal, ANNA, replace(VERA, authenticated_at=told)) is Waiting.CONSENT
    clock.move(minutes=1)
    opened = await portal.login.open_session(ANNA, await portal.answers.consent(ANNA))
    assert opened is not None

    assert await proved_at(portal, token_hash(opened.token)) == told


async def test_the_password_of_the_linked_account_is_a_fresh_proof(portal: Portal, clock: MovableClock) -> None:
    nameless = replace(
        VERA, first_name="Мария", last_name="Иванова", birth_date=None, phone="", snils="", authenticated_at=NEVER
    )
    assert await arrive(portal, ANNA, nameless) is Waiting.CONSENT
    await portal.answers.have_account(ANNA)
    ticket = await portal.answers.prove_by_password(ANNA, KNOWN, PASSWORD)
    clock.move(seconds=20)
    opened = await portal.login.open_session(ANNA, ticket)
    assert opened is not None

    assert await proved_at(portal, token_hash(opened.token)) == clock.now - timedelta(seconds=20)


# --- a provider that knows no wish for a fresh proof ------------------------------------------------------------


@pytest.fixture
def esia(portal: Portal) -> Portal:
    return with_provider(portal, ScriptedIdentity(asks_after_sign_out=True))


async def start(portal: Portal, purpose: Purpose = Purpose.SETTINGS) -> str:
    return await portal.identity.start(ANNA, purpose, RETURN, VERSION, onward_uri=ONWARD)


async def test_there_the_browser_signs_out_first_and_goes_on_with_the_same_journey(
    esia: Portal, clock: MovableClock
) -> None:
    assert await start(esia) == f"https://esia.test.example/logout?back={ONWARD}"
    assert provider_of(esia).asked == []
    clock.move(seconds=30)
    assert (await esia.identity.onward(ANNA)).startswith("https://esia.test.example/ac?state=")
    (request,) = provider_of(esia).asked
    assert (request.fresh, request.begun_at) == (True, clock.now)

    key = await came(esia, request.state, replace(VERA, authenticated_at=clock.now))
    assert await proved_at(esia, key) == clock.now


async def test_a_sign_in_without_a_session_keeps_what_gosuslugi_remembers(esia: Portal) -> None:
    assert (await start(esia, Purpose.LOGIN)).startswith("https://esia.test.example/ac?state=")


async def test_nobody_goes_on_who_did_not_leave_or_twice_or_late(esia: Portal, clock: MovableClock) -> None:
    async def refused(visitor: Client) -> bool:
        with pytest.raises(IdentityRefused) as refusal:
            await esia.identity.onward(visitor)
        return refusal.value.problem is IdentityProblem.STALE

    await start(esia)
    assert await refused(BORIS)
    assert await refused(Client())
    await esia.identity.onward(ANNA)
    assert await refused(ANNA)
    await start(esia)
    clock.move(minutes=10)
    assert await refused(ANNA)
    await start(esia, Purpose.LOGIN)
    assert await refused(ANNA)
