"""A card of another adult: asked for, granted in its owner's account, taken back; rows for both, a notice to the owner."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from sqlmodel import col, select

from medonline.bootstrap import Portal
from medonline.domain.card_access import REQUEST_LIFE
from medonline.domain.errors import CardAlreadyLinked, ConsentAlreadyAsked, NoSuchRequest, NotSignedIn
from medonline.domain.security_journal import JournalEvent
from medonline.services.crypto.tokens import token_hash
from medonline.services.desk.accounts import NewAccount
from medonline.services.notices.texts import About
from medonline.services.patient_cards.consent import Reader
from medonline.services.patient_cards.rows import Whose
from medonline.storage.tables.notices import Notice
from medonline.storage.tables.patient_cards import PatientCard
from tests.services.outside import ScriptedRegistry, dump
from tests.services.patient_cards.family import OWN, OWN_POLICY, card_id, events_of, refs
from tests.services.world import ANNA, BORIS, KNOWN, OTHER_KNOWN, MovableClock, browser, sign_in

HER_BIRTHDAY = "21.05.1958"
THIRD = NewAccount("+79000007001", "Vrach12345", "Ли", "Анна", "", phone_proved=True)


@pytest.fixture
async def hers(portal: Portal, key: str) -> str:
    """Мария, whose own card is on her list."""
    await portal.cards.current(key)
    return key


@pytest.fixture
async def his(strangers_key: str) -> str:
    """Алексей, who wants to see Мария's card."""
    return strangers_key


async def ask(portal: Portal, his: str) -> str:
    """He asks; the request's id, as he knows it."""
    await portal.cards.link(his, OWN_POLICY, HER_BIRTHDAY)
    return (await portal.cards.kept(his)).consents.waiting[-1].id


async def told(portal: Portal) -> list[tuple[str, str]]:
    """Whom, about what."""
    with portal.database.reading() as session:
        rows = session.exec(select(Notice).order_by(col(Notice.created_at))).all()
    assert all(row.dispute_hash is None for row in rows)
    return [(row.phone, row.about) for row in rows]


async def test_asked_granted_shown_and_taken_back(
    portal: Portal, clock: MovableClock, his: str, hers: str, registry: ScriptedRegistry
) -> None:
    request = await ask(portal, his)
    assert (await portal.cards.kept(his)).cards == ()
    assert (await portal.cards.kept(hers)).consents.to_answer == (
        Reader(request, "Смирнов Алексей Игоревич", OTHER_KNOWN[-2:], clock.now),
    )

    clock.move(minutes=1)
    await portal.cards.consent.grant(hers, request)
    view = await portal.cards.kept(his)
    (shown,) = view.cards
    assert (shown.number, shown.whose, shown.holder) == (OWN.number, Whose.OTHER, "Иванова Мария Петровна")
    assert view.consents.waiting == ()
    view = await portal.cards.kept(hers)
    assert (view.consents.to_answer, [reader.at for reader in view.consents.granted]) == ((), [clock.now])
    registry.cards[0] = replace(OWN, clinic_name="Другая поликлиника")
    assert [card.clinic_name for card in (await portal.cards.current(his, ask_again=True)).cards] == [
        "Другая поликлиника"
    ]

    assert [await portal.cards.consent.remove(hers, request) for _ in range(2)] == [True, False]
    assert (await portal.cards.kept(his)).cards == ()
    assert (await portal.cards.kept(hers)).consents.granted == ()
    clock.move(minutes=1)
    assert refs(await portal.cards.current(his, ask_again=True)) == []
    with portal.database.reading() as session:
        assert [row.ref for row in session.exec(select(PatientCard))] == ["card-1"]


async def test_both_journals_have_it_and_the_owner_is_told(portal: Portal, his: str, hers: str) -> None:
    request = await ask(portal, his)
    await portal.cards.consent.grant(hers, request)
    await portal.cards.consent.remove(hers, request)

    all_of_it = [
        JournalEvent.CARD_ACCESS_REMOVED,
        JournalEvent.CARD_ACCESS_GRANTED,
        JournalEvent.CARD_ACCESS_ASKED,
    ]
    assert (await events_of(portal, his), await events_of(portal, hers)) == (all_of_it, all_of_it)
    assert await told(portal) == [(KNOWN, About.CARD_ASKED), (KNOWN, About.CARD_GRANTED)]


