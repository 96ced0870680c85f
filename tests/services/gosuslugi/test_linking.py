"""Which account a person is linked to by itself, and what the account learns; a person sealed and read again."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medonline.bootstrap import Portal
from medonline.domain.errors import AccountOfAnother
from medonline.domain.personal_data_consent import VERSION
from medonline.services.gosuslugi.linking import person_as_text, person_from_text
from medonline.services.gosuslugi.login import Waiting
from medonline.services.login.password_login import OpenedSession
from medonline.services.ports import IdentityPerson
from medonline.storage.tables.gosuslugi import LinkedIdentity
from medonline.storage.tables.login import AccountSession
from tests.services.gosuslugi.journeys import MARIA, all_of, set_facts
from tests.services.outside import OTHER_SNILS, POLICY, SNILS, ScriptedIdentity, arrive, with_provider
from tests.services.world import ANNA, BORIS, KNOWN, PASSWORD, MovableClock, opened, patient_with


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


@pytest.mark.parametrize(
    ("last_name", "first_name", "opens"),
    [
        ("Иванова", "Мария", True),
        ("  ИВАНОВА ", "мария", True),
        ("Петрова", "Мария", False),
        ("Иванова", "Марина", False),
    ],
)
async def test_without_a_birth_date_on_record_both_names_must_be_the_persons(
    portal: Portal, last_name: str, first_name: str, opens: bool
) -> None:
    await set_facts(portal, birth_date=None, snils_index=None)
    stranger = replace(MARIA, last_name=last_name, first_name=first_name, phone="", phone_verified=False)
    await arrive(portal, ANNA, stranger)
    await portal.answers.have_account(ANNA)
    if opens:
        assert await portal.answers.prove_by_password(ANNA, KNOWN, PASSWORD)
    else:
        with pytest.raises(AccountOfAnother):
            await portal.answers.prove_by_password(ANNA, KNOWN, PASSWORD)
    assert len(await all_of(portal, LinkedIdentity)) == opens


async def test_with_the_same_birth_date_a_changed_last_name_is_no_other_person(portal: Portal) -> None:
    await arrive(portal, ANNA, replace(MARIA, last_name="Петрова", phone="", phone_verified=False))
    await portal.answers.have_account(ANNA)

    assert await portal.answers.prove_by_password(ANNA, KNOWN, PASSWORD)


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
