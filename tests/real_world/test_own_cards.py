"""Kind 4: the own card is the own card, however its name is written; and who is linked by itself is compared in the same way."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from medonline.bootstrap import Portal
from medonline.services.crypto.tokens import token_hash
from medonline.services.gosuslugi.login import Waiting
from medonline.services.login.password_login import OpenedSession
from medonline.services.patient_cards.rows import Whose
from medonline.services.patient_cards.service import AskedConsent, LinkedCards
from tests.providers.patient_cards.written import CLINIC, COVER, PATIENT, Written, bundle, changed
from tests.real_world.copied_values import POLICY
from tests.services.outside import VERA, ScriptedIdentity, arrive, with_provider, with_registry
from tests.services.patient_cards.family import know
from tests.services.world import ANNA, BORIS, KNOWN, patient_with, sign_in

SNILS = "00000070101"
BORN = "1958-05-21"
# How the registry writes the name of Мария О'Коннор.
SAME_NAME = [
    {"use": "official", "family": "О'Коннор", "given": ["Мария"]},
    {"use": "official", "family": "О\u2019Коннор", "given": ["Мария"]},
    {"use": "official", "family": "О`Коннор", "given": ["Мария"]},
    {"use": "official", "family": "О\u02bcКоннор", "given": ["Мария"]},
    {"use": "official", "family": "О\u2032КОННОР", "given": ["МАРИЯ"]},
    {"use": "official", "family": "ОКоннор", "given": ["Мария"]},
    {"use": "official", "family": "О'Кон\u00adнор", "given": ["Ма\u200bрия"]},
    {"use": "official", "family": "\u202aО'Коннор\u202c", "given": ["Мария\ufe0f"]},
    {"use": "official", "family": "O'Kоннор", "given": ["Mария"]},  # with Latin letters
    {"use": "usual", "family": "о'коннор", "given": ["мария", "петровна"]},
]
OTHER_NAME = [
    {"use": "official", "family": "Коннор", "given": ["Мария"]},
    {"use": "official", "family": "О'Коннор", "given": ["Марина"]},
    {"use": "official", "family": "О'Коннор-Иванова", "given": ["Мария"]},
]


def registry(name: list[dict[str, Any]], *, snils: str | int = SNILS, born: str = BORN) -> Written:
    identifiers: list[dict[str, Any]] = [{"system": "urn:medonline:card", "value": "А-17"}]
    identifiers += [{"system": "urn:oid:1.2.643.100.3", "value": snils}] if snils != "" else []
    person = changed(PATIENT, name=name, birthDate=born, identifier=identifiers)
    everything = bundle(person, CLINIC, COVER)
    return Written(
        Patient___search=everything, Coverage___search=everything, Organization__o1=CLINIC, Patient__p1=person
    )


async def account(portal: Portal, written: Written, **known: str) -> tuple[Portal, str]:
    """Мария О'Коннор, born on 21.05.1958, with these numbers on record, before this registry; the key of her session."""
    key = token_hash(await sign_in(portal, ANNA))
    with portal.database.writing() as session:
        patient = session.merge(await patient_with(portal))
        patient.last_name, patient.first_name, patient.birth_date = "О'Коннор", "Мария", date(1958, 5, 21)
        session.add(patient)
    await know(portal, **known)
    return with_registry(portal, written.registry()), key  # type: ignore[arg-type]


async def whose(portal: Portal, key: str) -> list[Whose]:
    return [card.whose for card in (await portal.cards.kept(key)).cards]


NAMES = [[name] for name in (*SAME_NAME, *OTHER_NAME)]
OLD_FIRST = [{"use": "old", "family": "Девичья", "given": ["Мария"]}, {"use": "official", "family": "О'Коннор"}]


@pytest.mark.parametrize("name", [*NAMES, OLD_FIRST, [{"text": "О`КОННОР МАРИЯ"}], []], ids=ascii)
async def test_found_by_the_own_snils_it_is_own_whatever_its_name(portal: Portal, name: list[dict[str, Any]]) -> None:
    portal, key = await account(portal, registry(name), snils=SNILS)
    await portal.cards.current(key)

    assert await whose(portal, key) == [Whose.OWN]