async def test_the_others_device_and_network_are_in_nobodys_journal_but_theirs(
    portal: Portal, his: str, hers: str
) -> None:
    await portal.cards.consent.grant(hers, await ask(portal, his))
    for key, own, other in (
        (his, JournalEvent.CARD_ACCESS_ASKED, JournalEvent.CARD_ACCESS_GRANTED),
        (hers, JournalEvent.CARD_ACCESS_GRANTED, JournalEvent.CARD_ACCESS_ASKED),
    ):
        rows = {row.event: row for row in (await portal.journal.mine(key)).rows}
        assert rows[other].network == ""
        assert rows[own].details["side"] != rows[other].details["side"] or own != other


async def test_a_refusal_is_not_told_and_stands_in_the_way_of_the_next_request(
    portal: Portal, clock: MovableClock, his: str, hers: str
) -> None:
    request = await ask(portal, his)
    before = (await portal.cards.kept(his)).consents.waiting
    await portal.cards.consent.refuse(hers, request)

    assert (await portal.cards.kept(his)).consents.waiting == before
    assert await events_of(portal, his) == [JournalEvent.CARD_ACCESS_ASKED]
    assert await events_of(portal, hers) == [JournalEvent.CARD_ACCESS_REFUSED, JournalEvent.CARD_ACCESS_ASKED]
    with pytest.raises(ConsentAlreadyAsked):
        await portal.cards.link(his, OWN_POLICY, HER_BIRTHDAY)
    assert await portal.cards.consent.withdraw(his, request)
    assert await ask(portal, his) == request
    assert (await portal.cards.kept(hers)).consents.to_answer == ()
    with pytest.raises(NoSuchRequest):
        await portal.cards.consent.grant(hers, request)

    clock.move(days=REQUEST_LIFE.days)
    his, hers = (
        token_hash(await sign_in(portal, BORIS, OTHER_KNOWN, "Poliklinika7")),
        token_hash(await sign_in(portal, ANNA)),
    )
    assert (await portal.cards.kept(his)).consents.waiting == ()
    await ask(portal, his)
    assert len((await portal.cards.kept(hers)).consents.to_answer) == 1


async def test_a_request_that_is_too_old_is_nobodys_to_grant(
    portal: Portal, clock: MovableClock, his: str, hers: str
) -> None:
    request = await ask(portal, his)
    clock.move(days=REQUEST_LIFE.days)
    hers = token_hash(await sign_in(portal, ANNA))

    assert (await portal.cards.kept(hers)).consents.to_answer == ()
    with pytest.raises(NoSuchRequest):
        await portal.cards.consent.grant(hers, request)


async def test_a_request_withdrawn_is_nobodys_to_grant_and_asked_again_tells_nobody_twice(
    portal: Portal, his: str, hers: str
) -> None:
    request = await ask(portal, his)
    assert [await portal.cards.consent.withdraw(his, request) for _ in range(2)] == [True, False]
    assert (await portal.cards.kept(hers)).consents.to_answer == ()
    with pytest.raises(NoSuchRequest):
        await portal.cards.consent.grant(hers, request)

    assert await ask(portal, his) == request
    assert await told(portal) == [(KNOWN, About.CARD_ASKED)]
    await portal.cards.consent.grant(hers, request)
    assert refs(await portal.cards.kept(his)) == ["card-1"]
    with pytest.raises(CardAlreadyLinked):
        await portal.cards.link(his, OWN_POLICY, HER_BIRTHDAY)


