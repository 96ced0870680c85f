"""Taking over somebody else's account through Gosuslugi: races of two tabs, what an unconfirmed person says, old proofs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlmodel import col, update

from medonline.bootstrap import Portal
from medonline.domain.client import Client
from medonline.domain.errors import AccountOfAnother, CodeMismatch, InvalidCredentials
from medonline.services.gosuslugi.pending_person import IdentityAnswers
from medonline.services.login.password_login import OpenedSession
from medonline.storage.tables.gosuslugi import LinkedIdentity, PendingIdentity
from medonline.storage.tables.patients import Patient
from tests.services.gosuslugi.journeys import MARIA, all_of, patient_of, session_of, set_facts
from tests.services.outside import VERA, ScriptedIdentity, arrive, with_provider
from tests.services.overtaking import overtaken
from tests.services.world import ANNA, BORIS, CALL, KNOWN, PASSWORD, MovableClock, last_code, opened, prove, rows_of

NAMESAKE = replace(VERA, first_name="Мария", last_name="Иванова", snils="", phone="", oms_policy="")
OWN = "+79000009998"


@pytest.fixture
async def portal(folder: Path, clock: MovableClock) -> AsyncIterator[Portal]:
    async with opened(folder, clock) as portal:
        yield with_provider(portal, ScriptedIdentity())


async def waiting_for_proof(portal: Portal, visitor: Client) -> None:
    """An account without a birth date on record and with the same names contradicts no one."""
    await set_facts(portal, KNOWN, birth_date=None)
    await arrive(portal, visitor, NAMESAKE)
    await portal.answers.have_account(visitor)


async def test_a_code_proves_the_phone_it_went_to_whatever_was_asked_for_last(
    portal: Portal, clock: MovableClock
) -> None:
    await waiting_for_proof(portal, ANNA)
    await portal.answers.send_code(ANNA, OWN, CALL)
    code = await last_code(portal, OWN)
    with portal.database.writing() as session:  # as if another tab had asked for the known one in between
        (pending,) = await all_of(portal, PendingIdentity)
        pending.proof_phone = KNOWN
        session.merge(pending)

    assert await portal.answers.confirm_code(ANNA, code) == ""  # the own phone has no account


@pytest.mark.parametrize("last", [KNOWN, OWN])
async def test_codes_of_two_tabs_stand_in_the_order_in_which_they_were_asked_for(
    portal: Portal, clock: MovableClock, last: str
) -> None:
    await waiting_for_proof(portal, ANNA)
    async with overtaken(portal.answers.send_code(ANNA, last, CALL)):
        clock.move(seconds=1)
        await portal.answers.send_code(ANNA, KNOWN if last == OWN else OWN, CALL)
        clock.move(seconds=1)

    (pending,) = await all_of(portal, PendingIdentity)
    assert pending.proof_phone == last
    if last == KNOWN:
        with pytest.raises(CodeMismatch):
            await portal.answers.confirm_code(ANNA, await last_code(portal, OWN))
    else:
        assert await portal.answers.confirm_code(ANNA, await last_code(portal, OWN)) == ""


async def test_another_code_goes_to_the_number_of_the_tab_that_asks_whatever_another_types_meanwhile(
    portal: Portal, clock: MovableClock
) -> None:
    await waiting_for_proof(portal, ANNA)
    await portal.answers.send_code(ANNA, OWN, CALL)
    clock.move(minutes=2)
    async with overtaken(portal.answers.send_code(ANNA, "", CALL)):
        await portal.answers.send_code(ANNA, KNOWN, CALL)
        clock.move(seconds=1)

    assert [row.phone for row in await rows_of(portal)] == [OWN, KNOWN, OWN]
    assert await portal.answers.confirm_code(ANNA, await last_code(portal, OWN)) == ""


async def test_what_an_unconfirmed_person_says_of_themselves_takes_nobodys_place(
    folder: Path, clock: MovableClock
) -> None:
    async with opened(folder, clock, identity_allow_unconfirmed=True) as real:
        portal = with_provider(real, ScriptedIdentity())
        await arrive(portal, BORIS, replace(VERA, subject="666", confirmed=False, phone="", email=""))
        impostor = await session_of(portal, BORIS, await portal.answers.consent(BORIS))
        first = await patient_of(portal, impostor.token)
        assert (first.snils_index, first.oms_policy_sealed, first.birth_date) == (None, "", None)
        await arrive(portal, ANNA, VERA)
        vera = await session_of(portal, ANNA, await portal.answers.consent(ANNA))
        second = await patient_of(portal, vera.token)

        assert first.id != second.id
        assert second.snils_index is not None


async def test_whoever_gets_confirmed_later_is_known_by_it_from_then_on(folder: Path, clock: MovableClock) -> None:
    async with opened(folder, clock, identity_allow_unconfirmed=True) as real:
        portal = with_provider(real, ScriptedIdentity())
        await arrive(portal, ANNA, replace(VERA, confirmed=False))
        await session_of(portal, ANNA, await portal.answers.consent(ANNA))
        later = await arrive(portal, BORIS, VERA)
        assert isinstance(later, OpenedSession)
        patient = await patient_of(portal, later.token)

        assert patient.snils_index is not None
        assert patient.birth_date == VERA.birth_date


async def test_a_password_that_was_changed_meanwhile_proves_nothing(portal: Portal) -> None:
    await arrive(portal, ANNA, replace(MARIA, phone="", phone_verified=False))
    await portal.answers.have_account(ANNA)
    verified = portal.login.verified

    async def slow(client: Client, *typed: str) -> object:
        patient = await verified(client, *typed)
        await prove(portal, BORIS)
        await portal.recovery.set_password(BORIS, "Sovsem77Drugoi")
        return patient

    class Login:
        def __getattr__(self, name: str) -> object:
            return slow if name == "verified" else getattr(portal.login, name)

    answers = replace(portal.answers, login=Login())  # type: ignore[arg-type]
    with pytest.raises(InvalidCredentials):
        await answers.prove_by_password(ANNA, KNOWN, PASSWORD)


async def test_nobody_who_signs_in_after_a_stranger_meets_their_data(portal: Portal) -> None:
    await arrive(portal, ANNA)
    assert await portal.answers.current(ANNA) is not None
    await portal.answers.refuse(ANNA)

    assert await portal.answers.current(ANNA) is None
    assert await all_of(portal, PendingIdentity) == []


async def test_the_password_of_somebody_else_is_no_way_around(portal: Portal) -> None:
    await arrive(portal, ANNA, replace(VERA, first_name="Анна"))
    await portal.answers.have_account(ANNA)

    with pytest.raises(AccountOfAnother):
        await portal.answers.prove_by_password(ANNA, KNOWN, PASSWORD)


async def test_a_code_accepted_before_the_number_was_changed_links_nothing(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The change is committed between the code and the link, which are two transactions."""
    link = IdentityAnswers._link

    async def after_a_change(service: IdentityAnswers, *facts: object, **named: object) -> str:
        with portal.database.writing() as session:
            session.exec(update(Patient).where(col(Patient.phone) == KNOWN).values(phone="+79000009123"))
        return await link(service, *facts, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(IdentityAnswers, "_link", after_a_change)
    await waiting_for_proof(portal, ANNA)
    await portal.answers.send_code(ANNA, KNOWN, CALL)

    with pytest.raises(AccountOfAnother):
        await portal.answers.confirm_code(ANNA, await last_code(portal, KNOWN))
    assert await all_of(portal, LinkedIdentity) == []
