"""What a network and a block of numbers may leave unconfirmed or guess wrong: the last allowed, the first refused, allowed again."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from medonline.bootstrap import Portal
from medonline.domain.client import Client
from medonline.domain.codes.channels import ChannelName
from medonline.domain.errors import (
    CodeMismatch,
    InvalidCredentials,
    NumberBlockBusy,
    NumberRefused,
    ProviderDown,
    TooManyRequests,
    TooManyWrongCodes,
)
from medonline.domain.limits import Limit
from medonline.domain.password_recovery import RecoveryStep
from medonline.services.limits.code_limits import CodeAsked
from medonline.services.limits.networks import asker_of
from medonline.storage.queries import codes
from tests.patience import PATIENCE
from tests.providers.limits.redis_server import RedisServer, redis
from tests.services.limits.asking import FAR, IP, OTHER_IP, ask, phone, refusal_of
from tests.services.world import (
    ANNA,
    CALL,
    KNOWN,
    PASSWORD,
    TELEGRAM,
    UNKNOWN,
    MovableClock,
    ScriptedChannel,
    at,
    browser,
    dispatch,
    dispatcher_of,
    last_code,
    opened,
    recoveries_of,
    rows_of,
    statements,
    wrong,
)

__all__ = ["redis"]

TEN: dict[str, Any] = {"unconfirmed_codes_per_network": "10 per 1 h", "confirmed_codes_percent": 40}
FIVE: dict[str, Any] = {"unconfirmed_codes_per_network": "5 per 1 h"}


@pytest.fixture(params=["memory", "redis"])
async def ten(request: pytest.FixtureRequest, folder: Path, clock: MovableClock) -> AsyncIterator[Portal]:
    """Ten open codes of a network; more where forty of a hundred are confirmed."""
    store = request.getfixturevalue("redis").address if request.param == "redis" else "memory"
    async with opened(folder, clock, **FAR, **TEN, limits_storage=store) as portal:
        yield portal


async def confirm(portal: Portal, visitor: Client, to: str) -> str:
    """Type the right code: the step that follows."""
    return (await portal.recovery.confirm_code(visitor, await last_code(portal, to))).step


async def ask_and_confirm(portal: Portal, number: int, ip: str = IP, way: ChannelName = CALL) -> str:
    visitor, to = browser(500_000 + number), phone(number)
    await portal.recovery.begin(at(visitor, ip), to, way)
    return await confirm(portal, visitor, to)


async def guess_wrong(portal: Portal, number: int, times: int = 1, ip: str = IP) -> Client:
    """Ask for a code, and guess at it; the browser."""
    visitor, to = browser(600_000 + number), phone(number)
    await portal.recovery.begin(at(visitor, ip), to, CALL)
    code = await last_code(portal, to)
    for by in range(1, times + 1):
        with pytest.raises(CodeMismatch):
            await portal.recovery.confirm_code(visitor, wrong(code, by))
    return visitor


async def test_a_network_may_leave_so_many_codes_unconfirmed(ten: Portal, clock: MovableClock) -> None:
    for number in range(10):
        assert await ask(ten, phone(number), IP) == "sent"
        clock.move(minutes=3)

    refusal = await refusal_of(ten, phone(11), IP)
    assert type(refusal) is TooManyRequests
    assert abs(refusal.resets_in - timedelta(minutes=30)) < timedelta(seconds=1)
    assert await ask(ten, phone(11), OTHER_IP) == "sent"
    clock.now = refusal.until - timedelta(seconds=1)
    assert await ask(ten, phone(12), IP) == "TooManyRequests"
    clock.now = refusal.until + timedelta(seconds=1)
    assert await ask(ten, phone(12), IP) == "sent"


async def test_a_right_code_gives_its_place_back_at_once(ten: Portal) -> None:
    """However many patients ask, and whether their numbers have accounts: what was confirmed is no suspicion."""
    assert [await ask_and_confirm(ten, number) for number in range(40)] == ["no_account"] * 40
    assert [await ask(ten, phone(100 + number), IP) for number in range(10)] == ["sent"] * 10


async def test_while_a_provider_is_down_a_crowd_is_not_kept_from_the_other_way(ten: Portal) -> None:
    calls = ScriptedChannel(answers=deque([ProviderDown()] * 15 + [NumberRefused()] * 10))
    dispatcher = dispatcher_of(ten, flash_call=calls, telegram=ScriptedChannel())
    for number in range(15):
        assert await ask(ten, phone(number), IP) == "sent"
        await dispatch(dispatcher)
    assert await ask(ten, phone(15), IP, TELEGRAM) == "sent"

    told = []
    for number in range(20, 30):  # numbers that a provider refuses may be made up
        told.append(await ask(ten, phone(number), IP))
        await dispatch(dispatcher)
    assert told == ["sent"] * 9 + ["TooManyRequests"]


@pytest.mark.parametrize("to", [KNOWN, UNKNOWN])
async def test_known_and_unknown_numbers_give_their_places_back_alike(
    folder: Path, clock: MovableClock, to: str
) -> None:
    async with opened(
        folder, clock, **FAR, unconfirmed_codes_per_network="1 per 1 h", confirmed_codes_percent=99
    ) as portal:
        await portal.recovery.begin(at(ANNA, IP), to, CALL)
        assert await ask(portal, phone(1), IP) == "TooManyRequests"
        await confirm(portal, ANNA, to)

        assert [await ask(portal, phone(number), IP) for number in (1, 2)] == ["sent", "TooManyRequests"]


async def test_the_place_that_goes_is_that_of_the_code(ten: Portal, clock: MovableClock) -> None:
    """Not the newest: anyone who confirms an old code of theirs must not make the others look older than they are."""
    for number in range(10):
        visitor = browser(700_000 + number)
        await ten.recovery.begin(at(visitor, IP), phone(number), TELEGRAM)
        clock.move(seconds=30)
    await confirm(ten, browser(700_009), phone(9))
    assert await ask(ten, phone(20), IP) == "sent"

    refusal = await refusal_of(ten, phone(21), IP)
    assert abs(refusal.resets_in - timedelta(minutes=55)) < timedelta(seconds=1)  # of the first, which is still there


async def test_a_place_is_found_again_by_another_process_and_after_a_restart(
    redis: RedisServer, folder: Path, clock: MovableClock
) -> None:
    changes: dict[str, Any] = FAR | FIVE | {"limits_storage": redis.address}
    async with opened(folder, clock, **changes) as portal:
        for number in range(5):
            await portal.recovery.begin(at(browser(number), IP), phone(number), CALL)
        assert await ask(portal, phone(9), IP) == "TooManyRequests"
    async with opened(folder, clock, **changes) as portal:
        assert await ask(portal, phone(9), IP) == "TooManyRequests"
        await confirm(portal, browser(2), phone(2))
        assert [await ask(portal, phone(number), IP) for number in (9, 10)] == ["sent", "TooManyRequests"]


async def test_what_was_asked_for_a_phone_before_is_given_back_with_the_code_that_was_right(
    ten: Portal, clock: MovableClock
) -> None:
    """No Telegram, then a call: one patient, not a code that no one waited for."""
    for number in range(4):
        await ten.recovery.begin(at(ANNA, IP), phone(number), TELEGRAM)
        clock.move(minutes=2)
        await ten.recovery.resend(at(ANNA, IP), CALL)
        await confirm(ten, ANNA, phone(number))
        await ten.recovery.leave(ANNA)

    assert [await ask(ten, phone(100 + number), IP) for number in range(11)] == ["sent"] * 10 + ["TooManyRequests"]


async def test_a_code_asked_for_elsewhere_is_not_given_back_here(ten: Portal, clock: MovableClock) -> None:
    for number in range(10):
        await ask(ten, phone(number), OTHER_IP)
    clock.move(minutes=2)
    for number in range(10):
        await ask_and_confirm(ten, number)

    assert await ask(ten, phone(50), OTHER_IP) == "TooManyRequests"


async def test_while_forty_of_a_hundred_are_confirmed_a_network_may_leave_more(ten: Portal) -> None:
    for number in range(20):
        await ask_and_confirm(ten, number)

    asked = Counter([await ask(ten, phone(100 + number), IP) for number in range(40)])
    assert asked == {"sent": 30, "TooManyRequests": 10}  # 20 of 50
    await ask_and_confirm(ten, 30, OTHER_IP)
    assert await ask(ten, phone(200), IP) == "TooManyRequests"


async def test_a_network_has_a_limit_of_the_day_too(folder: Path, clock: MovableClock) -> None:
    async with opened(folder, clock, **FAR, unconfirmed_codes_per_network="5 per 1 h, 8 per 1 day") as portal:
        first = clock.now
        for number in range(8):
            assert await ask(portal, phone(number), IP) == "sent"
            clock.move(minutes=13)

        refusal = await refusal_of(portal, phone(9), IP)
        assert type(refusal) is TooManyRequests
        assert abs(refusal.until - first - timedelta(days=1)) < timedelta(seconds=1)
        for number in range(10, 13):
            await ask_and_confirm(portal, number, OTHER_IP)
        assert await ask(portal, phone(9), IP) == "TooManyRequests"


async def test_the_same_begin_again_counts_once(ten: Portal, clock: MovableClock) -> None:
    outcomes = await asyncio.gather(*(ask(ten, phone(1), IP, visitor=ANNA) for _ in range(20)))
    later = [await ask(ten, phone(2 + number), IP) for number in range(10)]

    assert set(outcomes) == {"sent"}
    assert later == ["sent"] * 9 + ["TooManyRequests"]


async def test_a_code_that_was_not_issued_costs_no_place(ten: Portal, clock: MovableClock) -> None:
    """Pauses refuse it, or the transaction fails: the network may ask as often as before."""
    assert await ask(ten, phone(1), IP) == "sent"
    for _ in range(20):
        assert await ask(ten, phone(1), IP) == "RateLimited"
    with statements(ten, broken="INSERT INTO one_time_code"):
        for _ in range(20):
            with pytest.raises(OperationalError):
                await ask(ten, phone(2), IP)

    assert [await ask(ten, phone(2 + number), IP) for number in range(10)] == ["sent"] * 9 + ["TooManyRequests"]


async def test_a_begin_that_is_cancelled_half_way_keeps_its_place(
    folder: Path, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The transaction goes on in its thread and issues the code: leaving early is no way past the limits."""
    begun, go_on = threading.Event(), threading.Event()
    hold_phone = codes.hold_phone

    def hold(session: Session, to: str) -> None:
        hold_phone(session, to)
        begun.set()
        assert go_on.wait(PATIENCE)

    async with opened(folder, clock, **FAR, unconfirmed_codes_per_network="3 per 1 h") as portal:
        monkeypatch.setattr(codes, "hold_phone", hold)
        for number in range(6):
            begun.clear()
            go_on.clear()
            asking = asyncio.ensure_future(ask(portal, phone(number), IP))
            assert await asyncio.to_thread(begun.wait, PATIENCE)
            asking.cancel()
            with suppress(asyncio.CancelledError):
                await asking
            go_on.set()
            await portal.database.write(lambda _session: None)  # one writer: the begin before it is over
        assert len(await rows_of(portal)) == 3


