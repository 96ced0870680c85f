"""Another name for a browser: the person's own goes along, another person's stays behind, and the old name knows nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session

from medonline.bootstrap import Portal
from medonline.domain.client import Client
from medonline.domain.codes.step_up import Signs
from medonline.domain.errors import CodeMismatch, IdentityProblem, IdentityRefused, NoRecoveryInProgress
from medonline.domain.password_recovery import RecoveryMove, RecoveryStep, source_of
from medonline.services.codes.step_up import StepUp
from medonline.services.gosuslugi.login import Purpose, Waiting
from medonline.services.ports import AuthorizationRequest, IdentityPerson
from medonline.storage.queries import password_recovery
from medonline.storage.tables.gosuslugi import IdentityJourney, PendingIdentity
from tests.services.gosuslugi.journeys import all_of, set_facts
from tests.services.outside import (
    RETURN,
    VERA,
    ScriptedIdentity,
    arrive,
    come_back,
    dump,
    leave,
    provider_of,
    with_provider,
)
from tests.services.world import (
    ANNA,
    BORIS,
    CALL,
    KNOWN,
    OTHER_KNOWN,
    PASSWORD,
    MovableClock,
    last_code,
    opened,
    prove,
    recoveries_of,
    sign_in,
    statements,
    told_of,
    writes_in,
)

RENAMED = Client(visitor_key="c" * 64)  # the name that the browser of ANNA gets
Act = Callable[[Portal], Awaitable[None]]


@pytest.fixture
async def portal(folder: Path, clock: MovableClock) -> AsyncIterator[Portal]:
    async with opened(folder, clock) as portal:
        yield with_provider(portal, ScriptedIdentity())


async def rename(portal: Portal) -> None:
    """The way to Gosuslugi gives the browser another name."""
    await portal.identity.start(ANNA, Purpose.RECOVERY, RETURN, next_key=RENAMED.visitor_key)


async def step_of(portal: Portal, visitor: Client) -> RecoveryStep | None:
    view = await portal.recovery.current(visitor)
    return view.step if view else None


# --- the same person goes on ------------------------------------------------------------------------------------


async def test_a_recovery_that_waits_for_its_code_goes_on_under_the_new_name_alone(portal: Portal) -> None:
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    code = await last_code(portal)
    await rename(portal)

    assert await step_of(portal, ANNA) is None
    assert (await portal.recovery.confirm_code(RENAMED, code)).step is RecoveryStep.NEW_PASSWORD


async def test_a_recovery_that_was_proved_goes_on_under_the_new_name_alone(portal: Portal) -> None:
    await prove(portal, ANNA)
    await rename(portal)

    assert await step_of(portal, ANNA) is None
    assert (await portal.recovery.set_password(RENAMED, "NewPassword1")).step is RecoveryStep.DONE


async def test_the_code_in_hand_is_not_lost_by_going_back_and_to_gosuslugi(portal: Portal) -> None:
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    await portal.recovery.leave(ANNA)
    await rename(portal)

    assert (
        await portal.recovery.begin(RENAMED, KNOWN, CALL)
    ).step is RecoveryStep.CODE  # no pause: it is the same code


async def test_what_was_given_up_stays_behind(portal: Portal) -> None:
    await prove(portal, ANNA)
    await portal.recovery.leave(ANNA)
    await rename(portal)

    assert [row.visitor_key for row in await recoveries_of(portal)] == [ANNA.visitor_key]


async def test_who_waits_for_consent_is_seen_under_the_new_name_alone(portal: Portal) -> None:
    assert await arrive(portal, ANNA) is Waiting.CONSENT
    await rename(portal)

    assert await portal.answers.current(ANNA) is None
    view = await portal.answers.current(RENAMED)
    assert view is not None
    assert view.full_name == "Воробьёва Вера Львовна"


async def test_the_recoveries_of_another_browser_keep_their_name(portal: Portal) -> None:
    await portal.recovery.begin(BORIS, KNOWN, CALL)
    await rename(portal)

    assert await step_of(portal, BORIS) is RecoveryStep.CODE


# --- another person sits down -----------------------------------------------------------------------------------


async def at_the_code(portal: Portal) -> None:
    await portal.recovery.begin(ANNA, KNOWN, CALL)


async def left_at_the_code(portal: Portal) -> None:
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    await portal.recovery.leave(ANNA)


async def at_the_birth_date(portal: Portal) -> None:
    await set_facts(portal, phone_proved_at=portal.clock() - timedelta(days=100))
    await prove(portal, ANNA)
    assert await step_of(portal, ANNA) is RecoveryStep.BIRTH_DATE


async def at_the_new_password(portal: Portal) -> None:
    await prove(portal, ANNA)


async def at_no_account(portal: Portal) -> None:
    await prove(portal, ANNA, "+79000007001")


async def at_the_end(portal: Portal) -> None:
    await prove(portal, ANNA)
    await portal.recovery.set_password(ANNA, "NewPassword1")


@pytest.mark.parametrize(
    "begun", [at_the_code, left_at_the_code, at_the_birth_date, at_the_new_password, at_no_account, at_the_end]
)
async def test_no_recovery_is_left_behind_at_whichever_step(portal: Portal, begun: Act) -> None:
    await begun(portal)
    await portal.visitors.leave(ANNA.visitor_key)

    (row,) = await recoveries_of(portal)
    assert row.step == (RecoveryStep.DONE if begun is at_the_end else RecoveryStep.ABANDONED)
    assert row.left_at is not None
    assert await step_of(portal, ANNA) is None


@pytest.mark.sqlite
@pytest.mark.parametrize(
    "begun", [at_the_code, left_at_the_code, at_the_birth_date, at_the_new_password, at_no_account, at_the_end]
)
async def test_a_sign_in_leaves_every_recovery_of_its_browser_in_its_own_transaction(
    portal: Portal, begun: Act
) -> None:
    await begun(portal)
    await prove(portal, BORIS, OTHER_KNOWN)
    password = "NewPassword1" if begun is at_the_end else PASSWORD
    ticket = await portal.login.log_in(ANNA, KNOWN, password)
    with statements(portal) as seen:
        assert await portal.login.open_session(ANNA, ticket) is not None

    assert seen.count("BEGIN IMMEDIATE") == 1
    (annas,) = [row for row in await recoveries_of(portal) if row.visitor_key == ANNA.visitor_key]
    assert annas.step == (RecoveryStep.DONE if begun is at_the_end else RecoveryStep.ABANDONED)
    assert annas.left_at is not None
    assert await step_of(portal, BORIS) is not None


async def test_a_sign_in_leaves_nobody_from_gosuslugi_waiting_in_its_browser(portal: Portal) -> None:
    assert await arrive(portal, ANNA) is Waiting.CONSENT
    await leave(portal, BORIS)
    await sign_in(portal, ANNA)

    assert await all_of(portal, PendingIdentity) == []
    assert [row.visitor_key for row in await all_of(portal, IdentityJourney)] == [BORIS.visitor_key]


async def test_a_ticket_that_is_not_good_leaves_nothing(portal: Portal) -> None:
    await at_the_code(portal)
    ticket = await portal.login.log_in(BORIS, KNOWN, PASSWORD)

    assert await portal.login.open_session(ANNA, ticket) is None
    assert await step_of(portal, ANNA) is RecoveryStep.CODE


async def test_the_code_of_the_person_before_is_of_no_use_to_the_next_one(portal: Portal, clock: MovableClock) -> None:
    await left_at_the_code(portal)
    code = await last_code(portal)
    await portal.visitors.leave(ANNA.visitor_key)
    clock.move(minutes=1)
    await portal.recovery.begin(ANNA, KNOWN, CALL)  # another code, and a call that the patient hears

    with pytest.raises(CodeMismatch):
        await portal.recovery.confirm_code(ANNA, code)


async def test_a_code_that_is_judged_while_somebody_signs_in_leads_nowhere(portal: Portal) -> None:
    class Meanwhile(StepUp):
        def signs(self, session: Session, *facts: Any, **network: Any) -> Signs:
            sources, target = source_of(RecoveryMove.ABANDON), RecoveryStep.ABANDONED
            password_recovery.leave_all_of_visitor(session, ANNA.visitor_key, sources, target, portal.clock())
            return super().signs(session, *facts, **network)

    await at_the_code(portal)
    overtaken = replace(portal.recovery, step_up=Meanwhile(portal.recovery.step_up.policy))

    with pytest.raises(NoRecoveryInProgress):
        await overtaken.confirm_code(ANNA, await last_code(portal))


async def test_neither_journey_nor_who_waits_is_left_behind(portal: Portal) -> None:
    assert await arrive(portal, ANNA) is Waiting.CONSENT
    await leave(portal, BORIS)
    await portal.visitors.leave(ANNA.visitor_key)

    assert await all_of(portal, PendingIdentity) == []
    assert [row.visitor_key for row in await all_of(portal, IdentityJourney)] == [BORIS.visitor_key]


async def test_another_browser_is_left_as_it_is(portal: Portal) -> None:
    await prove(portal, BORIS)
    await portal.visitors.leave(ANNA.visitor_key)

    assert await step_of(portal, BORIS) is RecoveryStep.NEW_PASSWORD


@pytest.mark.parametrize("visitor", [Client(), ANNA, BORIS])
async def test_where_nothing_was_begun_it_costs_no_lock(portal: Portal, folder: Path, visitor: Client) -> None:
    await prove(portal, BORIS)
    await portal.visitors.leave(BORIS.visitor_key)
    before = dump(folder)
    with portal.database.writing(), statements(portal) as seen:
        await portal.visitors.leave(visitor.visitor_key)

    assert writes_in(seen) == []
    assert dump(folder) == before


async def test_the_pages_of_the_old_name_are_told(portal: Portal) -> None:
    told = told_of(portal, "visitor")
    await portal.visitors.close_pages(ANNA.visitor_key)
    await portal.visitors.close_pages("")

    assert told == [ANNA.visitor_key]


# --- on the way -------------------------------------------------------------------------------------------------


async def test_who_knows_the_old_name_is_on_no_journey(portal: Portal) -> None:
    await rename(portal)
    state = provider_of(portal).asked[-1].state
    with pytest.raises(IdentityRefused) as refusal:
        await come_back(portal, ANNA, state, VERA)

    assert refusal.value.problem is IdentityProblem.STALE
    assert await come_back(portal, RENAMED, state, VERA) is Waiting.CONSENT


async def test_the_journey_of_before_is_over_where_the_next_one_begins(portal: Portal) -> None:
    first = await leave(portal, ANNA)
    await rename(portal)

    assert [row.visitor_key for row in await all_of(portal, IdentityJourney)] == [RENAMED.visitor_key]
    for visitor in (ANNA, RENAMED):
        with pytest.raises(IdentityRefused):
            await come_back(portal, visitor, first, VERA)


@pytest.mark.parametrize(
    "gone", [rename, lambda portal: portal.visitors.leave(ANNA.visitor_key)], ids=["left again", "signed in"]
)
async def test_who_comes_back_while_the_browser_gets_another_name_waits_under_none(portal: Portal, gone: Act) -> None:
    state = await leave(portal, ANNA)
    provider, fetch = provider_of(portal), provider_of(portal).fetch_person

    async def slow(code: str, request: AuthorizationRequest) -> IdentityPerson:
        await gone(portal)
        return await fetch(code, request)

    provider.fetch_person = slow  # type: ignore[method-assign]
    with pytest.raises(IdentityRefused) as refusal:
        await come_back(portal, ANNA, state, VERA)

    assert refusal.value.problem is IdentityProblem.STALE
    assert await all_of(portal, PendingIdentity) == []


async def test_a_start_that_is_refused_changes_no_name(portal: Portal) -> None:
    await prove(portal, ANNA)
    provider_of(portal).down = True
    with pytest.raises(IdentityRefused):
        await rename(portal)

    assert await step_of(portal, ANNA) is RecoveryStep.NEW_PASSWORD
