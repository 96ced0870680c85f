"""What an operator switches on at the stand-ins, and what the real clients make of it over a socket."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import httpx
import pytest

from medonline.providers.patient_cards.fhir import FhirCards
from medonline.sandbox.fhir_faults import Fault
from medonline.services.ports import FoundCards
from tests.providers.patient_cards.written import POLICY, SNILS, TOKEN
from tests.sandbox.server import running_sandbox, settings

BROKEN = {Fault.NONE, Fault.DOWN, Fault.SLOW, Fault.HTML, Fault.GARBAGE}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[str]:
    with running_sandbox(settings(fhir_token=TOKEN)) as url:
        yield url


@pytest.fixture
async def registry(sandbox: str) -> AsyncIterator[FhirCards]:
    registry = FhirCards(f"{sandbox}/fhir", TOKEN)
    yield registry
    switch(sandbox, Fault.NONE)
    await registry.close()


def same(found: FoundCards) -> FoundCards:
    """With phones as their digits: a number in JSON has no brackets."""
    cards = (replace(card, clinic_phone="".join(filter(str.isdigit, card.clinic_phone))) for card in found.cards)
    return replace(found, cards=tuple(cards))


def switch(sandbox: str, fault: Fault) -> None:
    httpx.put(f"{sandbox}/fhir-faults.json", json={"fault": fault}, trust_env=False).raise_for_status()


@pytest.mark.parametrize("fault", [fault for fault in Fault if fault not in BROKEN | {Fault.PART}])
async def test_an_oddity_changes_nothing_that_a_patient_sees(sandbox: str, registry: FhirCards, fault: Fault) -> None:
    whole = await registry.cards_by_snils(SNILS)
    (mother,) = (await registry.cards_by_snils("00000070303")).cards
    assert len(whole.cards) == 2
    switch(sandbox, fault)

    odd = await registry.cards_by_snils(SNILS)

    assert same(odd) == same(whole)
    assert same(await registry.cards_by_policy(POLICY)) == same(whole)
    assert (await registry.card(mother.ref)).cards[0].last_name == mother.last_name
    assert "takes the token" in await registry.check()


async def test_a_part_that_cannot_be_read_is_counted(sandbox: str, registry: FhirCards) -> None:
    first, second = (await registry.cards_by_snils(SNILS)).cards
    switch(sandbox, Fault.PART)

    answer = await registry.cards_by_snils(SNILS)

    (left,) = answer.cards
    assert left in (first, second)
    assert answer.left_out == 1
    gone = second if left == first else first
    assert await registry.card(gone.ref) == FoundCards((), 1)
