"""What an attacker wins who spreads guesses over many phones: one code and three random guesses at each of 10 000 accounts, a phone a
second.

The attacker has an address for each phone and uses many blocks of numbers, so the limits per phone, network and block never refuse. Only
the circuit breaker is left, and the birth date that it demands. The benchmark runs on the real services over a separate database, with a
clock that it moves. `python -m benchmarks.spray 500` is a shorter run.

A second attacker does the same but stops a guess short at each phone, and so leaves no dead code.

A third attacker owns one IPv6 /48 with 65 536 networks. For an hour, each network requests a code to a new phone and guesses twice. The
limits of the /48 decide how much this attacker gets.
"""

from __future__ import annotations

import asyncio
import logging
import random
import sys
import tempfile
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from medonline.bootstrap import Portal, build_portal
from medonline.config.settings import load_config
from medonline.domain.client import Client
from medonline.domain.codes.channels import ChannelName
from medonline.domain.errors import BirthDateMismatch, CodeMismatch, LimitReached
from medonline.domain.password_recovery import RecoveryStep
from medonline.services.limits.code_limits import CodeAsked
from medonline.storage import migrations
from medonline.storage.queries import codes_circuit_breaker
from medonline.storage.tables.patients import Patient
from tests.services.world import MovableClock, at, browser, code_in, last_row, limits_by, wrong

PHONES = 10_000
GUESSES = 3
CODES = 10_000  # four digits
DATES = 365 * 80  # birth dates worth trying


@dataclass
class Tally:
    """The results of an attack."""

    tried: int = 0
    tried_while_open: int = 0
    misses: int = 0
    misses_before_first: int = 0
    right_codes: int = 0
    won: int = 0
    openings: int = 0


def phone_of(number: int) -> str:
    """The phone of the `number`-th victim. The phones take turns over 500 blocks of numbers."""
    return f"+7900{number % 500:03}{2000 + number // 500:04}"


async def attack(
    portal: Portal, clock: MovableClock, dice: random.Random, number: int, tally: Tally, guesses: int
) -> None:
    """Attack one phone: one code, `guesses` guesses, and three dates if they are asked for."""
    visitor = browser(number)
    with portal.database.reading() as session:
        state = codes_circuit_breaker.state(session)
    is_open = state.open_until is not None and clock.now < state.open_until
    tally.tried += 1
    tally.tried_while_open += is_open
    await portal.recovery.begin(visitor, phone_of(number), ChannelName.FLASH_CALL)
    step = RecoveryStep.CODE
    for _ in range(guesses):
        try:
            step = (await portal.recovery.confirm_code(visitor, f"{dice.randrange(CODES):04}")).step
            tally.right_codes += 1
            break
        except CodeMismatch:
            tally.misses += 1
    for _ in range(GUESSES if step is RecoveryStep.BIRTH_DATE else 0):
        try:
            guess = date(1930, 1, 1) + timedelta(days=dice.randrange(DATES))
            step = (await portal.recovery.confirm_birth_date(visitor, f"{guess:%d.%m.%Y}")).step
            break
        except BirthDateMismatch:
            continue
    tally.won += step is RecoveryStep.NEW_PASSWORD
    with portal.database.reading() as session:
        after = codes_circuit_breaker.state(session)
    if after.open_until != state.open_until:
        tally.openings += 1
        tally.misses_before_first = tally.misses_before_first or tally.misses


async def spray(phones: int, guesses: int) -> Tally:
    """The whole attack, with `guesses` guesses at each phone."""
    clock, dice, tally = MovableClock(), random.Random(2026), Tally()
    with tempfile.TemporaryDirectory() as folder:
        config = load_config(mode="demo", data_dir=Path(folder), secret_key="s" * 32)
        portal = build_portal(config, clock)
        await migrations.upgrade(config.database)
        with portal.database.writing() as session:
            for number in range(phones):
                born = date(1930, 1, 1) + timedelta(days=dice.randrange(DATES))
                names = {"last_name": "Ж", "first_name": "Ж", "birth_date": born}
                session.add(Patient(phone=phone_of(number), created_at=clock.now, **names))
        for number in range(phones):
            await attack(portal, clock, dice, number, tally, guesses)
            clock.now += timedelta(seconds=1)
        await portal.close()
    return tally


