"""How often policies may be tried and the registry asked: exact, successes too, per account and per policy."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from medonline.bootstrap import Portal
from medonline.domain.errors import CardNotFound, MedonlineError, RateLimited, RegistryUnavailable
from medonline.domain.security_journal import JournalEvent
from medonline.services.crypto.tokens import token_hash
from medonline.services.desk.accounts import NewAccount
from medonline.services.patient_cards.attempts import REFRESHES_PER_HOUR
from medonline.services.patient_cards.service import LinkedCards
from tests.services.outside import SNILS, ScriptedRegistry, is_at_rest
from tests.services.patient_cards.family import (
    MARIAS_BIRTH,
    OWN,
    SON,
    SONS_POLICY,
    attempts_of,
    events_of,
    link_son,
    policy_of,
    refs,
)
from tests.services.world import BORIS, PASSWORD, MovableClock, browser, sign_in


async def attempt(portal: Portal, key: str, number: int = 99) -> str:
    try:
        await portal.cards.link(key, policy_of(number), "01.09.2015", representative=True)
    except MedonlineError as refusal:
        return type(refusal).__name__
    return "linked"


async def stay(portal: Portal, clock: MovableClock, *keys: str, minutes: int) -> None:
    """Let time pass in sessions that are used all the while."""
    for _ in range(minutes // 20):
        clock.move(minutes=20)
        for key in keys:
            await portal.sessions.required(key)
    clock.move(minutes=minutes % 20)
    for key in keys:
        await portal.sessions.required(key)


async def test_of_twenty_attempts_at_the_same_moment_exactly_five_get_through(
    portal: Portal, key: str, registry: ScriptedRegistry
) -> None:
    outcomes = Counter(await asyncio.gather(*(attempt(portal, key, number) for number in range(20))))

    assert outcomes == {"CardNotFound": 5, "RateLimited": 15}
    assert len(registry.asked) == 5
    assert await attempts_of(portal) == 5


async def test_of_ten_accounts_at_one_policy_exactly_five_get_through(
    portal: Portal, registry: ScriptedRegistry
) -> None:
    keys = []
    for number in range(10):
        phone = f"+7900000{7000 + number}"
        await portal.accounts.add(NewAccount(phone, PASSWORD, "Ли", "Анна", "", phone_proved=True))
        keys.append(token_hash(await sign_in(portal, browser(number), phone)))
    outcomes = Counter(await asyncio.gather(*(attempt(portal, key) for key in keys)))

    assert outcomes == {"CardNotFound": 5, "RateLimited": 5}
    assert len(registry.asked) == 5


async def test_successes_count_too(portal: Portal, key: str, registry: ScriptedRegistry) -> None:
    registry.cards += [replace(SON, ref=f"child-{number}", oms_policy=policy_of(number)) for number in range(6)]

    assert [await attempt(portal, key, number) for number in range(6)] == ["linked"] * 5 + ["RateLimited"]


async def test_an_own_card_costs_an_attempt_like_any_other(
    portal: Portal, key: str, registry: ScriptedRegistry
) -> None:
    """A number made up from one's own birth date may be a stranger's who was born on that day."""
    registry.cards.append(replace(OWN, ref="old clinic", snils="", oms_policy=policy_of(7)))
    added = await portal.cards.link(key, policy_of(7), f"{MARIAS_BIRTH:%d.%m.%Y}", representative=False)

    assert isinstance(added, LinkedCards)
    assert await attempts_of(portal) == 1
    assert [await attempt(portal, key, number) for number in range(5)] == ["CardNotFound"] * 4 + ["RateLimited"]


async def test_after_five_attempts_the_right_policy_has_to_wait_an_hour(
    portal: Portal, clock: MovableClock, key: str, registry: ScriptedRegistry
) -> None:
    for number in range(5):
        assert await attempt(portal, key, number) == "CardNotFound"
        await stay(portal, clock, key, minutes=5)
    with pytest.raises(RateLimited) as refusal:
        await link_son(portal, key)
    assert refusal.value.resets_in == timedelta(minutes=35)
    assert len(registry.asked) == 5

    await stay(portal, clock, key, minutes=35)
    assert (await link_son(portal, key)).count == 1


async def test_after_ten_attempts_the_next_has_to_wait_a_day(portal: Portal, clock: MovableClock, key: str) -> None:
    for number in range(10):
        assert await attempt(portal, key, number) == "CardNotFound"
        await stay(portal, clock, key, minutes=20)
    with pytest.raises(RateLimited) as refusal:
        await link_son(portal, key)

    assert refusal.value.resets_in == timedelta(days=1) - timedelta(minutes=200)


async def test_the_attempts_of_all_sessions_of_an_account_count_together(portal: Portal, key: str) -> None:
    other = token_hash(await sign_in(portal, BORIS))
    for number, session_key in enumerate((key, other, key, other, key)):
        assert await attempt(portal, session_key, number) == "CardNotFound"

    assert await attempt(portal, other) == "RateLimited"


async def test_the_attempts_of_others_at_other_policies_do_not_count(
    portal: Portal, key: str, strangers_key: str
) -> None:
    for number in range(6):
        await attempt(portal, strangers_key, number)

    assert await attempt(portal, key) == "CardNotFound"


async def test_a_question_the_registry_did_not_answer_is_no_attempt(
    portal: Portal, key: str, registry: ScriptedRegistry
) -> None:
    registry.down = True
    for _ in range(7):
        with pytest.raises(RegistryUnavailable):
            await link_son(portal, key)
    registry.down = False

    assert await attempts_of(portal) == 0
    assert (await link_son(portal, key)).count == 1


async def test_a_refusal_is_one_row_of_the_journal_and_a_limit_none(portal: Portal, key: str) -> None:
    for number in range(7):
        await attempt(portal, key, number)

    assert await events_of(portal, key) == [JournalEvent.CARD_REFUSED] * 5


async def test_the_policy_of_an_attempt_is_kept_as_a_hash_only(portal: Portal, key: str, folder: Path) -> None:
    with pytest.raises(CardNotFound):
        await portal.cards.link(key, SONS_POLICY, "02.09.2015", representative=True)

    assert not is_at_rest(folder, SONS_POLICY)


# --- asking the registry again ------------------------------------------------------------------------------------


async def test_five_presses_are_one_question_for_each_card(
    portal: Portal, key: str, registry: ScriptedRegistry
) -> None:
    await link_son(portal, key)
    registry.asked.clear()
    views = [await portal.cards.current(key, ask_again=True) for _ in range(5)]

    assert [kind for kind, _ in registry.asked] == ["snils", "ref"]
    assert [view.wait for view in views] == [timedelta()] + [timedelta(minutes=1)] * 4
    assert all(set(refs(view)) == {"card-1", "card-2"} for view in views)


async def test_of_presses_at_the_same_moment_one_asks(portal: Portal, key: str, registry: ScriptedRegistry) -> None:
    views = await asyncio.gather(*(portal.cards.current(key, ask_again=True) for _ in range(10)))

    assert registry.asked == [("snils", SNILS)]
    assert Counter(bool(view.wait) for view in views) == {False: 1, True: 9}


async def test_after_a_minute_the_registry_may_be_asked_again(
    portal: Portal, clock: MovableClock, key: str, registry: ScriptedRegistry
) -> None:
    await portal.cards.current(key, ask_again=True)
    clock.move(seconds=59)
    assert (await portal.cards.current(key, ask_again=True)).wait == timedelta(seconds=1)
    clock.move(seconds=1)

    assert not (await portal.cards.current(key, ask_again=True)).wait
    assert len(registry.asked) == 2


async def test_an_hour_has_a_limit_also_while_the_registry_is_down(
    portal: Portal, clock: MovableClock, key: str, registry: ScriptedRegistry
) -> None:
    registry.down = True
    for _ in range(REFRESHES_PER_HOUR):
        assert (await portal.cards.current(key, ask_again=True)).registry_down
    limited = await portal.cards.current(key, ask_again=True)
    opened_again = await portal.cards.current(key)

    assert (limited.wait, opened_again.wait) == (timedelta(hours=1), timedelta())
    assert len(registry.asked) == REFRESHES_PER_HOUR
    registry.down = False
    await stay(portal, clock, key, minutes=60)
    assert refs(await portal.cards.current(key, ask_again=True)) == ["card-1"]
