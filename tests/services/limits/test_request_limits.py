"""How much a network and a block of numbers may ask for: the last allowed, the first refused, allowed again."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from medonline.bootstrap import Portal
from medonline.domain.errors import NumberBlockBusy, TooManyPhones, TooManyRequests
from medonline.domain.phone import PhoneNumber
from medonline.services.limits.networks import asker_of
from medonline.storage.queries import codes
from tests.patience import PATIENCE
from tests.services.limits.asking import FAR, IP, OTHER_IP, ask, phone, refusal_of
from tests.services.world import ANNA, KNOWN, PASSWORD, MovableClock, opened, rows_of, statements


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


async def test_a_code_that_was_not_issued_costs_no_place(folder: Path, clock: MovableClock) -> None:
    """Pauses refuse it, or the transaction fails: the network may ask as often as before."""
    async with opened(folder, clock, **FAR) as portal:
        assert await ask(portal, phone(1), IP) == "sent"
        for _ in range(20):
            assert await ask(portal, phone(1), IP) == "RateLimited"
        with statements(portal, broken="INSERT INTO one_time_code"):
            for _ in range(20):
                with pytest.raises(OperationalError):
                    await ask(portal, phone(2), IP)
        clock.move(minutes=6)

        asked = [await ask(portal, phone(number), IP) for number in (2, 3, 2, 4)]
        assert asked == ["sent", "sent", "RateLimited", "TooManyPhones"]


@pytest.mark.parametrize("both", [False, True], ids=["one issues a code", "both do"])
async def test_of_two_who_ask_for_a_phone_at_once_one_counts_it(folder: Path, clock: MovableClock, both: bool) -> None:
    """The first to take a place may be the one that issues nothing: its place goes, the phone stays counted."""
    async with opened(folder, clock, **FAR, codes_per_network="1000 per 1 h") as portal:
        requests = portal.recovery.codes.issuer.requests
        for number in range(2):
            to = PhoneNumber(phone(number))
            async with (
                requests.place_for_code(to, IP, clock()) as earlier,
                requests.place_for_code(to, IP, clock()) as later,
            ):
                later.use()
                if both:
                    earlier.use()

        asked = [await ask(portal, phone(number), IP) for number in (2, 3, 0, 1)]
        assert asked == ["sent", "TooManyPhones", "sent", "sent"]


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

    async with opened(folder, clock, **FAR) as portal:
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
