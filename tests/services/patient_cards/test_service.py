"""«Мои карты»: the registry's word on one's own cards, its last one when it is down; others' by policy and birth date."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlmodel import select, update

from medonline.bootstrap import Portal
from medonline.domain.card_access import MAX_CARDS, Basis
from medonline.domain.errors import (
    CardAlreadyLinked,
    CardNotFound,
    CardUnreadable,
    InvalidBirthDate,
    InvalidFields,
    InvalidPolicy,
    NoSuchRequest,
    NotSignedIn,
    RegistryUnavailable,
    StatementMissing,
    TooManyCards,
)
from medonline.domain.security_journal import JournalEvent
from medonline.services.crypto.tokens import new_token, token_hash
from medonline.services.patient_cards.rows import Whose
from medonline.services.patient_cards.service import AskedConsent, LinkedCards
from medonline.services.ports import RegistryCard
from medonline.storage.tables.patient_cards import PatientCard
from medonline.storage.tables.patients import Patient
from tests.services.outside import OTHER_SNILS, SNILS, ScriptedRegistry, dump, is_at_rest, with_registry
from tests.services.patient_cards.family import (
    FRIEND,
    FRIENDS_POLICY,
    OWN,
    OWN_POLICY,
    SON,
    SONS_POLICY,
    attempts_of,
    card_id,
    events_of,
    know,
    link_son,
    policy_of,
    refs,
)
from tests.services.world import ANNA, KNOWN, MovableClock, opened, sign_in

# --- one's own cards --------------------------------------------------------------------------------------------


async def test_ones_own_cards_are_found_by_snils(portal: Portal, key: str, registry: ScriptedRegistry) -> None:
    view = await portal.cards.current(key)

    assert registry.asked == [("snils", SNILS)]
    (card,) = view.cards
    assert (card.number, card.holder, card.whose) == ("А-100/1", "Иванова Мария Петровна", Whose.OWN)
    assert card.policy_masked == f"•••• •••• •••• {OWN_POLICY[-4:]}"
    assert not view.registry_down


async def test_ones_own_cards_are_found_by_policy_where_the_snils_finds_none(
    portal: Portal, key: str, registry: ScriptedRegistry
) -> None:
    await know(portal, snils="00100199900", policy=OWN_POLICY)

    assert refs(await portal.cards.current(key)) == ["card-1"]
    assert registry.asked == [("snils", "00100199900"), ("policy", OWN_POLICY)]


async def test_a_policy_of_somebody_else_shows_nobody_elses_card(portal: Portal, key: str) -> None:
    await know(portal, policy=FRIENDS_POLICY)

    assert refs(await portal.cards.current(key)) == []


async def test_an_account_that_knows_neither_asks_nobody(
    portal: Portal, strangers_key: str, registry: ScriptedRegistry
) -> None:
    view = await portal.cards.current(strangers_key)

    assert (refs(view), view.registry_down, registry.asked) == ([], False, [])


async def test_no_policy_is_kept_in_clear(portal: Portal, key: str, folder: Path) -> None:
    await portal.cards.current(key)
    await link_son(portal, key)

    for secret in (OWN_POLICY, SONS_POLICY, SNILS):
        assert not is_at_rest(folder, secret)


async def test_without_a_registry_the_list_is_what_is_kept(portal: Portal, key: str) -> None:
    await portal.cards.current(key)
    alone = with_registry(portal, None)

    assert refs(await alone.cards.current(key, ask_again=True)) == ["card-1"]
    with pytest.raises(RegistryUnavailable):
        await alone.cards.link(key, SONS_POLICY, "01.09.2015")


async def test_five_windows_that_ask_at_once_leave_each_card_once(portal: Portal, key: str) -> None:
    views = await asyncio.gather(*(portal.cards.current(key, ask_again=True) for _ in range(5)))

    assert {tuple(refs(view)) for view in views if not view.wait} == {("card-1",)}
    assert refs(await portal.cards.kept(key)) == ["card-1"]


async def test_cards_sealed_with_an_older_key_are_shown_as_they_were_kept(
    portal: Portal, key: str, folder: Path, clock: MovableClock, registry: ScriptedRegistry
) -> None:
    await portal.cards.current(key)
    async with opened(folder, clock, secret_key="another key of more than thirty-two characters") as real:
        assert refs(await with_registry(real, registry).cards.current(key, ask_again=True)) == ["card-1"]


# --- fresh and not ----------------------------------------------------------------------------------------------


async def test_the_registry_is_asked_again_after_ten_minutes(
    portal: Portal, clock: MovableClock, key: str, registry: ScriptedRegistry
) -> None:
    await portal.cards.current(key)
    clock.move(minutes=9, seconds=59)
    await portal.cards.current(key)
    assert len(registry.asked) == 1
    clock.move(seconds=1)
    await portal.cards.current(key)

    assert len(registry.asked) > 1


async def test_the_registry_is_asked_at_once_when_the_patient_wants_it(
    portal: Portal, key: str, registry: ScriptedRegistry
) -> None:
    await portal.cards.current(key)
    asked = len(registry.asked)
    await portal.cards.current(key, ask_again=True)

    assert len(registry.asked) > asked


async def test_what_is_kept_is_shown_without_asking(portal: Portal, key: str, registry: ScriptedRegistry) -> None:
    assert refs(await portal.cards.kept(key)) == []
    assert registry.asked == []


async def test_the_last_good_answer_is_shown_while_the_registry_is_down(
    portal: Portal, clock: MovableClock, key: str, registry: ScriptedRegistry
) -> None:
    await portal.cards.current(key)
    good = clock.now
    registry.down = True
    clock.move(minutes=11)
    view = await portal.cards.current(key)

    assert (refs(view), view.fetched_at, view.registry_down) == (["card-1"], good, True)


async def test_a_registry_that_was_never_up_leaves_an_empty_list(
    portal: Portal, key: str, registry: ScriptedRegistry
) -> None:
    registry.down = True
    view = await portal.cards.current(key)

    assert (refs(view), view.fetched_at, view.registry_down) == ([], None, True)


async def test_a_card_follows_the_registry(
    portal: Portal, clock: MovableClock, key: str, registry: ScriptedRegistry
) -> None:
    await portal.cards.current(key)
    registry.cards = [replace(OWN, number="А-100/2", active=False)]
    clock.move(minutes=10)
    (card,) = (await portal.cards.current(key)).cards

    assert (card.number, card.active, card.fetched_at) == ("А-100/2", False, clock.now)


async def test_a_card_that_left_the_registry_stays_and_says_so_until_it_is_back(
    portal: Portal, clock: MovableClock, key: str, registry: ScriptedRegistry
) -> None:
    await portal.cards.current(key)
    registry.cards = []
    (gone,) = (await portal.cards.current(key, ask_again=True)).cards
    registry.cards = [OWN]
    clock.move(minutes=1)
    (back,) = (await portal.cards.current(key, ask_again=True)).cards

    assert (gone.in_registry, back.in_registry) == (False, True)


async def test_linked_cards_are_followed_too(portal: Portal, key: str, registry: ScriptedRegistry) -> None:
    await link_son(portal, key)
    registry.cards = [OWN, replace(SON, clinic_name="Детская поликлиника")]
    view = await portal.cards.current(key, ask_again=True)

    assert {card.clinic_name for card in view.cards if card.ref == "card-2"} == {"Детская поликлиника"}


# --- linking ----------------------------------------------------------------------------------------------------


async def test_a_card_is_linked_by_policy_and_birth_date(portal: Portal, key: str) -> None:
    spaced = " ".join(SONS_POLICY[place : place + 4] for place in range(0, 16, 4))

    assert await portal.cards.link(key, spaced, "2015-09-01", representative=True) == LinkedCards(
        1, doubtful_policy=False
    )
    assert refs(await portal.cards.kept(key)) == ["card-2"]
    assert await attempts_of(portal) == 1


async def test_every_card_of_the_policy_is_linked(portal: Portal, key: str, registry: ScriptedRegistry) -> None:
    registry.cards.append(replace(SON, ref="card-4", number="Б-201"))

    assert (await link_son(portal, key)).count == 2


@pytest.mark.parametrize(
    ("policy", "born", "fields"),
    [
        ("", "", {"policy": InvalidPolicy, "birth_date": InvalidBirthDate}),
        ("123", "01.09.2015", {"policy": InvalidPolicy}),
        (SONS_POLICY, "31.02.2015", {"birth_date": InvalidBirthDate}),
        (SONS_POLICY, "01.09.2999", {"birth_date": InvalidBirthDate}),
        (f"{SONS_POLICY}0", "вчера", {"policy": InvalidPolicy, "birth_date": InvalidBirthDate}),
        (SONS_POLICY.translate({ord(str(d)): 0x0660 + d for d in range(10)}), "01.09.2015", {"policy": InvalidPolicy}),
    ],
)
async def test_what_is_no_policy_or_date_is_named_and_costs_no_attempt(
    portal: Portal, key: str, registry: ScriptedRegistry, policy: str, born: str, fields: dict[str, type[Exception]]
) -> None:
    with pytest.raises(InvalidFields) as refusal:
        await portal.cards.link(key, policy, born)

    assert {name: type(error) for name, error in refusal.value.by_field.items()} == fields
    assert registry.asked == []
    assert await attempts_of(portal) == 0


@pytest.mark.parametrize(
    ("policy", "born"),
    [(policy_of(5), "01.09.2015"), (SONS_POLICY, "02.09.2015")],
    ids=["unknown policy", "another birth date"],
)
async def test_a_policy_the_registry_has_and_one_it_has_not_are_refused_alike(
    portal: Portal, folder: Path, key: str, registry: ScriptedRegistry, policy: str, born: str
) -> None:
    before = dump(folder)
    with pytest.raises(CardNotFound):
        await portal.cards.link(key, policy, born, representative=True)

    assert refs(await portal.cards.kept(key)) == []
    assert registry.asked == [("policy", policy)]
    assert await attempts_of(portal) == 1
    assert await events_of(portal, key) == [JournalEvent.CARD_REFUSED]
    written = {name: len(rows) - len(before[name]) for name, rows in dump(folder).items() if rows != before[name]}
    assert written == {"card_attempt": 1, "security_journal": 1}


async def test_a_card_that_is_there_already_is_not_linked_again(portal: Portal, key: str) -> None:
    await link_son(portal, key)

    with pytest.raises(CardAlreadyLinked):
        await link_son(portal, key)
    assert await attempts_of(portal) == 2


async def test_the_same_link_at_the_same_moment_leaves_one_card(portal: Portal, key: str) -> None:
    outcomes = await asyncio.gather(*(link_son(portal, key) for _ in range(4)), return_exceptions=True)

    assert Counter(type(outcome).__name__ for outcome in outcomes) == {"LinkedCards": 1, "CardAlreadyLinked": 3}
    assert refs(await portal.cards.kept(key)) == ["card-2"]


async def test_a_doubtful_check_digit_is_told_when_the_registry_has_the_policy(
    portal: Portal, key: str, registry: ScriptedRegistry
) -> None:
    doubtful = SONS_POLICY[:-1] + str((int(SONS_POLICY[-1]) + 1) % 10)
    registry.cards.append(replace(SON, ref="card-5", oms_policy=doubtful))

    assert await portal.cards.link(key, doubtful, "01.09.2015", representative=True) == LinkedCards(
        1, doubtful_policy=True
    )


# --- whose card it is -------------------------------------------------------------------------------------------

FIFTEEN = replace(SON, birth_date=date(2011, 3, 2))  # today
NEARLY = replace(SON, birth_date=date(2011, 3, 3))  # 15 tomorrow
TWIN = replace(OWN, first_name="Марина", snils="", oms_policy=FRIENDS_POLICY)  # born on Мария's day


def typed(card: RegistryCard) -> tuple[str, str]:
    assert card.birth_date is not None
    return card.oms_policy, f"{card.birth_date:%d.%m.%Y}"


@pytest.mark.parametrize("card", [SON, NEARLY], ids=["10", "14"])
async def test_a_childs_card_needs_the_statement_of_the_representative(
    portal: Portal, clock: MovableClock, key: str, registry: ScriptedRegistry, card: RegistryCard
) -> None:
    registry.cards = [card]
    with pytest.raises(InvalidFields) as refusal:
        await portal.cards.link(key, *typed(card))
    assert {name: type(error) for name, error in refusal.value.by_field.items()} == {"representative": StatementMissing}
    assert (registry.asked, await attempts_of(portal)) == ([], 0)

    assert await portal.cards.link(key, *typed(card), representative=True) == LinkedCards(1, doubtful_policy=False)
    (shown,) = (await portal.cards.kept(key)).cards
    assert shown.whose is Whose.CHILD
    with portal.database.reading() as session:
        (row,) = session.exec(select(PatientCard)).all()
    assert (row.basis, row.stated_at) == (Basis.REPRESENTATIVE, clock.now)


@pytest.mark.parametrize("card", [FIFTEEN, FRIEND, TWIN], ids=["15", "adult", "born on the same day"])
@pytest.mark.parametrize("representative", [False, True])
async def test_a_card_of_anybody_of_15_or_more_is_not_shown_but_asked_for(
    portal: Portal, clock: MovableClock, key: str, registry: ScriptedRegistry, card: RegistryCard, representative: bool
) -> None:
    registry.cards = [card]
    asked = await portal.cards.link(key, *typed(card), representative=representative)

    assert isinstance(asked, AskedConsent)
    view = await portal.cards.kept(key)
    assert view.cards == ()
    (request,) = view.consents.waiting
    assert (request.policy_masked, request.birth_date) == (f"•••• •••• •••• {card.oms_policy[-4:]}", card.birth_date)


async def test_ones_own_card_is_added_by_policy_at_once(portal: Portal, key: str) -> None:
    assert await portal.cards.link(key, OWN_POLICY, "21.05.1958") == LinkedCards(1, doubtful_policy=False)
    (shown,) = (await portal.cards.kept(key)).cards

    assert shown.whose is Whose.OWN


async def test_a_namesake_born_on_the_same_day_with_another_snils_is_not_the_owner(
    portal: Portal, key: str, registry: ScriptedRegistry
) -> None:
    registry.cards = [replace(OWN, snils=OTHER_SNILS)]

    assert isinstance(await portal.cards.link(key, OWN_POLICY, "21.05.1958"), AskedConsent)


@pytest.mark.parametrize("last_name", ["Петрова", "ИВАНОВА", "Ива\u00adнова", ""])
async def test_ones_own_card_is_ones_own_by_its_snils_whatever_its_name(
    portal: Portal, key: str, registry: ScriptedRegistry, last_name: str
) -> None:
    registry.cards = [replace(OWN, last_name=last_name)]
    await portal.cards.link(key, OWN_POLICY, "21.05.1958")
    (shown,) = (await portal.cards.kept(key)).cards

    assert shown.whose is Whose.OWN


async def test_ones_own_card_without_a_birth_date_is_shown_by_its_snils(
    portal: Portal, key: str, registry: ScriptedRegistry
) -> None:
    registry.cards = [replace(OWN, birth_date=None, last_name="О`Коннор")]
    (shown,) = (await portal.cards.current(key)).cards

    assert shown.whose is Whose.OWN


async def test_a_policy_that_exists_and_one_that_does_not_are_asked_for_alike(
    portal: Portal, folder: Path, key: str, registry: ScriptedRegistry
) -> None:
    written, said = [], []
    for policy, born in ((FRIENDS_POLICY, "01.01.1990"), (policy_of(7), "01.01.1990"), (FRIENDS_POLICY, "02.01.1990")):
        before = dump(folder)
        outcome = await portal.cards.link(key, policy, born)
        said.append(outcome)
        after = dump(folder)
        written.append({name: len(rows) - len(before[name]) for name, rows in after.items() if rows != before[name]})

    assert written == [{"card_access": 1, "card_attempt": 1, "security_journal": 1}] * 3
    assert said == [said[0]] * 3
    assert registry.asked == []


@pytest.mark.parametrize("policy", [FRIENDS_POLICY, policy_of(7)], ids=["of a twin", "of nobody"])
async def test_born_on_my_day_a_policy_that_exists_and_one_that_does_not_are_asked_for_alike(
    portal: Portal, key: str, registry: ScriptedRegistry, policy: str
) -> None:
    registry.cards = [TWIN]
    outcome = await portal.cards.link(key, policy, "21.05.1958")

    assert isinstance(outcome, AskedConsent)
    assert (outcome.maybe_own, registry.asked) == (True, [("policy", policy)])


async def test_an_account_without_a_birth_date_is_told_why_no_card_is_its_own(portal: Portal, key: str) -> None:
    with portal.database.writing() as session:
        patient = session.exec(select(Patient).where(Patient.phone == KNOWN)).one()
        patient.birth_date = None
        session.add(patient)
    outcome = await portal.cards.link(key, OWN_POLICY, "21.05.1958")

    assert isinstance(outcome, AskedConsent)
    assert outcome.no_birth_date


async def test_on_the_fifteenth_birthday_a_childs_card_closes_and_its_owner_is_asked(
    portal: Portal, folder: Path, clock: MovableClock, key: str, registry: ScriptedRegistry
) -> None:
    registry.cards = [NEARLY]
    await portal.cards.link(key, *typed(NEARLY), representative=True)
    clock.move(hours=12)
    key = token_hash(await sign_in(portal, ANNA))
    view = await portal.cards.kept(key)

    assert view.cards == ()
    (closed,) = view.closed
    assert (closed.policy_masked, closed.may_ask) == (f"•••• •••• •••• {SONS_POLICY[-4:]}", True)
    await portal.cards.current(key, ask_again=True)
    assert ("ref", "card-2") not in registry.asked
    assert "Иванов Пётр" not in str(dump(folder)["patient_card"])

    await portal.cards.ask_again(key, closed.id)
    view = await portal.cards.kept(key)
    assert (view.cards, view.closed, len(view.consents.waiting)) == ((), (), 1)
    with pytest.raises(NoSuchRequest):
        await portal.cards.ask_again(key, closed.id)


async def test_a_card_added_before_the_rule_is_closed_and_can_be_added_again(
    portal: Portal, key: str, registry: ScriptedRegistry
) -> None:
    await link_son(portal, key)
    with portal.database.writing() as session:
        session.exec(update(PatientCard).values(basis=Basis.NONE, policy_sealed="", policy_index=""))
    view = await portal.cards.kept(key)
    assert (view.cards, [card.may_ask for card in view.closed]) == ((), [False])
    with pytest.raises(NoSuchRequest):
        await portal.cards.ask_again(key, view.closed[0].id)

    await link_son(portal, key)
    view = await portal.cards.kept(key)
    assert ([card.ref for card in view.cards], view.closed) == (["card-2"], ())


async def test_an_account_has_twenty_cards_and_requests_at_most(
    portal: Portal, clock: MovableClock, key: str, registry: ScriptedRegistry
) -> None:
    registry.cards = [replace(SON, ref=f"child-{number}") for number in range(MAX_CARDS - 1)]
    assert (await link_son(portal, key)).count == MAX_CARDS - 1
    await portal.cards.link(key, FRIENDS_POLICY, "01.01.1990")
    for policy, born in ((policy_of(7), "01.01.1990"), (policy_of(8), "01.09.2015")):
        registry.cards.append(replace(SON, ref="one-more", oms_policy=policy_of(8)))
        with pytest.raises(TooManyCards):
            await portal.cards.link(key, policy, born, representative=True)
    (request,) = (await portal.cards.kept(key)).consents.waiting
    await portal.cards.consent.withdraw(key, request.id)

    assert isinstance(await portal.cards.link(key, policy_of(9), "01.01.1990"), AskedConsent)


# --- taking off the list ----------------------------------------------------------------------------------------


async def test_an_unlinked_card_stays_off_the_list_until_it_is_linked_again(portal: Portal, key: str) -> None:
    await link_son(portal, key)
    assert await portal.cards.unlink(key, await card_id(portal, key, "card-2"))
    assert refs(await portal.cards.current(key, ask_again=True)) == ["card-1"]

    assert (await link_son(portal, key)).count == 1
    assert set(refs(await portal.cards.kept(key))) == {"card-1", "card-2"}


async def test_ones_own_card_can_be_taken_off_and_stays_off(portal: Portal, key: str) -> None:
    await portal.cards.current(key)
    await portal.cards.unlink(key, await card_id(portal, key, "card-1"))

    assert refs(await portal.cards.current(key, ask_again=True)) == []
    assert (await portal.cards.link(key, OWN_POLICY, "21.05.1958")).count == 1


async def test_a_card_is_taken_off_once(portal: Portal, key: str) -> None:
    await link_son(portal, key)
    number = await card_id(portal, key, "card-2")

    assert [await portal.cards.unlink(key, number) for _ in range(2)] == [True, False]


@pytest.mark.parametrize("number", ["", "x", "\x00", "%", "1" * 64_000], ids=lambda text: repr(text)[:8])
async def test_a_made_up_number_takes_nothing_off(portal: Portal, key: str, number: str) -> None:
    await link_son(portal, key)

    assert not await portal.cards.unlink(key, number)
    assert refs(await portal.cards.kept(key)) == ["card-2"]


async def test_somebody_elses_session_neither_sees_nor_unlinks_a_card(
    portal: Portal, key: str, strangers_key: str
) -> None:
    await link_son(portal, key)
    number = await card_id(portal, key, "card-2")

    assert not await portal.cards.unlink(strangers_key, number)
    assert refs(await portal.cards.kept(strangers_key)) == []
    assert refs(await portal.cards.kept(key)) == ["card-2"]


async def test_two_accounts_may_have_the_same_card_and_each_its_own_row(
    portal: Portal, key: str, strangers_key: str
) -> None:
    await link_son(portal, key)
    await link_son(portal, strangers_key)
    await portal.cards.unlink(strangers_key, await card_id(portal, strangers_key, "card-2"))

    assert refs(await portal.cards.kept(key)) == ["card-2"]
    with portal.database.reading() as session:
        assert len(session.exec(select(PatientCard)).all()) == 2


@pytest.mark.parametrize("nobody", ["", "x", pytest.param(new_token(), id="made up")])
async def test_without_a_session_there_is_no_list_and_no_change(
    portal: Portal, key: str, registry: ScriptedRegistry, folder: Path, nobody: str
) -> None:
    await link_son(portal, key)
    before, asked = dump(folder), len(registry.asked)
    for attempt in (
        portal.cards.kept(nobody),
        portal.cards.current(nobody, ask_again=True),
        portal.cards.link(nobody, SONS_POLICY, "01.09.2015"),
        portal.cards.unlink(nobody, await card_id(portal, key, "card-2")),
        portal.cards.ask_again(nobody, await card_id(portal, key, "card-2")),
    ):
        with pytest.raises(NotSignedIn):
            await attempt

    assert dump(folder) == before
    assert len(registry.asked) == asked


async def test_an_answer_in_part_says_so_until_the_next_whole_one(
    portal: Portal, registry: ScriptedRegistry, key: str, clock: MovableClock
) -> None:
    registry.cards.append(replace(OWN, ref="card-9", number="А-100/9"))
    registry.unreadable = {"card-9"}

    answered = await portal.cards.current(key)
    kept = await portal.cards.kept(key)

    assert (refs(answered), answered.incomplete, answered.registry_down) == (["card-1"], True, False)
    assert (refs(kept), kept.incomplete) == (["card-1"], True)

    registry.unreadable = set()
    clock.move(minutes=10)
    whole = await portal.cards.current(key)
    assert (refs(whole), whole.incomplete) == (["card-1", "card-9"], False)


async def test_a_card_that_cannot_be_read_any_more_stays_as_it_was(
    portal: Portal, registry: ScriptedRegistry, key: str, clock: MovableClock
) -> None:
    before = await portal.cards.current(key)
    registry.unreadable = {"card-1"}
    clock.move(minutes=10)

    after = await portal.cards.current(key)

    assert after.cards == before.cards
    assert after.cards[0].in_registry
    assert after.incomplete


async def test_an_own_record_without_a_birth_date_is_shown_and_one_with_another_is_not(
    portal: Portal, registry: ScriptedRegistry, key: str
) -> None:
    registry.cards = [replace(OWN, birth_date=None), replace(OWN, ref="card-9", birth_date=date(1999, 1, 1))]

    assert refs(await portal.cards.current(key)) == ["card-1"]


@pytest.mark.parametrize(("policy", "born"), [(OWN_POLICY, "21.05.1958"), (SONS_POLICY, "01.09.2015")])
async def test_a_policy_whose_record_cannot_be_read_is_not_said_to_have_none(
    portal: Portal, registry: ScriptedRegistry, key: str, policy: str, born: str
) -> None:
    registry.unreadable = {"card-1", "card-2"}

    with pytest.raises(CardUnreadable):
        await portal.cards.link(key, policy, born, representative=True)
