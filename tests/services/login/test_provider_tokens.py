"""The identity provider's token is kept for its sign-out: it goes with the session, however that ends, and with the ticket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlmodel import select

from medonline.bootstrap import Portal
from medonline.domain.personal_data_consent import VERSION
from medonline.services.account_settings.form import SettingsForm
from medonline.services.crypto.tokens import token_hash
from medonline.services.login.account_sessions import NUMBER_LENGTH
from medonline.services.login.password_login import OpenedSession
from medonline.storage.tables.login import AccountSession, LoginTicket
from tests.services.outside import MOBILE, VERA, ScriptedIdentity, arrive, with_provider
from tests.services.world import ANNA, BORIS, CALL, MovableClock, browser, opened, prove, signed_in


@dataclass
class SignedInTwice:
    """Вера in two browsers, through Gosuslugi."""

    portal: Portal
    mine: str
    other: str


@pytest.fixture
async def vera(folder: Path, clock: MovableClock) -> AsyncIterator[SignedInTwice]:
    async with opened(folder, clock) as made:
        portal = with_provider(made, ScriptedIdentity())
        first, second = await arrive(portal, ANNA, consent=VERSION), await arrive(portal, BORIS)
        assert isinstance(first, OpenedSession)
        assert isinstance(second, OpenedSession)
        yield SignedInTwice(portal, token_hash(first.token), token_hash(second.token))


async def tokens_of(portal: Portal) -> dict[str, str]:
    """What is kept of the provider's token, in clear, by session."""
    with portal.database.reading() as session:
        rows = session.exec(select(AccountSession)).all()
    return {row.token_hash: portal.identity.persons.open(row.provider_token_sealed) for row in rows}


async def signs_out(vera: SignedInTwice) -> None:
    await vera.portal.login.close_session(vera.other)


async def ends_it_from_the_list(vera: SignedInTwice) -> None:
    await vera.portal.sessions.end(vera.mine, vera.other[:NUMBER_LENGTH])


async def ends_all_others(vera: SignedInTwice) -> None:
    await vera.portal.sessions.end_others(vera.mine)


async def sets_a_password(vera: SignedInTwice) -> None:
    form = SettingsForm(MOBILE, VERA.email, VERA.last_name, VERA.first_name, "KorablLipa47", "KorablLipa47")
    await vera.portal.settings.save(signed_in(vera.mine), form, CALL)


async def recovers(vera: SignedInTwice) -> None:
    await prove(vera.portal, browser(3), MOBILE)
    await vera.portal.recovery.set_password(browser(3), "KorablLipa47")


async def is_signed_out_at_the_desk(vera: SignedInTwice) -> None:
    await vera.portal.desk.personal_data.end_sessions(MOBILE)


@pytest.mark.parametrize(
    "end",
    [signs_out, ends_it_from_the_list, ends_all_others, sets_a_password, recovers, is_signed_out_at_the_desk],
    ids=lambda end: end.__name__,
)
async def test_the_token_goes_with_its_session(
    vera: SignedInTwice, end: Callable[[SignedInTwice], Awaitable[None]]
) -> None:
    assert set((await tokens_of(vera.portal)).values()) == {VERA.id_token}
    await end(vera)

    assert await vera.portal.login.who(vera.other) is None
    left = await tokens_of(vera.portal)
    assert left[vera.other] == ""
    assert (left[vera.mine] != "") == (await vera.portal.login.who(vera.mine) is not None)


async def test_of_two_who_sign_out_at_once_one_takes_the_token_along(vera: SignedInTwice) -> None:
    ended = await asyncio.gather(*(vera.portal.login.close_session(vera.mine) for _ in range(5)))
    (one,) = [session for session in ended if session is not None]

    assert vera.portal.identity.persons.open(one.provider_token_sealed) == VERA.id_token
    assert (await tokens_of(vera.portal))[vera.mine] == ""


async def test_a_session_that_idled_out_loses_it_within_the_hour(vera: SignedInTwice, clock: MovableClock) -> None:
    clock.move(minutes=20)
    assert await vera.portal.login.who(vera.mine) is not None
    clock.move(minutes=11)
    assert await vera.portal.retention.forget() == {}

    assert await tokens_of(vera.portal) == {vera.mine: VERA.id_token, vera.other: ""}


async def test_a_session_that_grew_too_old_loses_it_too(vera: SignedInTwice, clock: MovableClock) -> None:
    for _ in range(36):
        clock.move(minutes=20)
        await vera.portal.login.who(vera.mine)
    await vera.portal.retention.forget()

    assert set((await tokens_of(vera.portal)).values()) == {""}


async def test_a_ticket_keeps_none_once_it_is_traded(folder: Path, clock: MovableClock) -> None:
    async with opened(folder, clock) as made:
        portal = with_provider(made, ScriptedIdentity())
        await arrive(portal, ANNA)
        traded = await portal.answers.consent(ANNA)
        assert await portal.login.open_session(ANNA, traded) is not None

        assert [ticket.provider_token_sealed for ticket in await _tickets(portal)] == [""]
        assert set((await tokens_of(portal)).values()) == {VERA.id_token}


async def test_a_ticket_that_nobody_trades_keeps_none_for_long(folder: Path, clock: MovableClock) -> None:
    async with opened(folder, clock) as made:
        portal = with_provider(made, ScriptedIdentity())
        await arrive(portal, ANNA)
        await portal.answers.consent(ANNA)
        assert (await _tickets(portal))[0].provider_token_sealed
        await portal.retention.forget()
        assert (await _tickets(portal))[0].provider_token_sealed  # it may still be traded
        clock.move(seconds=31)
        await portal.retention.forget()

        assert (await _tickets(portal))[0].provider_token_sealed == ""


async def _tickets(portal: Portal) -> list[LoginTicket]:
    with portal.database.reading() as session:
        return list(session.exec(select(LoginTicket)).all())