@dataclass
class Of48:
    """What one /48 gets in an hour. `worth`: wrong guesses at codes that would have been enough by themselves."""

    codes: int = 0
    guesses: int = 0
    worth: int = 0
    households: int = 0


async def from_one_48(requests: int) -> Of48:
    """Two guesses at the code of each request in an hour, each request from another /64 of the /48. Also counts how many of its /56
    asked."""
    clock, came, asked = MovableClock(), Of48(), set()
    with tempfile.TemporaryDirectory() as folder, limits_by(clock):
        config = load_config(
            mode="demo", data_dir=Path(folder), secret_key="s" * 32, breaker_misses="1000000 per 10 min"
        )
        portal = build_portal(config, clock)
        await migrations.upgrade(config.database)
        for number in range(requests):
            network, visitor = number * 65_536 // requests, browser(number)
            asked.add(network >> 8)
            clock.now += timedelta(seconds=3600 / requests / 2)  # all within the hour that the limits look back
            try:
                address = f"2001:db8:1:{network:x}::1"
                await portal.recovery.begin(at(visitor, address), phone_of(number), ChannelName.FLASH_CALL)
            except LimitReached:
                continue
            came.codes += 1
            await _guess_twice(portal, visitor, clock, came)
        await portal.close()
    came.households = len(asked)
    return came


async def _guess_twice(portal: Portal, visitor: Client, clock: MovableClock, came: Of48) -> None:
    row = await last_row(portal)
    code = code_in(portal, row)
    for by in (1, 2):
        async with portal.recovery.codes.issuer.limits.guess(
            CodeAsked(row.id, row.channel, row.phone, row.client_ip), clock()
        ) as guess:
            enough = not guess.suspicious and guess.refusal is None
        try:
            await portal.recovery.confirm_code(visitor, wrong(code, by))
        except CodeMismatch:
            came.guesses += 1
            came.worth += enough
        except LimitReached:
            return


def main() -> None:
    """Print the attacks beside the calculated values."""
    logging.disable(logging.CRITICAL)
    phones = int(sys.argv[1]) if len(sys.argv) > 1 else PHONES
    for guesses in (GUESSES, GUESSES - 1):
        print_spray(asyncio.run(spray(phones, guesses)), phones, guesses)
    requests = min(phones, 3600)
    came = asyncio.run(from_one_48(requests))
    print(
        f"\ncodes asked for by one IPv6 /48      {requests:8}   (each from a /64 of its own, {came.households} of 256 /56)"
    )
    print(f"codes that it got                    {came.codes:8}   (at most {16 * 60} unconfirmed: 16 times 60 an hour)")
    print(f"guesses that were judged             {came.guesses:8}   (at most {16 * 45}: 16 times 45)")
    print(
        f"of these, at codes that were enough  {came.worth:8}   (at most {16 * 6}: 16 times 6; each wins 1e-4 accounts)"
    )


def print_spray(tally: Tally, phones: int, guesses: int) -> None:
    """Print one attack that uses an address for each phone."""
    per_phone = guesses / CODES
    calm, alert = tally.tried - tally.tried_while_open, tally.tried_while_open
    expected = calm * per_phone + alert * per_phone * GUESSES / DATES
    print(f"\n{guesses} guesses at each phone")
    print(f"phones tried                         {tally.tried:8}")
    print(f"wrong codes                          {tally.misses:8}")
    print(f"wrong codes until the breaker opened {tally.misses_before_first:8}   (the 51st within 10 min opens)")
    print(f"openings (each twice as long)        {tally.openings:8}")
    print(f"phones tried while it was open       {tally.tried_while_open:8}")
    print(f"codes guessed right                  {tally.right_codes:8}   (arithmetic {phones * per_phone:.2f})")
    print(f"accounts won                         {tally.won:8}   (arithmetic {expected:.4f})")
    print(f"accounts won without the breaker     {'':8}   (arithmetic {phones * per_phone:.2f})")


if __name__ == "__main__":
    main()
