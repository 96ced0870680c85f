"""Sign-in through the identity provider: journeys good once, strangers asked for consent or proof, accounts never guessed."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from medonline.bootstrap import Portal
from medonline.domain.client import Client
from medonline.domain.errors import IdentityProblem, IdentityRefused
from medonline.domain.login import Landing, LoginMethod
from medonline.domain.personal_data_consent import VERSION
from medonline.services.crypto.tokens import token_hash
from medonline.services.gosuslugi.login import JourneyReturn, Purpose, Waiting
from medonline.services.login.password_login import OpenedSession
from medonline.services.ports import IdentityPerson
from medonline.storage.queries import patients
from medonline.storage.tables.gosuslugi import IdentityJourney, LinkedIdentity, PendingIdentity, PersonalDataConsent
from medonline.storage.tables.login import AccountSession
from tests.services.gosuslugi.journeys import LANDINGS, MARIA, all_of, patient_of, problem_of, session_of
from tests.services.outside import (
    MOBILE,
    RETURN,
    VERA,
    ScriptedIdentity,
    arrive,
    changed_tables,
    come_back,
    dump,
    is_at_rest,
    leave,
    provider_of,
    with_provider,
)
from tests.services.world import ANNA, BORIS, KNOWN, PASSWORD, MovableClock, opened, prove

# --- the journey ------------------------------------------------------------------------------------------------


async def test_each_journey_has_a_state_a_nonce_and_a_verifier_of_its_own(portal: Portal) -> None:
    for _ in range(5):
        await leave(portal, ANNA)
    asked = provider_of(portal).asked

    for secret in ("state", "nonce", "code_verifier"):
        assert len({getattr(request, secret) for request in asked}) == 5
    assert {len(request.state) for request in asked} == {36}
    assert {request.redirect_uri for request in asked} == {RETURN}


async def test_the_state_is_kept_only_as_a_hash(portal: Portal, folder: Path) -> None:
    state = await leave(portal, ANNA)

    assert [journey.state_hash for journey in await all_of(portal, IdentityJourney)] == [token_hash(state)]
    assert not is_at_rest(folder, state)


async def test_a_journey_is_good_once(portal: Portal) -> None:
    state = await leave(portal, ANNA)
    assert await come_back(portal, ANNA, state, VERA) is Waiting.CONSENT

    with pytest.raises(IdentityRefused) as again:
        await come_back(portal, ANNA, state, VERA)
    assert again.value.problem is IdentityProblem.STALE


async def test_of_ten_returns_of_one_journey_at_the_same_moment_one_is_taken(portal: Portal) -> None:
    state = await leave(portal, ANNA, consent=VERSION)
    outcomes = await asyncio.gather(*(come_back(portal, ANNA, state, VERA) for _ in range(10)), return_exceptions=True)

    assert sum(isinstance(outcome, OpenedSession) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, IdentityRefused) for outcome in outcomes) == 9
    assert len(await all_of(portal, AccountSession)) == 1


@pytest.mark.parametrize("thief", [BORIS, Client()])
async def test_a_journey_is_good_in_its_own_browser_only_and_a_thief_does_not_spoil_it(
    portal: Portal, thief: Client
) -> None:
    state = await leave(portal, ANNA)
    assert await problem_of(portal, thief, JourneyReturn(state, "code")) is IdentityProblem.STALE

    assert await come_back(portal, ANNA, state, VERA) is Waiting.CONSENT


@pytest.mark.parametrize(("seconds", "good"), [(599, True), (600, False), (24 * 3600, False)])
async def test_a_journey_is_good_for_ten_minutes(portal: Portal, clock: MovableClock, seconds: int, good: bool) -> None:
    state = await leave(portal, ANNA)
    clock.move(seconds=seconds)
    if good:
        assert await come_back(portal, ANNA, state, VERA) is Waiting.CONSENT
    else:
        assert await problem_of(portal, ANNA, JourneyReturn(state, "code")) is IdentityProblem.STALE


@pytest.mark.parametrize("state", ["", "x", "\x00", "' OR 1=1 --", "я" * 64])
async def test_a_made_up_state_is_stale_and_the_provider_is_not_asked(portal: Portal, state: str) -> None:
    await leave(portal, ANNA)

    assert await problem_of(portal, ANNA, JourneyReturn(state, "code")) is IdentityProblem.STALE


async def test_old_journeys_are_forgotten_by_the_next_one(portal: Portal, clock: MovableClock) -> None:
    await leave(portal, ANNA)
    await arrive(portal, ANNA)
    clock.move(minutes=15, seconds=1)
    await leave(portal, BORIS)

    assert [journey.visitor_key for journey in await all_of(portal, IdentityJourney)] == [BORIS.visitor_key]
    assert await all_of(portal, PendingIdentity) == []


@pytest.mark.parametrize("error", ["", "access_denied"])
async def test_a_return_from_another_issuer_is_refused_before_anything_of_it_is_used(
    portal: Portal, error: str
) -> None:
    code = provider_of(portal).code_for(VERA)
    state = await leave(portal, ANNA)
    back = JourneyReturn(state, code, error=error, issuer="https://evil.example")

    assert await problem_of(portal, ANNA, back) is IdentityProblem.UNTRUSTWORTHY
    assert code in provider_of(portal).people  # not traded
    assert await problem_of(portal, ANNA, JourneyReturn(state, code)) is IdentityProblem.STALE


async def test_a_refusal_at_the_provider_uses_the_journey_up_and_names_the_problem(portal: Portal) -> None:
    state = await leave(portal, ANNA)
    back = JourneyReturn(state, error="access_denied", error_description="ESIA-007004: denied")
    assert await problem_of(portal, ANNA, back) is IdentityProblem.DENIED

    assert await problem_of(portal, ANNA, back) is IdentityProblem.STALE


async def test_an_error_beside_a_code_is_believed(portal: Portal) -> None:
    code = provider_of(portal).code_for(VERA)
    back = JourneyReturn(await leave(portal, ANNA), code, error="server_error")

    assert await problem_of(portal, ANNA, back) is IdentityProblem.OTHER
    assert code in provider_of(portal).people


@pytest.mark.parametrize(
    ("error", "description", "named"),
    [
        ("access_denied", "ESIA-007004: Воробьёва отказалась", " (access_denied, ESIA-007004)"),
        ("server_error", "", " (server_error)"),
        ("Воробьёва", "ESIA-007008", " (ESIA-007008)"),
        ("access_denied\n", "x ESIA-007004", ""),
        ("", "вход не выполнен", ""),
    ],
)
async def test_the_providers_codes_of_a_refusal_are_named_and_its_sentences_are_not(
    portal: Portal, error: str, description: str, named: str
) -> None:
    back = JourneyReturn(await leave(portal, ANNA), error=error, error_description=description)

    with pytest.raises(IdentityRefused) as refused:
        await portal.identity.finish(ANNA, back)

    assert refused.value.detail == f"the provider sent the browser back without a code{named}"


async def test_a_return_with_neither_code_nor_error_is_refused(portal: Portal) -> None:
    assert await problem_of(portal, ANNA, JourneyReturn(await leave(portal, ANNA))) is IdentityProblem.OTHER


async def test_a_code_the_provider_does_not_take_leaves_nothing(portal: Portal, folder: Path) -> None:
    state = await leave(portal, ANNA)
    before = dump(folder)

    assert await problem_of(portal, ANNA, JourneyReturn(state, "replayed")) is IdentityProblem.CODE_USED
    assert changed_tables(before, dump(folder)) == {"identity_journey"}  # used up


async def test_a_provider_that_is_down_is_named_at_the_start_and_at_the_end(portal: Portal) -> None:
    state = await leave(portal, ANNA)
    provider_of(portal).down = True

    with pytest.raises(IdentityRefused) as refusal:
        await leave(portal, ANNA)
    assert refusal.value.problem is IdentityProblem.UNAVAILABLE
    assert await problem_of(portal, ANNA, JourneyReturn(state, "code")) is IdentityProblem.UNAVAILABLE


async def test_without_a_provider_nothing_begins(portal: Portal, folder: Path) -> None:
    before = dump(folder)
    with pytest.raises(IdentityRefused) as refusal:
        await with_provider(portal, None).identity.start(ANNA, Purpose.LOGIN, RETURN)

    assert refusal.value.problem is IdentityProblem.MISCONFIGURED
    assert dump(folder) == before


async def test_an_unconfirmed_person_is_refused_and_leaves_nothing(portal: Portal, folder: Path) -> None:
    state = await leave(portal, ANNA, consent=VERSION)
    before = dump(folder)
    with pytest.raises(IdentityRefused) as refusal:
        await come_back(portal, ANNA, state, replace(VERA, confirmed=False))

    assert refusal.value.problem is IdentityProblem.NOT_CONFIRMED
    assert changed_tables(before, dump(folder)) == {"identity_journey"}


async def test_an_unconfirmed_person_is_let_in_where_the_setting_allows_it(folder: Path, clock: MovableClock) -> None:
    async with opened(folder, clock, identity_allow_unconfirmed=True) as real:
        portal = with_provider(real, ScriptedIdentity())
        outcome = await arrive(portal, ANNA, replace(VERA, confirmed=False), consent=VERSION)

    assert isinstance(outcome, OpenedSession)


# --- a person who is known --------------------------------------------------------------------------------------


async def test_a_known_identity_signs_in_at_once(portal: Portal, clock: MovableClock) -> None:
    first = await arrive(portal, ANNA, consent=VERSION)
    clock.move(days=40)
    second = await arrive(portal, BORIS)
    assert isinstance(first, OpenedSession)
    assert isinstance(second, OpenedSession)

    who = await portal.login.who(token_hash(second.token))
    assert who is not None
    assert (who.full_name, who.method) == ("Воробьёва Вера Львовна", LoginMethod.GOSUSLUGI)
    assert [link.last_used_at for link in await all_of(portal, LinkedIdentity)] == [clock.now]
    assert len(await all_of(portal, PersonalDataConsent)) == 1


async def test_a_known_identity_is_known_whatever_name_and_phone_it_has_now(portal: Portal) -> None:
    await arrive(portal, ANNA, consent=VERSION)
    married = replace(VERA, last_name="Соколова", phone=KNOWN, snils="", birth_date=None)
    outcome = await arrive(portal, ANNA, married)
    assert isinstance(outcome, OpenedSession)

    assert (await patient_of(portal, outcome.token)).phone == MOBILE


async def test_the_same_subject_of_another_issuer_is_somebody_else(portal: Portal) -> None:
    await arrive(portal, ANNA, consent=VERSION)
    stranger = IdentityPerson("https://other.example/", VERA.subject, True, "Иной", "Иван", birth_date=date(1990, 1, 1))

    assert await arrive(portal, BORIS, stranger) is Waiting.CONSENT


async def test_a_session_keeps_the_device_and_the_providers_token_sealed(portal: Portal, folder: Path) -> None:
    await arrive(portal, ANNA, consent=VERSION)
    (row,) = await all_of(portal, AccountSession)

    assert (row.device, row.network) == ("Firefox, Linux", "192.0.2.x")
    assert portal.identity.persons.open(row.provider_token_sealed) == VERA.id_token
    assert not is_at_rest(folder, VERA.id_token)


# --- where a sign-in ends ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("purpose", "landing"), LANDINGS.items())
async def test_the_purpose_decides_where_a_journey_ends(portal: Portal, purpose: Purpose, landing: Landing) -> None:
    outcome = await arrive(portal, ANNA, purpose=purpose, consent=VERSION)
    assert isinstance(outcome, OpenedSession)

    assert outcome.landing is landing


@pytest.mark.parametrize(("purpose", "landing"), LANDINGS.items())
async def test_consent_and_ticket_keep_the_landing(portal: Portal, purpose: Purpose, landing: Landing) -> None:
    await arrive(portal, ANNA, purpose=purpose)

    assert (await session_of(portal, ANNA, await portal.answers.consent(ANNA))).landing is landing


async def test_a_password_set_between_ticket_and_session_ends_the_sign_in(portal: Portal, clock: MovableClock) -> None:
    await arrive(portal, ANNA)
    ticket = await portal.answers.consent(ANNA)
    with portal.database.writing() as session:
        patient = patients.by_phone(session, MOBILE)
        assert patient is not None
        patients.set_password(session, patient.id, "encoded", clock.now)

    assert await portal.login.open_session(ANNA, ticket) is None


async def test_a_recovery_between_proof_and_session_ends_the_sign_in(portal: Portal) -> None:
    await arrive(portal, ANNA, MARIA)
    ticket = await portal.answers.prove_by_password(ANNA, KNOWN, PASSWORD)
    await prove(portal, BORIS, KNOWN)
    await portal.recovery.set_password(BORIS, "SovsemDrugoy71")

    assert await portal.login.open_session(ANNA, ticket) is None


# --- signing out ------------------------------------------------------------------------------------------------


async def test_signing_out_leads_through_the_provider_with_the_token_it_gave(portal: Portal) -> None:
    sealed = portal.identity.persons.seal("its-token")

    away = await portal.identity.sign_out(sealed, RETURN)
    assert away is not None
    assert away.url.startswith("https://esia.test.example/logout")
    assert provider_of(portal).logouts == ["its-token"]


async def test_a_provider_that_is_down_or_gone_keeps_nobody_from_signing_out(portal: Portal) -> None:
    provider_of(portal).down = True

    assert await portal.identity.sign_out(portal.identity.persons.seal("its-token"), RETURN) is None
    assert await with_provider(portal, None).identity.sign_out("", RETURN) is None


async def test_a_token_sealed_with_an_older_key_keeps_nobody_from_signing_out(portal: Portal) -> None:
    assert await portal.identity.sign_out("s1.c2VhbGVkIHdpdGggYW5vdGhlciBrZXk=", RETURN) is None
