"""Sign-in through the identity provider: journeys good once, strangers asked for consent or proof, accounts never guessed."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medonline.bootstrap import Portal
from medonline.domain.errors import (
    AccountOfAnother,
    CodeExpired,
    CodeMismatch,
    CodeUsedUp,
    IdentityProblem,
    IdentityRefused,
    InvalidCredentials,
    InvalidPhone,
    NoPendingIdentity,
    RateLimited,
)
from medonline.domain.login import Landing, LoginMethod
from medonline.domain.personal_data_consent import VERSION, consent_text, text_hash
from medonline.services.crypto.tokens import token_hash
from medonline.services.gosuslugi.linking import person_as_text, person_from_text
from medonline.services.gosuslugi.login import JourneyReturn, Purpose, Waiting
from medonline.services.login.password_login import OpenedSession
from medonline.services.ports import IdentityPerson
from medonline.storage.queries import patients
from medonline.storage.tables.gosuslugi import IdentityJourney, LinkedIdentity, PendingIdentity, PersonalDataConsent
from medonline.storage.tables.login import AccountSession
from medonline.storage.tables.patients import Patient
from tests.services.gosuslugi.journeys import LANDINGS, MARIA, all_of, patient_of, problem_of, session_of, set_facts
from tests.services.outside import (
    ISSUER,
    MOBILE,
    OTHER_SNILS,
    POLICY,
    RETURN,
    SNILS,
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
from tests.services.world import (
    ANNA,
    BORIS,
    CALL,
    KNOWN,
    OTHER_KNOWN,
    PASSWORD,
    UNKNOWN,
    MovableClock,
    last_code,
    opened,
    patient_with,
    prove,
    wrong,
)


@pytest.fixture
async def portal(folder: Path, clock: MovableClock) -> AsyncIterator[Portal]:
    async with opened(folder, clock) as portal:
        yield with_provider(portal, ScriptedIdentity())


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


@pytest.mark.parametrize("thief", [BORIS, ""])
async def test_a_journey_is_good_in_its_own_browser_only_and_a_thief_does_not_spoil_it(
    portal: Portal, thief: str
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

    assert [journey.visitor_key for journey in await all_of(portal, IdentityJourney)] == [BORIS]
    assert await all_of(portal, PendingIdentity) == []


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


# --- a person who is not known: consent -------------------------------------------------------------------------


async def test_a_stranger_waits_for_consent_sealed(portal: Portal, folder: Path) -> None:
    before = dump(folder)
    assert await arrive(portal, ANNA) is Waiting.CONSENT

    view = await portal.answers.current(ANNA)
    assert view is not None
    assert (view.waits_for, view.full_name, view.birth_date) == (
        Waiting.CONSENT,
        "Воробьёва Вера Львовна",
        "29.02.1984",
    )
    assert view.phone.endswith("01")
    assert MOBILE not in view.phone
    assert changed_tables(before, dump(folder)) == {"identity_journey", "pending_identity"}
    for secret in (
        "Воробьёва",
        "Вера",
        "Львовна",
        SNILS,
        "112-233-445 95",
        MOBILE,
        MOBILE[2:],
        "vera@",
        POLICY,
        "1984",
    ):
        assert not is_at_rest(folder, secret)


async def test_refusing_leaves_nothing_at_all(portal: Portal, folder: Path) -> None:
    before = dump(folder)
    await arrive(portal, ANNA, consent="")
    await portal.answers.refuse(ANNA)
    await portal.answers.refuse(ANNA)

    assert dump(folder) == before
    assert await portal.answers.current(ANNA) is None
    with pytest.raises(NoPendingIdentity):
        await portal.answers.consent(ANNA)


async def test_refusing_in_one_browser_leaves_the_other_waiting(portal: Portal) -> None:
    await arrive(portal, ANNA)
    await arrive(portal, BORIS)
    await portal.answers.refuse(ANNA)
    await portal.answers.refuse("")

    assert await portal.answers.current(BORIS) is not None


async def test_consent_makes_the_account_and_is_kept_with_version_and_hash(portal: Portal, clock: MovableClock) -> None:
    await arrive(portal, ANNA)
    clock.move(minutes=2)
    session = await session_of(portal, ANNA, await portal.answers.consent(ANNA))

    patient = await patient_of(portal, session.token)
    (consent,) = await all_of(portal, PersonalDataConsent)
    shown = text_hash(consent_text(portal.config.operator_name))
    assert (consent.patient_id, consent.version, consent.text_hash) == (patient.id, VERSION, shown)
    assert consent.given_at == clock.now
    assert (patient.phone, patient.email, patient.birth_date) == (MOBILE, "vera@example.ru", date(1984, 2, 29))
    assert portal.cards.snils.open(patient.snils_sealed) == SNILS
    assert portal.cards.policies.open(patient.oms_policy_sealed) == POLICY
    assert patient.phone_proved_at is None  # the provider's word, not the portal's proof
    (link,) = await all_of(portal, LinkedIdentity)
    assert (link.issuer, link.subject, link.patient_id, link.how) == (ISSUER, VERA.subject, patient.id, "registration")
    assert await all_of(portal, PendingIdentity) == []


async def test_consent_given_twice_makes_one_account(portal: Portal) -> None:
    await arrive(portal, ANNA)
    outcomes = await asyncio.gather(*(portal.answers.consent(ANNA) for _ in range(5)), return_exceptions=True)

    assert sum(isinstance(outcome, str) for outcome in outcomes) == 1
    assert {type(outcome) for outcome in outcomes} == {str, NoPendingIdentity}
    assert len(await all_of(portal, PersonalDataConsent)) == 1
    assert len(await all_of(portal, LinkedIdentity)) == 1


async def test_consent_of_the_same_person_in_two_browsers_makes_one_account(portal: Portal) -> None:
    await arrive(portal, ANNA)
    await arrive(portal, BORIS)
    annas = await session_of(portal, ANNA, await portal.answers.consent(ANNA))
    boris = await session_of(portal, BORIS, await portal.answers.consent(BORIS))

    assert (await patient_of(portal, annas.token)).id == (await patient_of(portal, boris.token)).id
    assert len(await all_of(portal, LinkedIdentity)) == 1


async def test_consent_given_beforehand_registers_at_once(portal: Portal) -> None:
    outcome = await arrive(portal, ANNA, purpose=Purpose.REGISTRATION, consent=VERSION)
    assert isinstance(outcome, OpenedSession)

    assert outcome.landing is Landing.CARDS
    assert len(await all_of(portal, PersonalDataConsent)) == 1


@pytest.mark.parametrize("version", ["", "2020-01", f"{VERSION} ", "1"])
async def test_consent_to_another_text_is_none(portal: Portal, version: str) -> None:
    assert await arrive(portal, ANNA, consent=version) is Waiting.CONSENT


async def test_a_verified_phone_is_taken_over_and_an_unverified_one_is_not(portal: Portal) -> None:
    unverified = await arrive(portal, ANNA, replace(VERA, phone_verified=False, email_verified=False), consent=VERSION)
    assert isinstance(unverified, OpenedSession)

    patient = await patient_of(portal, unverified.token)
    assert (patient.phone, patient.email) == (None, "")


async def test_an_unverified_phone_of_another_account_gives_nothing_away(portal: Portal) -> None:
    claim = replace(VERA, phone=KNOWN, phone_verified=False)
    assert await arrive(portal, ANNA, claim) is Waiting.CONSENT
    view = await portal.answers.current(ANNA)
    assert view is not None
    assert view.phone == ""

    session = await session_of(portal, ANNA, await portal.answers.consent(ANNA))
    assert (await patient_of(portal, session.token)).phone is None
    assert (await patient_with(portal, KNOWN)).first_name == "Мария"


async def test_an_email_of_another_account_links_nothing(portal: Portal) -> None:
    await set_facts(portal, email="maria@example.ru")
    claim = replace(MARIA, phone="", snils="", email="maria@example.ru", email_verified=True)

    assert await arrive(portal, ANNA, claim) is Waiting.CONSENT


async def test_a_person_with_nothing_but_a_name_can_register(portal: Portal) -> None:
    bare = IdentityPerson(ISSUER, "7", True, "Ли", "Анна")
    await arrive(portal, ANNA, bare)
    view = await portal.answers.current(ANNA)
    assert view is not None
    assert (view.full_name, view.birth_date, view.phone) == ("Ли Анна", "", "")

    assert await session_of(portal, ANNA, await portal.answers.consent(ANNA))


async def test_whoever_waits_waits_through_a_restart(portal: Portal, folder: Path, clock: MovableClock) -> None:
    await arrive(portal, ANNA)
    async with opened(folder, clock) as restarted:
        ticket = await restarted.answers.consent(ANNA)

    assert await session_of(portal, ANNA, ticket)


async def test_after_a_change_of_the_key_nobody_waits_any_more(
    portal: Portal, folder: Path, clock: MovableClock
) -> None:
    await arrive(portal, ANNA)
    async with opened(folder, clock, secret_key="another key of more than thirty-two characters") as restarted:
        assert await restarted.answers.current(ANNA) is None
        with pytest.raises(NoPendingIdentity):
            await restarted.answers.consent(ANNA)


@pytest.mark.parametrize(("seconds", "good"), [(899, True), (900, False)])
async def test_whoever_waits_waits_a_quarter_of_an_hour(
    portal: Portal, clock: MovableClock, seconds: int, good: bool
) -> None:
    await arrive(portal, ANNA)
    clock.move(seconds=seconds)

    assert (await portal.answers.current(ANNA) is not None) is good
    if good:
        assert await portal.answers.consent(ANNA)
    else:
        with pytest.raises(NoPendingIdentity):
            await portal.answers.consent(ANNA)


async def test_without_anybody_waiting_no_answer_is_taken(portal: Portal, folder: Path) -> None:
    before = dump(folder)
    answers = portal.answers
    for visitor in (ANNA, ""):
        for answer in (
            answers.consent(visitor),
            answers.not_mine(visitor),
            answers.have_account(visitor),
            answers.prove_by_password(visitor, KNOWN, PASSWORD),
            answers.send_code(visitor, KNOWN, CALL),
            answers.confirm_code(visitor, "0000"),
        ):
            with pytest.raises(NoPendingIdentity):
                await answer

    assert dump(folder) == before


@given(
    st.builds(
        IdentityPerson,
        issuer=st.text(),
        subject=st.text(),
        confirmed=st.booleans(),
        last_name=st.text(),
        birth_date=st.none() | st.dates(),
        email=st.text(),
        phone_verified=st.booleans(),
        id_token=st.text(),
    )
)
def test_a_person_comes_back_whole_from_the_sealed_text(person: IdentityPerson) -> None:
    assert person_from_text(person_as_text(person)) == person


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
    async with portal.database.writing() as session:
        patient = await patients.by_phone(session, MOBILE)
        assert patient is not None
        await patients.put_password(session, patient.id, "encoded", clock.now)

    assert await portal.login.open_session(ANNA, ticket) is None


async def test_a_recovery_between_proof_and_session_ends_the_sign_in(portal: Portal) -> None:
    await arrive(portal, ANNA, MARIA)
    ticket = await portal.answers.prove_by_password(ANNA, KNOWN, PASSWORD)
    await prove(portal, BORIS, KNOWN)
    await portal.recovery.set_password(BORIS, "SovsemDrugoy71")

    assert await portal.login.open_session(ANNA, ticket) is None


# --- which account is linked by itself --------------------------------------------------------------------------

FACTS = ("confirmed", "phone_proved", "same_snils", "same_name", "same_birth_date")


@pytest.mark.parametrize("truth", list(itertools.product([True, False], repeat=len(FACTS))), ids=str)
async def test_an_account_is_linked_by_itself_only_to_a_confirmed_person_with_proof_name_and_birth_date(
    folder: Path, clock: MovableClock, truth: tuple[bool, ...]
) -> None:
    facts = dict(zip(FACTS, truth, strict=True))
    async with opened(folder, clock, identity_allow_unconfirmed=True) as real:
        portal = with_provider(real, ScriptedIdentity())
        await set_facts(
            portal,
            phone_proved_at=clock.now if facts["phone_proved"] else None,
            snils_index=portal.cards.snils.index(SNILS if facts["same_snils"] else OTHER_SNILS),
        )
        person = replace(
            MARIA,
            confirmed=facts["confirmed"],
            first_name="Мария" if facts["same_name"] else "Марина",
            birth_date=date(1958, 5, 21) if facts["same_birth_date"] else date(1958, 5, 22),
        )
        outcome = await arrive(portal, ANNA, person, consent=VERSION)

        linked = facts["confirmed"] and facts["same_name"] and facts["same_birth_date"]
        linked = linked and (facts["phone_proved"] or facts["same_snils"])
        assert isinstance(outcome, OpenedSession) is linked
        if linked:
            how = "snils" if facts["same_snils"] else "verified_phone"
            assert [link.how for link in await all_of(portal, LinkedIdentity)] == [how]
        else:
            assert outcome is Waiting.PROOF
            assert await all_of(portal, LinkedIdentity) == []
            assert await all_of(portal, AccountSession) == []


@pytest.mark.parametrize(
    "record",
    [
        {"birth_date": None},
        {"last_name": "Петрова"},
        {"last_name": ""},
        {"first_name": "Маша"},
    ],
    ids=str,
)
async def test_an_account_that_does_not_know_the_person_fully_is_not_linked_by_itself(
    portal: Portal, clock: MovableClock, record: dict[str, object]
) -> None:
    await set_facts(portal, phone_proved_at=clock.now, snils_index=portal.cards.snils.index(SNILS), **record)

    assert await arrive(portal, ANNA, MARIA) is Waiting.PROOF


async def test_an_account_found_by_a_number_the_provider_did_not_verify_is_not_even_asked_for(
    portal: Portal, clock: MovableClock
) -> None:
    await set_facts(portal, phone_proved_at=clock.now)

    assert await arrive(portal, ANNA, replace(MARIA, phone_verified=False)) is Waiting.CONSENT


@pytest.mark.parametrize("last_name", ["ИВАНОВА", "Иванова ", "иванова"])
async def test_spelling_of_a_name_does_not_matter(portal: Portal, clock: MovableClock, last_name: str) -> None:
    await set_facts(portal, phone_proved_at=clock.now)

    assert isinstance(await arrive(portal, ANNA, replace(MARIA, last_name=last_name)), OpenedSession)


async def test_yo_is_ye(portal: Portal, clock: MovableClock) -> None:
    await set_facts(portal, phone_proved_at=clock.now, last_name="Семёнова", first_name="Алёна")
    person = replace(MARIA, last_name="СЕМЕНОВА", first_name="Алена")

    assert isinstance(await arrive(portal, ANNA, person), OpenedSession)


async def test_a_linked_account_learns_what_it_did_not_know_and_keeps_what_it_did(
    portal: Portal, clock: MovableClock
) -> None:
    await set_facts(portal, phone_proved_at=clock.now, email="own@example.ru", patronymic="")
    await arrive(portal, ANNA, replace(MARIA, email="provider@example.ru", email_verified=True))

    patient = await patient_with(portal)
    assert (patient.patronymic, patient.email) == ("Петровна", "own@example.ru")
    assert portal.cards.snils.open(patient.snils_sealed) == SNILS
    assert portal.cards.policies.open(patient.oms_policy_sealed) == POLICY


async def test_a_snils_on_record_is_never_replaced(portal: Portal, clock: MovableClock) -> None:
    other = portal.cards.snils.index(OTHER_SNILS)
    await set_facts(portal, phone_proved_at=clock.now, snils_index=other)
    await arrive(portal, ANNA, MARIA)

    assert (await patient_with(portal)).snils_index == other


async def test_an_account_that_another_identity_opens_is_not_linked_by_itself(
    portal: Portal, clock: MovableClock
) -> None:
    await set_facts(portal, phone_proved_at=clock.now)
    await arrive(portal, ANNA, MARIA)

    assert await arrive(portal, BORIS, replace(MARIA, subject="9", snils=OTHER_SNILS)) is Waiting.PROOF


async def test_a_new_subject_with_the_snils_on_record_is_linked(portal: Portal, clock: MovableClock) -> None:
    await set_facts(portal, phone_proved_at=clock.now)
    await arrive(portal, ANNA, MARIA)

    assert isinstance(await arrive(portal, BORIS, replace(MARIA, subject="9")), OpenedSession)


# --- proof of an old account ------------------------------------------------------------------------------------


async def test_the_password_of_the_old_account_links_it(portal: Portal) -> None:
    assert await arrive(portal, ANNA, MARIA, Purpose.SETTINGS) is Waiting.PROOF
    ticket = await portal.answers.prove_by_password(ANNA, "8 (900) 000-10-01", PASSWORD)
    session = await session_of(portal, ANNA, ticket)

    assert session.landing is Landing.SETTINGS
    assert (await patient_of(portal, session.token)).phone == KNOWN
    assert [link.how for link in await all_of(portal, LinkedIdentity)] == ["password"]
    assert await portal.answers.current(ANNA) is None
    assert isinstance(await arrive(portal, BORIS, MARIA), OpenedSession)


@pytest.mark.parametrize(("phone", "password"), [(KNOWN, "wrong"), (UNKNOWN, PASSWORD)])
async def test_a_wrong_password_links_nothing_and_may_be_tried_again(portal: Portal, phone: str, password: str) -> None:
    await arrive(portal, ANNA, MARIA)
    with pytest.raises(InvalidCredentials):
        await portal.answers.prove_by_password(ANNA, phone, password)

    assert await all_of(portal, LinkedIdentity) == []
    assert await portal.answers.prove_by_password(ANNA, KNOWN, PASSWORD)


async def test_a_code_to_the_old_accounts_phone_links_it(portal: Portal, clock: MovableClock) -> None:
    await arrive(portal, ANNA, MARIA)
    await portal.answers.send_code(ANNA, KNOWN, CALL)
    session = await session_of(portal, ANNA, await portal.answers.confirm_code(ANNA, await last_code(portal)))

    patient = await patient_of(portal, session.token)
    assert (patient.phone, patient.phone_proved_at) == (KNOWN, clock.now)
    assert [link.how for link in await all_of(portal, LinkedIdentity)] == ["code"]


async def test_three_misses_end_the_code_and_the_right_one_comes_too_late(portal: Portal) -> None:
    await arrive(portal, ANNA, MARIA)
    await portal.answers.send_code(ANNA, KNOWN, CALL)
    code = await last_code(portal)
    left = []
    for by in (1, 2, 3):
        with pytest.raises(CodeMismatch) as miss:
            await portal.answers.confirm_code(ANNA, wrong(code, by))
        left.append(miss.value.attempts_left)

    assert left == [2, 1, 0]
    with pytest.raises(CodeUsedUp):
        await portal.answers.confirm_code(ANNA, code)
    assert await all_of(portal, LinkedIdentity) == []
    assert await portal.answers.prove_by_password(ANNA, KNOWN, PASSWORD)  # the other proof is still open


async def test_a_late_code_links_nothing(portal: Portal, clock: MovableClock) -> None:
    await arrive(portal, ANNA, MARIA)
    await portal.answers.send_code(ANNA, KNOWN, CALL)
    clock.move(minutes=5)

    with pytest.raises(CodeExpired):
        await portal.answers.confirm_code(ANNA, await last_code(portal))


async def test_a_code_before_any_was_sent_is_refused(portal: Portal) -> None:
    await arrive(portal, ANNA, MARIA)

    with pytest.raises(CodeUsedUp):
        await portal.answers.confirm_code(ANNA, "0000")
    with pytest.raises(InvalidPhone):
        await portal.answers.send_code(ANNA, "", CALL)


async def test_a_code_of_a_recovery_proves_nothing_here_nor_the_other_way_round(
    portal: Portal, clock: MovableClock
) -> None:
    await arrive(portal, ANNA, MARIA)
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    of_recovery = await last_code(portal)
    clock.move(seconds=60)
    await portal.answers.send_code(ANNA, KNOWN, CALL)
    of_proof = await last_code(portal)
    if of_recovery != of_proof:
        with pytest.raises(CodeMismatch):
            await portal.answers.confirm_code(ANNA, of_recovery)

    with pytest.raises(CodeUsedUp):
        await portal.recovery.confirm_code(ANNA, of_proof)


async def test_the_code_of_one_browser_proves_nothing_in_another(portal: Portal) -> None:
    await arrive(portal, ANNA, MARIA)
    await arrive(portal, BORIS, replace(MARIA, subject="9"))
    await portal.answers.send_code(ANNA, KNOWN, CALL)

    with pytest.raises(CodeUsedUp):
        await portal.answers.confirm_code(BORIS, await last_code(portal))


async def test_a_code_to_ones_own_phone_does_not_prove_another(portal: Portal, clock: MovableClock) -> None:
    await arrive(portal, ANNA, MARIA)
    await portal.answers.send_code(ANNA, UNKNOWN, CALL)
    own = await last_code(portal)
    clock.move(seconds=1)
    await portal.answers.send_code(ANNA, KNOWN, CALL)
    if own != await last_code(portal):
        with pytest.raises(CodeMismatch):
            await portal.answers.confirm_code(ANNA, own)

    assert await all_of(portal, LinkedIdentity) == []


async def test_a_number_that_has_to_wait_leaves_the_proof_on_the_number_before(
    portal: Portal, clock: MovableClock
) -> None:
    await portal.recovery.begin(BORIS, OTHER_KNOWN, CALL)
    await arrive(portal, ANNA, MARIA)
    await portal.answers.send_code(ANNA, KNOWN, CALL)
    code = await last_code(portal, KNOWN)
    with pytest.raises(RateLimited):
        await portal.answers.send_code(ANNA, OTHER_KNOWN, CALL)

    session = await session_of(portal, ANNA, await portal.answers.confirm_code(ANNA, code))
    assert (await patient_of(portal, session.token)).phone == KNOWN


async def test_the_code_is_sent_again_to_the_same_number(portal: Portal, clock: MovableClock) -> None:
    await arrive(portal, ANNA, MARIA)
    await portal.answers.send_code(ANNA, KNOWN, CALL)
    clock.move(seconds=30)
    with pytest.raises(RateLimited):
        await portal.answers.send_code(ANNA, "", CALL)
    clock.move(seconds=30)
    await portal.answers.send_code(ANNA, "", CALL)

    assert await portal.answers.confirm_code(ANNA, await last_code(portal, KNOWN))


async def test_a_number_without_an_account_leads_to_consent(portal: Portal) -> None:
    await arrive(portal, ANNA, MARIA)
    await portal.answers.send_code(ANNA, UNKNOWN, CALL)

    assert await portal.answers.confirm_code(ANNA, await last_code(portal)) == ""
    view = await portal.answers.current(ANNA)
    assert view is not None
    assert view.waits_for is Waiting.CONSENT
    session = await session_of(portal, ANNA, await portal.answers.consent(ANNA))
    assert (await patient_of(portal, session.token)).phone is None  # KNOWN stays with its account


async def test_known_and_unknown_numbers_cannot_be_told_apart_before_the_code(portal: Portal) -> None:
    await arrive(portal, ANNA, MARIA)
    await arrive(portal, BORIS, MARIA)
    await portal.answers.send_code(ANNA, OTHER_KNOWN, CALL)
    await portal.answers.send_code(BORIS, UNKNOWN, CALL)
    views = [await portal.answers.current(visitor) for visitor in (ANNA, BORIS)]

    shown = [replace(view.code, phone="") for view in views if view is not None and view.code is not None]
    assert len(shown) == 2
    assert shown[0] == shown[1]


async def test_another_persons_account_is_refused_whatever_proves_it(portal: Portal) -> None:
    await arrive(portal, ANNA, replace(MARIA, birth_date=date(1990, 1, 1)))
    with pytest.raises(AccountOfAnother):
        await portal.answers.prove_by_password(ANNA, KNOWN, PASSWORD)
    await portal.answers.send_code(ANNA, KNOWN, CALL)
    with pytest.raises(AccountOfAnother):
        await portal.answers.confirm_code(ANNA, await last_code(portal))

    assert await all_of(portal, LinkedIdentity) == []
    assert await all_of(portal, AccountSession) == []
    view = await portal.answers.current(ANNA)
    assert view is not None
    assert view.waits_for is Waiting.PROOF


async def test_without_birth_dates_another_first_name_is_another_person(portal: Portal) -> None:
    await set_facts(portal, birth_date=None)
    await arrive(portal, ANNA, replace(MARIA, first_name="Олег"))

    with pytest.raises(AccountOfAnother):
        await portal.answers.prove_by_password(ANNA, KNOWN, PASSWORD)


async def test_a_changed_last_name_does_not_keep_the_old_account_away(portal: Portal) -> None:
    await arrive(portal, ANNA, replace(MARIA, last_name="Сидорова"))

    assert await portal.answers.prove_by_password(ANNA, KNOWN, PASSWORD)


async def test_a_second_identity_of_the_same_issuer_is_refused_even_with_the_password(portal: Portal) -> None:
    await arrive(portal, ANNA, MARIA)
    await portal.answers.prove_by_password(ANNA, KNOWN, PASSWORD)
    await arrive(portal, BORIS, replace(MARIA, subject="9", snils=OTHER_SNILS))

    with pytest.raises(AccountOfAnother):
        await portal.answers.prove_by_password(BORIS, KNOWN, PASSWORD)
    assert len(await all_of(portal, LinkedIdentity)) == 1


async def test_not_mine_without_consent_asks_for_it_next(portal: Portal) -> None:
    await arrive(portal, ANNA, MARIA)
    assert await portal.answers.not_mine(ANNA) == ""

    view = await portal.answers.current(ANNA)
    assert view is not None
    assert view.waits_for is Waiting.CONSENT
    assert await all_of(portal, PersonalDataConsent) == []


async def test_not_mine_with_consent_makes_a_new_account_and_leaves_the_old_one_alone(portal: Portal) -> None:
    old = await patient_with(portal)
    await arrive(portal, ANNA, MARIA, consent=VERSION)
    session = await session_of(portal, ANNA, await portal.answers.not_mine(ANNA))

    new = await patient_of(portal, session.token)
    assert new.id != old.id
    assert new.phone is None
    assert await patient_with(portal) == old
    assert len(await all_of(portal, PersonalDataConsent)) == 1


async def test_an_answer_to_the_other_question_is_refused(portal: Portal) -> None:
    await arrive(portal, ANNA, MARIA)
    with pytest.raises(NoPendingIdentity):
        await portal.answers.consent(ANNA)
    await arrive(portal, ANNA, VERA)
    with pytest.raises(NoPendingIdentity):
        await portal.answers.not_mine(ANNA)

    await portal.answers.have_account(ANNA)
    with pytest.raises(NoPendingIdentity):
        await portal.answers.consent(ANNA)


# --- two windows ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("second", "sessions"), [(ANNA, 1), (BORIS, 2)], ids=["same browser: its journey began last", "another browser"]
)
async def test_two_windows_that_register_the_same_person_at_once_make_one_account(
    portal: Portal, second: str, sessions: int
) -> None:
    states = [await leave(portal, visitor, consent=VERSION) for visitor in (ANNA, second)]
    before = len(await all_of(portal, Patient))
    outcomes = await asyncio.gather(
        *(come_back(portal, visitor, state, VERA) for visitor, state in zip((ANNA, second), states, strict=True)),
        return_exceptions=True,
    )

    assert sum(isinstance(outcome, OpenedSession) for outcome in outcomes) == sessions
    assert [outcome.problem for outcome in outcomes if isinstance(outcome, IdentityRefused)] == (
        [IdentityProblem.STALE] * (2 - sessions)
    )
    assert len(await all_of(portal, Patient)) == before + 1
    assert len(await all_of(portal, LinkedIdentity)) == 1
    assert len(await all_of(portal, PersonalDataConsent)) == 1


async def test_two_windows_that_come_back_unknown_leave_one_person_waiting(portal: Portal) -> None:
    states = [await leave(portal, ANNA) for _ in range(2)]
    earlier, later = await asyncio.gather(
        *(come_back(portal, ANNA, state, VERA) for state in states), return_exceptions=True
    )

    assert isinstance(earlier, IdentityRefused)
    assert earlier.problem is IdentityProblem.STALE
    assert later is Waiting.CONSENT
    assert len(await all_of(portal, PendingIdentity)) == 1


async def test_the_person_who_came_back_last_is_the_one_who_waits(portal: Portal) -> None:
    await arrive(portal, ANNA, VERA)
    await arrive(portal, ANNA, replace(VERA, subject="8", first_name="Нина", snils="", phone=""))

    view = await portal.answers.current(ANNA)
    assert view is not None
    assert "Нина" in view.full_name


async def test_a_waiting_person_is_forgotten_when_somebody_known_signs_in(portal: Portal) -> None:
    await arrive(portal, BORIS, consent=VERSION)
    await arrive(portal, ANNA, MARIA)
    await arrive(portal, ANNA, VERA)

    assert await portal.answers.current(ANNA) is None


# --- signing out ------------------------------------------------------------------------------------------------


async def test_signing_out_leads_through_the_provider_with_the_token_it_gave(portal: Portal) -> None:
    sealed = portal.identity.persons.seal("its-token")

    assert (await portal.identity.logout_url(sealed, RETURN)).startswith("https://esia.test.example/logout")
    assert provider_of(portal).logouts == ["its-token"]


async def test_a_provider_that_is_down_or_gone_keeps_nobody_from_signing_out(portal: Portal) -> None:
    provider_of(portal).down = True

    assert await portal.identity.logout_url(portal.identity.persons.seal("its-token"), RETURN) == ""
    assert await with_provider(portal, None).identity.logout_url("", RETURN) == ""


async def test_a_token_sealed_with_an_older_key_keeps_nobody_from_signing_out(portal: Portal) -> None:
    assert await portal.identity.logout_url("s1.c2VhbGVkIHdpdGggYW5vdGhlciBrZXk=", RETURN) == ""