async def test_fifty_begins_at_once_never_exceed_the_limit_of_a_network(ten: Portal) -> None:
    outcomes = Counter(await asyncio.gather(*(ask(ten, phone(number), IP) for number in range(50))))

    assert outcomes == {"sent": 10, "TooManyRequests": 40}
    assert len(await rows_of(ten)) == 10


async def test_fifty_confirmations_at_once_give_back_fifty_places(folder: Path, clock: MovableClock) -> None:
    many: dict[str, Any] = {"confirmed_codes_percent": 40, "guesses_without_more_per_network": "1000 per 1 h"}
    async with opened(
        folder, clock, **FAR, **many, unconfirmed_codes_per_network="50 per 1 h", wrong_codes_per_network="1000 per 1 h"
    ) as portal:
        for number in range(50):
            await portal.recovery.begin(at(browser(number), IP), phone(number), CALL)
        assert await ask(portal, phone(60), IP) == "TooManyRequests"
        await asyncio.gather(*(confirm(portal, browser(number), phone(number)) for number in range(50)))

        asked = Counter([await ask(portal, phone(100 + number), IP) for number in range(80)])
        assert asked == {"sent": 75, "TooManyRequests": 5}  # 50 of 125 are forty of a hundred


async def test_a_raised_network_has_limits_of_its_own(folder: Path, clock: MovableClock) -> None:
    raised = {"raised_networks": "203.0.113.0/24, 2001:db8::/32", "raised_unconfirmed_codes_per_network": "7 per 1 h"}
    async with opened(folder, clock, **FAR, **raised, unconfirmed_codes_per_network="3 per 1 h") as portal:
        for ip in (IP, "2001:db8:1:2::3"):
            outcomes = [await ask(portal, phone(number), ip) for number in range(8)]
            assert outcomes == ["sent"] * 7 + ["TooManyRequests"]
            clock.move(hours=2)
        assert [await ask(portal, phone(number), OTHER_IP) for number in range(4)] == ["sent"] * 3 + ["TooManyRequests"]


