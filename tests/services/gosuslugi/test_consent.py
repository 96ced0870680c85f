"""A person who is not known is asked for consent: nothing without it, one account with it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from medonline.bootstrap import Portal
from medonline.domain.client import Client
from medonline.domain.errors import IdentityProblem, IdentityRefused, NoPendingIdentity
from medonline.domain.login import Landing
from medonline.domain.personal_data_consent import VERSION, text_hash
from medonline.services.gosuslugi.login import Purpose, Waiting
from medonline.services.login.password_login import OpenedSession
from medonline.services.ports import IdentityPerson
from medonline.storage.tables.gosuslugi import LinkedIdentity, PendingIdentity, PersonalDataConsent
from medonline.storage.tables.patients import Patient
from medonline.wording.personal_data_consent import consent_text
from tests.services.gosuslugi.journeys import MARIA, all_of, patient_of, session_of, set_facts
from tests.services.outside import ISSUER, MOBILE, POLICY, SNILS, VERA, arrive, come_back, dump, leave
from tests.services.world import ANNA, BORIS, KNOWN, MovableClock, patient_with


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
    await portal.answers.refuse(Client())

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


@pytest.mark.parametrize(
    ("second", "sessions"), [(ANNA, 1), (BORIS, 2)], ids=["same browser: its journey began last", "another browser"]
)
async def test_two_windows_that_register_the_same_person_at_once_make_one_account(
    portal: Portal, second: Client, sessions: int
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