async def test_nobody_but_the_owner_sees_or_answers_a_request(
    portal: Portal, folder: Path, his: str, hers: str
) -> None:
    request = await ask(portal, his)
    await portal.accounts.add(THIRD)
    third = token_hash(await sign_in(portal, browser(3), THIRD.phone, THIRD.password))
    before = dump(folder)
    for key in (his, third):
        assert (await portal.cards.kept(key)).consents.to_answer == ()
        for act in (portal.cards.consent.grant, portal.cards.consent.refuse):
            with pytest.raises(NoSuchRequest):
                await act(key, request)
    for key in (hers, third):
        assert not await portal.cards.consent.withdraw(key, request)
    for key in (his, third):
        assert not await portal.cards.consent.remove(key, request)
    for nobody in ("", "x"):
        for act in (portal.cards.consent.grant, portal.cards.consent.refuse):
            with pytest.raises(NotSignedIn):
                await act(nobody, request)
        for take_back in (portal.cards.consent.withdraw, portal.cards.consent.remove):
            with pytest.raises(NotSignedIn):
                await take_back(nobody, request)

    after = dump(folder)
    assert {name for name in after if after[name] != before[name]} <= {"account_session"}


async def test_the_owner_who_comes_later_finds_the_request(portal: Portal, key: str, his: str) -> None:
    """At the time of asking the portal did not know whose policy it is."""
    request = await ask(portal, his)
    assert await told(portal) == []
    view = await portal.cards.current(key)

    assert [one.id for one in view.consents.to_answer] == [request]


async def test_an_owner_whose_card_is_off_the_list_is_asked_all_the_same(portal: Portal, his: str, hers: str) -> None:
    await portal.cards.unlink(hers, await card_id(portal, hers, "card-1"))
    request = await ask(portal, his)

    assert [one.id for one in (await portal.cards.kept(hers)).consents.to_answer] == [request]


async def test_another_birth_date_asks_nobody(portal: Portal, his: str, hers: str) -> None:
    await portal.cards.link(his, OWN_POLICY, "22.05.1958")

    assert (await portal.cards.kept(hers)).consents.to_answer == ()
    assert await told(portal) == []


async def test_the_owner_is_told_of_requests_once_a_day(
    portal: Portal, clock: MovableClock, his: str, hers: str
) -> None:
    await portal.accounts.add(THIRD)
    third = token_hash(await sign_in(portal, browser(3), THIRD.phone, THIRD.password))
    await ask(portal, his)
    await ask(portal, third)

    assert await told(portal) == [(KNOWN, About.CARD_ASKED)]
    assert len((await portal.cards.kept(hers)).consents.to_answer) == 2


async def test_what_is_given_up_is_gone_for_both(portal: Portal, his: str, hers: str) -> None:
    await portal.cards.consent.grant(hers, await ask(portal, his))
    assert await portal.cards.unlink(his, await card_id(portal, his, "card-1"))

    assert (await portal.cards.kept(hers)).consents.granted == ()
    assert (await events_of(portal, hers))[0] is JournalEvent.CARD_ACCESS_REMOVED
    await ask(portal, his)  # and may be asked for again


async def test_of_ten_answers_at_the_same_moment_one_counts(portal: Portal, his: str, hers: str) -> None:
    request = await ask(portal, his)
    outcomes = await asyncio.gather(
        *(
            (portal.cards.consent.grant if turn % 2 else portal.cards.consent.refuse)(hers, request)
            for turn in range(10)
        ),
        return_exceptions=True,
    )

    assert Counter(type(outcome).__name__ for outcome in outcomes) == {"NoneType": 1, "NoSuchRequest": 9}


async def test_the_same_request_at_the_same_moment_is_one(portal: Portal, his: str, hers: str) -> None:
    outcomes = await asyncio.gather(
        *(portal.cards.link(his, OWN_POLICY, HER_BIRTHDAY) for _ in range(4)), return_exceptions=True
    )

    assert Counter(type(outcome).__name__ for outcome in outcomes) == {"AskedConsent": 1, "ConsentAlreadyAsked": 3}
    assert len((await portal.cards.kept(hers)).consents.to_answer) == 1


async def test_when_the_owner_is_erased_nobody_sees_the_cards(portal: Portal, his: str, hers: str) -> None:
    await portal.cards.consent.grant(hers, await ask(portal, his))
    await portal.desk.personal_data.erase(KNOWN)

    assert refs(await portal.cards.kept(his)) == []


async def test_when_the_one_who_asked_is_erased_the_request_is_gone(portal: Portal, his: str, hers: str) -> None:
    await portal.cards.consent.grant(hers, await ask(portal, his))
    await portal.desk.personal_data.erase(OTHER_KNOWN)

    assert (await portal.cards.kept(hers)).consents.granted == ()