async def test_an_ipv6_household_is_one_network(folder: Path, clock: MovableClock) -> None:
    async with opened(folder, clock, **FAR, unconfirmed_codes_per_network="3 per 1 h") as portal:
        inside = [f"2001:db8:1:2::{number:x}" for number in range(1, 5)]
        asked = [await ask(portal, phone(at), ip) for at, ip in enumerate(inside)]
        assert asked == ["sent"] * 3 + ["TooManyRequests"]
        assert await ask(portal, phone(9), "2001:db8:1:3::1") == "sent"


async def test_a_48_gets_sixteen_times_what_a_64_gets_however_many_networks_it_plays(
    folder: Path, clock: MovableClock
) -> None:
    async with opened(folder, clock, **FAR, **FIVE) as portal:
        asked = [await ask(portal, phone(number), f"2001:db8:1:{number:x}00::1") for number in range(120)]
        same_56 = [await ask(portal, phone(200 + number), f"2001:db8:2:{number:x}::1") for number in range(30)]
        same_64 = [await ask(portal, phone(300 + number), f"2001:db8:3:1::{number:x}") for number in range(8)]
        elsewhere = await ask(portal, phone(400), "2001:db8:4::1")

    assert asked == ["sent"] * 80 + ["TooManyRequests"] * 40
    assert same_56 == ["sent"] * 20 + ["TooManyRequests"] * 10
    assert same_64 == ["sent"] * 5 + ["TooManyRequests"] * 3
    assert elsewhere == "sent"