@pytest.mark.parametrize("snils", ["000-000-701 01", SNILS, "000\u2011000\u2011701\u00a001", "000 000 701 01", 70101])
async def test_the_own_snils_is_found_however_the_registry_writes_it(portal: Portal, snils: str | int) -> None:
    portal, key = await account(portal, registry([OTHER_NAME[0]], snils=snils), snils=SNILS)
    await portal.cards.current(key)

    assert await whose(portal, key) == [Whose.OWN]


@pytest.mark.parametrize(
    "known", [{"snils": SNILS}, {"policy": POLICY}], ids=["by СНИЛС", "by the policy of Gosuslugi"]
)
@pytest.mark.parametrize("name", NAMES, ids=ascii)
async def test_added_by_its_policy_it_is_own_whatever_its_name(
    portal: Portal, name: list[dict[str, Any]], known: dict[str, str]
) -> None:
    portal, key = await account(portal, registry(name, snils=known.get("snils", "")), **known)

    assert isinstance(await portal.cards.link(key, f"\u202a№ {POLICY}\u202c", "21 мая 1958 г."), LinkedCards)
    assert await whose(portal, key) == [Whose.OWN]


@pytest.mark.parametrize("name", SAME_NAME, ids=ascii)
async def test_without_a_number_on_record_every_spelling_of_the_name_is_the_name(
    portal: Portal, name: dict[str, Any]
) -> None:
    portal, key = await account(portal, registry([name], snils=""))

    assert isinstance(await portal.cards.link(key, POLICY, "21.05.1958"), LinkedCards)
    assert await whose(portal, key) == [Whose.OWN]


@pytest.mark.parametrize("name", OTHER_NAME, ids=ascii)
async def test_without_a_number_on_record_another_name_is_another_person(portal: Portal, name: dict[str, Any]) -> None:
    portal, key = await account(portal, registry([name], snils=""))

    assert isinstance(await portal.cards.link(key, POLICY, "21.05.1958"), AskedConsent)


@pytest.mark.parametrize("snils", ["000-000-000 00", "нет", "-", "123-456-789 00", "0000007010", 0])
async def test_a_snils_that_is_none_says_nothing_of_whose_card_it_is(portal: Portal, snils: str | int) -> None:
    portal, key = await account(portal, registry([SAME_NAME[0]], snils=snils), snils=SNILS, policy=POLICY)

    assert isinstance(await portal.cards.link(key, POLICY, "21.05.1958"), LinkedCards)
    assert await whose(portal, key) == [Whose.OWN]


@pytest.mark.parametrize("contradiction", [{"born": "1958-05-22"}, {"snils": "00000070202"}], ids=str)
async def test_what_contradicts_is_not_own_whatever_is_alike(portal: Portal, contradiction: dict[str, str]) -> None:
    portal, key = await account(portal, registry([SAME_NAME[0]], **contradiction), snils=SNILS)

    assert isinstance(await portal.cards.link(key, POLICY, "21.05.1958"), AskedConsent)
    assert await whose(portal, key) == []


# Automatic linking of an account at Gosuslugi, by the same comparison.

ARRIVING = replace(
    VERA, last_name="О'Коннор", first_name="Мария", birth_date=date(1958, 5, 21), phone=KNOWN, snils="", oms_policy=""
)


async def arrival(portal: Portal, last_name: str, first_name: str, born: date) -> OpenedSession | Waiting:
    await account(portal, registry([]))
    with portal.database.writing() as session:
        patient = session.merge(await patient_with(portal))
        patient.phone_proved_at = portal.clock()
        session.add(patient)
    portal = with_provider(portal, ScriptedIdentity())
    return await arrive(portal, BORIS, replace(ARRIVING, last_name=last_name, first_name=first_name, birth_date=born))


@pytest.mark.parametrize("name", SAME_NAME, ids=ascii)
async def test_an_account_is_linked_by_itself_however_the_name_is_written(portal: Portal, name: dict[str, Any]) -> None:
    outcome = await arrival(portal, name["family"], name["given"][0], date(1958, 5, 21))

    assert isinstance(outcome, OpenedSession)


@pytest.mark.parametrize("name", OTHER_NAME, ids=ascii)
async def test_another_name_has_to_be_proved(portal: Portal, name: dict[str, Any]) -> None:
    outcome = await arrival(portal, name["family"], name["given"][0], date(1958, 5, 21))

    assert outcome is Waiting.PROOF


async def test_another_birth_date_has_to_be_proved(portal: Portal) -> None:
    assert await arrival(portal, "О'Коннор", "Мария", date(1958, 5, 22)) is Waiting.PROOF
