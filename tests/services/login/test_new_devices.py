"""Which sign-in is told as one from a new device: a browser is known by its mark, its open session, or its own recovery."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from medonline.bootstrap import DEMO_ACCOUNTS, Portal
from medonline.domain.client import Client
from medonline.domain.device import Device as Browser
from medonline.domain.errors import InvalidCredentials
from medonline.domain.passkeys import PasskeyPurpose
from medonline.services.account_settings.form import SettingsForm
from medonline.services.crypto.tokens import token_hash
from medonline.services.gosuslugi.login import Waiting
from medonline.services.login.password_login import OpenedSession
from tests.services.account_limits import FORM
from tests.services.notices.phone import told
from tests.services.outside import DEVICE, MOBILE, VERA, ScriptedIdentity, arrive, with_provider
from tests.services.passkeys import device as passkeys
from tests.services.world import (
    ANNA,
    BORIS,
    CALL,
    KNOWN,
    PASSWORD,
    UNKNOWN,
    MovableClock,
    opened,
    prove,
    statements,
)

NEW_PASSWORD = "KorablLipa47"
WINDOWS = Browser("Chrome, Windows", "192.0.2.x")
PHONE = replace(ANNA, device=WINDOWS)
BY_PASSWORD = "Медицина-онлайн: вход в кабинет 2 марта в 15:00 по паролю с незнакомого устройства: Chrome, Windows."


@pytest.fixture
async def portal(folder: Path, clock: MovableClock) -> AsyncIterator[Portal]:
    async with opened(folder, clock, new_device_notices="all", new_device_notices_per_account="20 per 24 h") as portal:
        yield with_provider(portal, ScriptedIdentity())


async def enter(portal: Portal, client: Client, phone: str = KNOWN, password: str = PASSWORD) -> Client:
    """The browser after a sign-in: with its session, and known by its marks."""
    session = await portal.login.open_session(client, await portal.login.log_in(client, phone, password))
    assert session is not None
    return replace(client, session_key=token_hash(session.token), marks=session.marks)


async def of_new_devices(portal: Portal) -> list[str]:
    """What phones have been told of sign-ins since the last look, without the link."""
    return [text.partition(" Это не вы?")[0] for _, text in await told(portal) if "устройства" in text]


async def test_a_browser_is_told_once(portal: Portal) -> None:
    known = await enter(portal, PHONE)
    assert await of_new_devices(portal) == [BY_PASSWORD]

    await portal.login.close_session(known.session_key)
    again = await enter(portal, replace(known, session_key=""))
    await enter(portal, again)
    assert await of_new_devices(portal) == []

    await enter(portal, PHONE)  # its cookies are gone
    assert await of_new_devices(portal) == [BY_PASSWORD]


async def test_a_wrong_password_tells_nobody_anything(portal: Portal) -> None:
    for phone in (KNOWN, UNKNOWN):
        with pytest.raises(InvalidCredentials):
            await portal.login.log_in(PHONE, phone, "Zdorovie2027")
    await portal.login.log_in(PHONE, KNOWN, PASSWORD)  # its ticket was never traded: nobody is inside

    assert await told(portal) == []


async def test_the_mark_of_another_account_makes_no_browser_known(portal: Portal) -> None:
    other = DEMO_ACCOUNTS[1]
    known = await enter(portal, PHONE, other.phone, other.password)
    assert len(await of_new_devices(portal)) == 1

    await enter(portal, known)
    assert len(await of_new_devices(portal)) == 1


async def test_the_browser_of_a_recovery_is_told_of_by_the_recovery_alone(portal: Portal) -> None:
    thief = await enter(portal, replace(BORIS, device=WINDOWS))
    await prove(portal, PHONE)
    await portal.recovery.set_password(PHONE, NEW_PASSWORD)
    assert len(await told(portal)) == 2

    await enter(portal, PHONE, password=NEW_PASSWORD)
    assert await told(portal) == []
    # Whoever was inside before the new password is told of again, whatever marks the browser has.
    await enter(portal, thief, password=NEW_PASSWORD)
    assert await of_new_devices(portal) == [BY_PASSWORD]


async def test_a_recovery_of_before_the_password_in_force_makes_no_browser_known(
    portal: Portal, clock: MovableClock
) -> None:
    await prove(portal, BORIS)
    await portal.recovery.set_password(BORIS, NEW_PASSWORD)
    clock.move(minutes=10)
    await prove(portal, ANNA)
    await portal.recovery.set_password(ANNA, PASSWORD)
    await told(portal)

    await enter(portal, BORIS)
    assert len(await of_new_devices(portal)) == 1


async def test_the_browser_in_which_the_password_was_changed_stays_known(portal: Portal, clock: MovableClock) -> None:
    owner = await enter(portal, PHONE)
    other = await enter(portal, BORIS)
    form: SettingsForm = replace(FORM, password=NEW_PASSWORD, password_confirmation=NEW_PASSWORD)
    await portal.settings.save(owner, form, CALL)
    await told(portal)

    clock.move(hours=2)  # it idles out
    await enter(portal, owner, password=NEW_PASSWORD)
    assert await of_new_devices(portal) == []
    await enter(portal, other, password=NEW_PASSWORD)
    assert len(await of_new_devices(portal)) == 1


async def test_a_browser_that_signs_out_takes_the_mark_of_the_password_in_force_along(portal: Portal) -> None:
    owner = await enter(portal, PHONE)
    await portal.settings.save(owner, replace(FORM, password=NEW_PASSWORD, password_confirmation=NEW_PASSWORD), CALL)
    ended = await portal.login.close_session(owner.session_key)
    assert ended is not None
    left = replace(owner, session_key="", marks=await portal.login.marks_after(ended, owner.marks))
    await told(portal)

    await enter(portal, left, password=NEW_PASSWORD)
    assert await of_new_devices(portal) == []


async def test_a_session_that_somebody_has_ended_makes_no_browser_known(portal: Portal) -> None:
    thief = replace(await enter(portal, BORIS), marks="")
    owner = await enter(portal, PHONE)
    await portal.sessions.end_others(owner.session_key)
    await told(portal)

    await enter(portal, thief)
    assert len(await of_new_devices(portal)) == 1


async def test_a_passkey_on_a_new_device_is_told(portal: Portal) -> None:
    owner = await enter(portal, PHONE)
    key = passkeys.Device()
    await passkeys.add(portal, owner, key)
    await told(portal)

    ticket = await passkeys.log_in(portal, replace(BORIS, device=WINDOWS), key, PasskeyPurpose.SIGN_IN)
    assert await portal.login.open_session(replace(BORIS, device=WINDOWS), ticket) is not None
    said = "Медицина-онлайн: вход в кабинет 2 марта в 15:00 по отпечатку, лицу или PIN с незнакомого устройства: Chrome, Windows."
    assert await of_new_devices(portal) == [said]


async def test_gosuslugi_tells_of_a_new_device_and_gives_it_a_mark(portal: Portal, clock: MovableClock) -> None:
    assert await arrive(portal, ANNA) is Waiting.CONSENT
    client = replace(ANNA, device=DEVICE)
    first = await portal.login.open_session(client, await portal.answers.consent(client))
    assert first is not None
    assert await told(portal) == []  # the account is as old as this sign-in
    clock.move(hours=1)

    again = await arrive(portal, replace(ANNA, marks=first.marks))
    assert isinstance(again, OpenedSession)
    assert await told(portal) == []
    known = await arrive(portal, replace(ANNA, marks=again.marks))
    elsewhere = await arrive(portal, BORIS)
    assert isinstance(known, OpenedSession)
    assert isinstance(elsewhere, OpenedSession)
    ((number, text),) = await told(portal)
    assert number == MOBILE
    said = "Медицина-онлайн: вход в кабинет 2 марта в 16:00 через Госуслуги с незнакомого устройства: Firefox, Linux."
    assert text.startswith(said)


async def test_a_proof_by_gosuslugi_inside_a_session_is_no_new_device(portal: Portal, clock: MovableClock) -> None:
    assert await arrive(portal, ANNA) is Waiting.CONSENT
    client = replace(ANNA, device=DEVICE)
    first = await portal.login.open_session(client, await portal.answers.consent(client))
    assert first is not None
    clock.move(minutes=20)

    inside = replace(ANNA, session_key=token_hash(first.token))  # of before this release: without a mark
    assert isinstance(await arrive(portal, inside), OpenedSession)
    assert await told(portal) == []


async def test_who_has_just_linked_gosuslugi_is_told_of_that_alone(portal: Portal) -> None:
    person = replace(VERA, phone=KNOWN, birth_date=None, last_name="Иванова", first_name="Мария")
    assert await arrive(portal, ANNA, person) is Waiting.PROOF
    ticket = await portal.answers.prove_by_password(ANNA, KNOWN, PASSWORD)
    assert await portal.login.open_session(ANNA, ticket) is not None

    ((_, text),) = await told(portal)
    assert "ещё одну учётную запись Госуслуг" in text


async def test_the_notice_is_there_with_the_session_or_neither_is(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: object, **__: object) -> None:
        raise RuntimeError("the process dies here")

    ticket = await portal.login.log_in(PHONE, KNOWN, PASSWORD)
    with monkeypatch.context() as broken:
        broken.setattr("medonline.services.notices.sender.NoticeService.put", break_down)
        with pytest.raises(RuntimeError):
            await portal.login.open_session(PHONE, ticket)
    assert await told(portal) == []

    assert await portal.login.open_session(PHONE, ticket) is not None  # nothing of it was kept, so the ticket is good
    assert await of_new_devices(portal) == [BY_PASSWORD]


async def test_a_known_browser_costs_no_statement_more(portal: Portal) -> None:
    known = await enter(portal, PHONE)
    ticket = await portal.login.log_in(known, KNOWN, PASSWORD)
    with statements(portal) as seen:
        await portal.login.open_session(known, ticket)
    assert not [one for one in seen if "notice" in one or "finished_at >=" in one]