async def test_a_right_code_gives_back_its_place_in_the_networks_around_it(folder: Path, clock: MovableClock) -> None:
    async with opened(folder, clock, **FAR, **FIVE, confirmed_codes_percent=99) as portal:
        for number in range(100):
            await ask_and_confirm(portal, number, f"2001:db8:1:{number:x}00::1")
        asked = Counter([await ask(portal, phone(200 + n), f"2001:db8:1:{n:x}00::1") for n in range(120)])

    assert asked == {"sent": 80, "TooManyRequests": 40}


async def test_a_refusal_by_a_64_costs_the_networks_around_it_nothing(folder: Path, clock: MovableClock) -> None:
    async with opened(folder, clock, **FAR, **FIVE) as portal:
        stubborn = [await ask(portal, phone(number), "2001:db8:1:1::1") for number in range(40)]
        around = [await ask(portal, phone(100 + number), f"2001:db8:1:{number + 2:x}::1") for number in range(20)]

    assert stubborn == ["sent"] * 5 + ["TooManyRequests"] * 35
    assert around == ["sent"] * 15 + ["TooManyRequests"] * 5  # of the /56


async def test_at_once_a_48_gets_no_more(folder: Path, clock: MovableClock) -> None:
    async with opened(folder, clock, **FAR, unconfirmed_codes_per_network="1 per 1 h") as portal:
        asked = await asyncio.gather(*(ask(portal, phone(n), f"2001:db8:1:{n:x}00::1") for n in range(40)))

    assert Counter(asked) == {"sent": 16, "TooManyRequests": 24}


# --- wrong codes -----------------------------------------------------------------------------------------------------

GUESSED: dict[str, Any] = FAR | {
    "guesses_without_more_per_network": "6 per 1 h, 9 per 1 day",
    "wrong_codes_per_network": "12 per 1 h",
}


@pytest.fixture(params=["memory", "redis"])
async def guessed(request: pytest.FixtureRequest, folder: Path, clock: MovableClock) -> AsyncIterator[Portal]:
    """Six wrong codes an hour, and more is asked for; twelve, and nothing is judged."""
    store = request.getfixturevalue("redis").address if request.param == "redis" else "memory"
    async with opened(folder, clock, **GUESSED, limits_storage=store) as portal:
        yield portal


