"""How many codes a phone, a network and a block of numbers may get: the last allowed, the first refused, allowed again."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from medonline.bootstrap import Portal
from medonline.domain.codes.one_time_code import ChannelName
from medonline.domain.errors import NumberBlockBusy, TooManyCodes, TooManyPhones, TooManyRequests
from medonline.services.limits.networks import asker_of
from tests.services.limits.asking import FAR, IP, OTHER_IP, ask, phone, refusal_of
from tests.services.world import (
    ANNA,
    CALL,
    KNOWN,
    PASSWORD,
    TELEGRAM,
    UNKNOWN,
    MovableClock,
    opened,
    recoveries_of,
    rows_of,
    statements,
    writes_in,
)

# --- per phone -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("to", [KNOWN, UNKNOWN])
async def test_a_phone_gets_three_codes_an_hour_whoever_asks(portal: Portal, clock: MovableClock, to: str) -> None:
    first = clock.now
    for _ in range(3):
        assert await ask(portal, to) == "sent"
        clock.move(minutes=10)

    refusal = await refusal_of(portal, to)
    assert type(refusal) is TooManyCodes
    assert refusal.until == first + timedelta(hours=1)
    assert refusal.resets_in == timedelta(minutes=30)
    clock.now = refusal.until - timedelta(microseconds=1)
    assert await ask(portal, to) == "TooManyCodes"
    clock.now = refusal.until
    assert await ask(portal, to) == "sent"
    assert await ask(portal, to, way=TELEGRAM) == "TooManyCodes"


async def test_a_phone_gets_five_codes_a_day(portal: Portal, clock: MovableClock) -> None:
    first = clock.now
    for _ in range(5):
        assert await ask(portal, KNOWN) == "sent"
        clock.move(hours=2)

    assert (await refusal_of(portal, KNOWN)).until == first + timedelta(days=1)
    clock.now = first + timedelta(days=1)
    assert await ask(portal, KNOWN) == "sent"
    assert await ask(portal, KNOWN, visitor=ANNA) == "TooManyCodes"


async def test_a_phone_gets_ten_codes_a_week(portal: Portal, clock: MovableClock) -> None:
    first = clock.now
    for _ in range(10):
        assert await ask(portal, KNOWN) == "sent"
        clock.move(hours=13)

    refusal = await refusal_of(portal, KNOWN)
    assert refusal.until == first + timedelta(days=7)
    clock.now = refusal.until
    assert await ask(portal, KNOWN) == "sent"


async def test_the_limit_of_a_phone_survives_a_restart(folder: Path, clock: MovableClock) -> None:
    for _ in range(3):
        async with opened(folder, clock) as portal:
            assert await ask(portal, KNOWN) == "sent"
        clock.move(minutes=6)
    async with opened(folder, clock) as portal:
        assert await ask(portal, KNOWN) == "TooManyCodes"
        assert await ask(portal, UNKNOWN) == "sent"


async def test_fifty_begins_at_once_never_exceed_the_limit_of_a_phone(folder: Path, clock: MovableClock) -> None:
    async with opened(folder, clock, resend_pauses="1 s") as portal:
        for _ in range(4):
            await asyncio.gather(*(ask(portal, KNOWN, way=way) for _ in range(25) for way in ChannelName))
            clock.move(seconds=1)

        rows = await rows_of(portal)
    assert len(rows) == 3
    assert sum(row.replaced_at is None for row in rows) == 1


async def test_the_screen_counts_down_to_the_end_of_the_limit(portal: Portal, clock: MovableClock) -> None:
    first = clock.now
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    for _ in range(2):
        clock.move(minutes=6)
        view = await portal.recovery.resend(ANNA, CALL)

    assert view.resend_at == first + timedelta(hours=1)
    assert not view.fallback_now


async def test_a_refused_begin_leaves_nothing_behind_and_keeps_the_recovery_that_is_there(
    portal: Portal, clock: MovableClock
) -> None:
    for _ in range(3):
        await ask(portal, KNOWN)
        clock.move(minutes=6)
    await portal.recovery.begin(ANNA, UNKNOWN, CALL)
    with pytest.raises(TooManyCodes):
        await portal.recovery.begin(ANNA, KNOWN, CALL)

    current = await portal.recovery.current(ANNA)
    assert current is not None
    assert (current.phone[-2:], current.code_alive) == ("99", True)
    assert len(await recoveries_of(portal)) == 4


async def test_known_and_unknown_phones_cost_the_same_writes_up_to_the_refusal(
    portal: Portal, clock: MovableClock
) -> None:
    logs = []
    for to in (KNOWN, UNKNOWN):
        with statements(portal) as seen:
            for _ in range(4):
                await ask(portal, to)
                clock.move(minutes=6)
        logs.append(writes_in(seen))

    assert logs[0] == logs[1]
    assert logs[0].count("INSERT INTO one_time_code") == 3


# --- per network -----------------------------------------------------------------------------------------------------


async def test_a_network_may_ask_for_five_codes_an_hour(folder: Path, clock: MovableClock) -> None:
    async with opened(folder, clock, **FAR, resend_pauses="1 s") as portal:
        for _ in range(5):
            assert await ask(portal, phone(1), IP) == "sent"
            clock.move(minutes=7)

        refusal = await refusal_of(portal, phone(1), IP)
        assert type(refusal) is TooManyRequests
        assert refusal.resets_in == timedelta(minutes=25)
        assert await ask(portal, phone(1), OTHER_IP) == "sent"
        clock.now = refusal.until - timedelta(seconds=1)
        assert await ask(portal, phone(1), IP) == "TooManyRequests"
        clock.now = refusal.until + timedelta(seconds=1)
        assert await ask(portal, phone(1), IP) == "sent"


async def test_a_network_may_ask_for_fifteen_codes_a_day(folder: Path, clock: MovableClock) -> None:
    async with opened(folder, clock, **FAR) as portal:
        first = clock.now
        for _ in range(15):
            assert await ask(portal, phone(1), IP) == "sent"
            clock.move(minutes=13)

        refusal = await refusal_of(portal, phone(1), IP)
        assert (type(refusal), refusal.until) == (TooManyRequests, first + timedelta(days=1))
        clock.now = refusal.until + timedelta(seconds=1)
        assert await ask(portal, phone(1), IP) == "sent"


async def test_a_network_may_ask_for_three_phones_an_hour_and_go_on_with_those(
    folder: Path, clock: MovableClock
) -> None:
    async with opened(folder, clock, **FAR) as portal:
        for number in range(3):
            assert await ask(portal, phone(number), IP) == "sent"
            clock.move(minutes=2)

        refusal = await refusal_of(portal, phone(3), IP)
        assert type(refusal) is TooManyPhones
        assert refusal.resets_in == timedelta(minutes=54)
        assert await ask(portal, phone(3), OTHER_IP) == "sent"
        assert await ask(portal, phone(0), IP) == "sent"
        clock.now = refusal.until + timedelta(seconds=1)
        assert await ask(portal, phone(4), IP) == "sent"


async def test_a_refusal_by_one_limit_costs_nothing_at_another(folder: Path, clock: MovableClock) -> None:
    async with opened(folder, clock, **FAR) as portal:
        for number in range(3):
            await ask(portal, phone(number), IP)
        for number in range(3, 30):
            assert await ask(portal, phone(number), IP) == "TooManyPhones"
        clock.move(minutes=6)

        assert [await ask(portal, phone(number), IP) for number in (0, 1, 2)] == ["sent", "sent", "TooManyRequests"]


async def test_the_same_begin_again_counts_once(folder: Path, clock: MovableClock) -> None:
    async with opened(folder, clock, **FAR) as portal:
        outcomes = await asyncio.gather(*(ask(portal, phone(1), IP, visitor=ANNA) for _ in range(20)))
        clock.move(minutes=6)
        later = []
        for _ in range(5):
            later.append(await ask(portal, phone(1), IP))
            clock.move(minutes=6)

    assert set(outcomes) == {"sent"}
    assert later == ["sent"] * 4 + ["TooManyRequests"]


async def test_fifty_begins_at_once_never_exceed_the_limit_of_a_network(folder: Path, clock: MovableClock) -> None:
    async with opened(folder, clock, **FAR, phones_per_network="1000 per 1 h") as portal:
        outcomes = Counter(await asyncio.gather(*(ask(portal, phone(number), IP) for number in range(50))))

        assert outcomes == {"sent": 5, "TooManyRequests": 45}
        assert len(await rows_of(portal)) == 5


async def test_a_raised_network_has_limits_of_its_own(folder: Path, clock: MovableClock) -> None:
    raised = {
        "raised_networks": "203.0.113.0/24, 2001:db8::/32",
        "raised_codes_per_network": "8 per 1 h",
        "raised_phones_per_network": "7 per 1 h",
    }
    async with opened(folder, clock, **FAR, **raised) as portal:
        for ip in (IP, "2001:db8:1:2::3"):
            outcomes = [await ask(portal, phone(number), ip) for number in range(8)]
            assert outcomes == ["sent"] * 7 + ["TooManyPhones"]
            clock.move(minutes=6)
            assert [await ask(portal, phone(0), ip), await ask(portal, phone(1), ip)] == ["sent", "TooManyRequests"]
            clock.move(hours=2)
        assert [await ask(portal, phone(number), OTHER_IP) for number in range(4)] == ["sent"] * 3 + ["TooManyPhones"]


async def test_an_ipv6_household_is_one_network(folder: Path, clock: MovableClock) -> None:
    async with opened(folder, clock, **FAR) as portal:
        inside = [f"2001:db8:1:2::{number:x}" for number in range(1, 5)]
        assert [await ask(portal, phone(at), ip) for at, ip in enumerate(inside)] == ["sent"] * 3 + ["TooManyPhones"]
        assert await ask(portal, phone(9), "2001:db8:1:3::1") == "sent"


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
    ],
)
def test_an_address_belongs_to_a_network(address: str, network: str) -> None:
    asker = asker_of(address, ())
    assert asker is not None
    assert asker.network == network


def test_an_ipv6_network_is_looked_at_in_three_widths() -> None:
    asker = asker_of("2001:db8:1:2345:6:7:8:9", ())
    assert asker is not None
    assert [(level.network, level.times) for level in asker.levels] == [
        ("2001:db8:1:2345::/64", 1),
        ("2001:db8:1:2300::/56", 4),
        ("2001:db8:1::/48", 16),
    ]
    four = asker_of("203.0.113.7", ())
    assert four is not None
    assert [(level.network, level.times) for level in four.levels] == [("203.0.113.7", 1)]


async def test_a_48_gets_sixteen_times_what_a_64_gets_however_many_networks_it_plays(
    folder: Path, clock: MovableClock
) -> None:
    far = FAR | {"phones_per_network": "1000 per 1 h", "codes_per_network": "5 per 1 h"}
    async with opened(folder, clock, **far) as portal:
        asked = [await ask(portal, phone(number), f"2001:db8:1:{number:x}00::1") for number in range(120)]
        same_56 = [await ask(portal, phone(200 + number), f"2001:db8:2:{number:x}::1") for number in range(30)]
        same_64 = [await ask(portal, phone(300 + number), f"2001:db8:3:1::{number:x}") for number in range(8)]
        elsewhere = await ask(portal, phone(400), "2001:db8:4::1")

    assert asked == ["sent"] * 80 + ["TooManyRequests"] * 40
    assert same_56 == ["sent"] * 20 + ["TooManyRequests"] * 10
    assert same_64 == ["sent"] * 5 + ["TooManyRequests"] * 3
    assert elsewhere == "sent"


async def test_a_48_may_ask_for_sixteen_times_as_many_phones(folder: Path, clock: MovableClock) -> None:
    async with opened(folder, clock, **FAR, codes_per_network="1000 per 1 h", phones_per_network="3 per 1 h") as portal:
        asked = [await ask(portal, phone(number), f"2001:db8:1:{number:x}00::1") for number in range(60)]
        clock.move(minutes=2)
        again = await ask(portal, phone(0), "2001:db8:1:ff00::1")

    assert asked == ["sent"] * 48 + ["TooManyPhones"] * 12
    assert again == "sent"  # a phone that this network asked for before


async def test_a_refusal_by_a_64_costs_the_networks_around_it_nothing(folder: Path, clock: MovableClock) -> None:
    far = FAR | {"phones_per_network": "1000 per 1 h", "codes_per_network": "5 per 1 h"}
    async with opened(folder, clock, **far) as portal:
        stubborn = [await ask(portal, phone(number), "2001:db8:1:1::1") for number in range(40)]
        around = [await ask(portal, phone(100 + number), f"2001:db8:1:{number + 2:x}::1") for number in range(20)]

    assert stubborn == ["sent"] * 5 + ["TooManyRequests"] * 35
    assert around == ["sent"] * 15 + ["TooManyRequests"] * 5  # of the /56


async def test_at_once_a_48_gets_no_more(folder: Path, clock: MovableClock) -> None:
    far = FAR | {"phones_per_network": "1000 per 1 h", "codes_per_network": "1 per 1 h"}
    async with opened(folder, clock, **far) as portal:
        asked = await asyncio.gather(*(ask(portal, phone(n), f"2001:db8:1:{n:x}00::1") for n in range(40)))

    assert Counter(asked) == {"sent": 16, "TooManyRequests": 24}


@pytest.mark.parametrize("address", ["", "unix:", "203.0.113", "localhost"])
def test_what_is_no_address_has_no_network(address: str) -> None:
    assert asker_of(address, ()) is None


# --- per block -------------------------------------------------------------------------------------------------------


async def test_a_block_of_numbers_gets_twenty_codes_an_hour_and_the_next_one_sounds_an_alarm(
    folder: Path, clock: MovableClock, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(folder, clock, codes_per_block="20 per 1 h") as portal:
        outcomes = [await ask(portal, phone(number), f"10.0.{number}.1") for number in range(20)]
        assert set(outcomes) == {"sent"}
        assert "ALARM" not in caplog.text
        refusal = await refusal_of(portal, phone(20), "10.0.99.1")
        await ask(portal, phone(21), "10.0.98.1")

        assert type(refusal) is NumberBlockBusy
        assert refusal.resets_in == timedelta(hours=1)
        alarms = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
        assert alarms == ["ALARM the limit of codes to numbers +7900500xxxx is reached"]
        assert await ask(portal, phone(1, block=501), "10.0.97.1") == "sent"
        clock.now = refusal.until + timedelta(seconds=1)
        assert await ask(portal, phone(20), "10.0.99.1") == "sent"


async def test_the_default_block_is_that_of_the_table_in_production_and_wider_in_the_demo(portal: Portal) -> None:
    fields = type(portal.config).model_fields

    assert [(limit.count, limit.per) for limit in fields["codes_per_block"].default] == [(20, timedelta(hours=1))]
    assert [limit.count for limit in portal.config.codes_per_block] == [1000]
    assert asker_of("127.0.0.1", portal.config.raised_networks).raised  # type: ignore[union-attr]
    assert fields["raised_networks"].default == ()


async def test_no_phone_and_no_address_is_a_key_of_the_store(portal: Portal) -> None:
    await ask(portal, KNOWN, IP)
    await portal.login.log_in(ANNA, KNOWN, PASSWORD, IP)
    keys = " ".join(portal.outside.limits._limiter.storage.events)  # type: ignore[attr-defined]

    assert keys
    assert "900000" not in keys
    assert IP not in keys