async def test_a_network_that_guessed_wrong_too_often_needs_more_than_a_call(
    guessed: Portal, clock: MovableClock
) -> None:
    for number in range(5):
        await guess_wrong(guessed, number)
    assert await ask_and_confirm(guessed, 10) == "no_account"
    await guess_wrong(guessed, 5)

    assert await ask_and_confirm(guessed, 11) == RecoveryStep.BIRTH_DATE
    assert await ask_and_confirm(guessed, 12, OTHER_IP) == "no_account"
    assert await ask_and_confirm(guessed, 13, way=TELEGRAM) == "no_account"  # six digits are enough
    clock.move(hours=1, seconds=1)
    assert await ask_and_confirm(guessed, 14) == "no_account"
    for number in range(20, 23):
        await guess_wrong(guessed, number)
    assert await ask_and_confirm(guessed, 15) == RecoveryStep.BIRTH_DATE  # nine in a day


async def test_a_network_that_guessed_wrong_far_too_often_guesses_no_more(guessed: Portal, clock: MovableClock) -> None:
    visitor = await guess_wrong(guessed, 99)
    for number in range(11):
        await guess_wrong(guessed, number)
    with pytest.raises(TooManyWrongCodes) as refusal:
        await confirm(guessed, visitor, phone(99))

    assert refusal.value.resets_in == timedelta(hours=1)
    assert await ask(guessed, phone(50), IP) == "TooManyWrongCodes"
    assert await ask_and_confirm(guessed, 51, OTHER_IP) == "no_account"
    assert await ask_and_confirm(guessed, 53, way=TELEGRAM) == "no_account"  # six digits: a way for those who share it
    assert [row.misses for row in await rows_of(guessed) if row.phone == phone(99)] == [1]  # no attempt was lost
    clock.move(hours=1, seconds=1)
    assert await ask(guessed, phone(52), IP) == "sent"


async def test_what_a_network_mistyped_at_a_phone_is_forgiven_when_it_confirms_a_code_to_it(
    guessed: Portal, clock: MovableClock
) -> None:
    """Also over a dead code: a patient who mistypes three times is none who guesses."""
    for number in range(20):
        visitor = await guess_wrong(guessed, number, times=2)
        assert await confirm(guessed, visitor, phone(number)) == "no_account"
    visitor = await guess_wrong(guessed, 30, times=3)
    clock.move(minutes=2)
    await guessed.recovery.resend(at(visitor, IP), TELEGRAM)
    await confirm(guessed, visitor, phone(30))
    for number in range(31, 36):
        await guess_wrong(guessed, number)

    assert await ask_and_confirm(guessed, 40) == "no_account"


async def test_a_guess_counts_as_a_wrong_one_until_it_is_judged(guessed: Portal, clock: MovableClock) -> None:
    """Of guesses that are judged at the same moment none sees fewer than went before it."""
    limits = guessed.recovery.codes.issuer.limits
    asked = [CodeAsked(f"{number}", CALL, phone(number), IP) for number in range(15)]
    async with AsyncExitStack() as stack:
        guesses = [await stack.enter_async_context(limits.guess(code, clock())) for code in asked]
        assert [guess.suspicious for guess in guesses[:12]] == [False] * 6 + [True] * 6
        assert [guess.refusal is None for guess in guesses] == [True] * 12 + [False] * 3
    async with limits.guess(asked[0], clock()) as guess:
        assert (guess.suspicious, guess.refusal) == (False, None)


async def test_wrong_codes_of_the_messenger_are_no_sign_of_a_guesser(guessed: Portal) -> None:
    for number in range(6):
        visitor, to = browser(number), phone(number)
        await guessed.recovery.begin(at(visitor, IP), to, TELEGRAM)
        code = await last_code(guessed, to)
        for by in range(1, 4):
            with pytest.raises(CodeMismatch):
                await guessed.recovery.confirm_code(visitor, wrong(code, by))

    assert await ask_and_confirm(guessed, 40) == "no_account"


async def test_of_many_wrong_guesses_at_once_no_more_are_judged_than_one_after_the_other(guessed: Portal) -> None:
    for number in range(20):
        await guessed.recovery.begin(at(browser(number), IP), phone(number), CALL)
    typed = [wrong(await last_code(guessed, phone(number))) for number in range(20)]

    async def attempt(number: int) -> str:
        try:
            await guessed.recovery.confirm_code(browser(number), typed[number])
        except (CodeMismatch, TooManyWrongCodes) as refusal:
            return type(refusal).__name__
        return "confirmed"

    assert Counter(await asyncio.gather(*map(attempt, range(20)))) == {"CodeMismatch": 12, "TooManyWrongCodes": 8}
    assert sum(row.misses for row in await rows_of(guessed)) == 12


async def test_a_guess_that_was_not_judged_costs_no_place(guessed: Portal, clock: MovableClock) -> None:
    visitor = await guess_wrong(guessed, 1)
    with statements(guessed, broken="UPDATE one_time_code"):
        for _ in range(15):
            with pytest.raises(OperationalError):
                await confirm(guessed, visitor, phone(1))
    clock.move(minutes=6)
    for _ in range(15):  # expired
        with suppress(Exception):
            await confirm(guessed, visitor, phone(1))
    for number in range(10, 14):
        await guess_wrong(guessed, number)

    assert await ask_and_confirm(guessed, 40) == "no_account"
    assert {one.step for one in await recoveries_of(guessed)} >= {"no_account"}


@pytest.mark.parametrize("to", [KNOWN, UNKNOWN])
async def test_known_and_unknown_numbers_are_asked_for_more_alike(guessed: Portal, to: str) -> None:
    for number in range(6):
        await guess_wrong(guessed, number)
    await guessed.recovery.begin(at(ANNA, IP), to, CALL)

    assert await confirm(guessed, ANNA, to) == RecoveryStep.BIRTH_DATE


# --- blocks of numbers -----------------------------------------------------------------------------------------------


async def test_a_block_of_numbers_leaves_twenty_codes_an_hour_unconfirmed_and_the_next_one_sounds_an_alarm(
    folder: Path, clock: MovableClock, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(folder, clock, unconfirmed_codes_per_block="20 per 1 h") as portal:
        outcomes = [await ask(portal, phone(number), f"10.0.{number}.1") for number in range(20)]
        assert set(outcomes) == {"sent"}
        assert "ALARM" not in caplog.text
        refusal = await refusal_of(portal, phone(20), "10.0.99.1")
        await ask(portal, phone(21), "10.0.98.1")

        assert type(refusal) is NumberBlockBusy
        assert abs(refusal.resets_in - timedelta(hours=1)) < timedelta(seconds=1)
        alarms = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
        assert alarms == ["ALARM number-block: the limit of codes to numbers +7900500xxxx is reached"]
        assert await ask(portal, phone(1, block=501), "10.0.97.1") == "sent"
        clock.now = refusal.until + timedelta(seconds=1)
        assert await ask(portal, phone(20), "10.0.99.1") == "sent"


async def test_a_block_of_numbers_gets_two_hundred_codes_an_hour_confirmed_or_not(
    folder: Path, clock: MovableClock
) -> None:
    blocks = {"codes_per_block": "30 per 1 h", "unconfirmed_codes_per_block": "20 per 1 h"}
    async with opened(folder, clock, **blocks) as portal:
        for number in range(30):
            assert await ask_and_confirm(portal, number, f"10.0.{number}.1") == "no_account"

        assert type(await refusal_of(portal, phone(40), "10.0.99.1")) is NumberBlockBusy


async def test_the_default_block_is_that_of_the_table_in_production_and_wider_in_the_demo(portal: Portal) -> None:
    fields = type(portal.config).model_fields

    assert [(limit.count, limit.per) for limit in fields["codes_per_block"].default] == [(200, timedelta(hours=1))]
    assert fields["unconfirmed_codes_per_block"].default == (Limit(20, timedelta(hours=1)),)
    assert [limit.count for limit in portal.config.codes_per_block] == [1000]
    assert asker_of("127.0.0.1", portal.config.raised_networks).raised  # type: ignore[union-attr]
    assert fields["raised_networks"].default == ()


async def test_no_phone_and_no_address_is_in_the_store(portal: Portal) -> None:
    await guess_wrong(portal, 1)
    await portal.recovery.begin(at(ANNA, IP), KNOWN, CALL)
    await portal.login.log_in(at(ANNA, IP), KNOWN, PASSWORD)
    with pytest.raises(InvalidCredentials):
        await portal.login.log_in(at(ANNA, IP), KNOWN, "Nevernyy123")
    kept = str(portal.outside.limits._counted)  # type: ignore[attr-defined]

    assert kept
    assert "900000" not in kept
    assert IP not in kept
