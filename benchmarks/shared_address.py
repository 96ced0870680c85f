"""Thousands of patients behind one address: which of them are refused, and what does an attacker among them win?

It plays one hour behind a mobile operator's address. 2 000 patients recover: one in fourteen mistypes, one in ten never types a code. As
many sign in, and one in eight mistypes. Then come attackers behind the same address, for the same hour, with the crowd and without it: one
guesses three times at each phone, one stops a guess short, and one only has codes sent. `worth` is how many guesses an attacker had at
codes that would have been enough by themselves; each guess wins 10⁻⁴ of an account.

It uses the real services over a separate database, a clock that is moved from event to event, senders with prescribed answers, and no
Argon2. `python -m benchmarks.shared_address [--patients N] [--only WORD …] [--json FILE]`. Exit code 1 when a patient was refused.
"""

from __future__ import annotations

import argparse
import asyncio
import heapq
import itertools
import json
import logging
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from sqlmodel import col, select

from medonline.bootstrap import Portal
from medonline.domain.client import Client
from medonline.domain.codes.channels import ChannelName
from medonline.domain.errors import CodeRefused, InvalidCredentials, MedonlineError, RateLimited
from medonline.domain.password_recovery import RecoveryStep
from medonline.services.limits.code_limits import CodeAsked
from medonline.storage import migrations
from medonline.storage.queries import codes_circuit_breaker
from medonline.storage.tables.codes import OneTimeCodeRow
from medonline.storage.tables.patients import Patient
from tests.services.world import (
    BORIS,
    CALL,
    TELEGRAM,
    MovableClock,
    PlainHasher,
    at,
    browser,
    code_in,
    config_in,
    opened,
    wrong,
)

ADDRESS = "203.0.113.7"
PATIENTS = 2_000
HOUR_S = 3_600.0
BLOCKS = 250  # blocks of ten thousand numbers that contain the patients' numbers
NEVER_TYPES = 0.10
MISTYPES = ((0.06, 1), (0.01, 2), (0.003, 3))  # a four-digit code: the share of patients, and how often in a row
MISTYPES_PASSWORD = ((0.10, 1), (0.02, 2), (0.005, 3))
BORN, PASSWORD, NEW = date(1958, 5, 21), "KorablLipa46", "KorablLipa47"
PRICE = 0.90
DAY_S = 24 * HOUR_S


class Verifier(PlainHasher):
    """No Argon2 for thousands of passwords."""

    def is_outdated(self, _encoded: str) -> bool:
        """Never."""
        return False


@dataclass
class Street:
    """Everybody behind the address, and their next acts in the order of the clock."""

    portal: Portal
    clock: MovableClock
    dice: random.Random
    coming: list[tuple[float, int, Callable[[], Awaitable[None]]]] = field(default_factory=list)
    numbers: itertools.count[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.start = self.clock.now
        verifier = Verifier()
        recovery = self.portal.recovery
        self.recovery = replace(recovery, new_password=replace(recovery.new_password, hasher=verifier))
        self.login = replace(self.portal.login, verifier=verifier)

    @property
    def now_s(self) -> float:
        """Seconds since the simulation began."""
        return (self.clock.now - self.start).total_seconds()

    def after(self, seconds: float, act: Callable[[], Awaitable[None]]) -> None:
        """Let somebody act after this many seconds."""
        heapq.heappush(self.coming, (self.now_s + seconds, next(self.numbers), act))

    async def live(self) -> None:
        """Run one act after another until nobody acts any more."""
        while self.coming:
            at, _, act = heapq.heappop(self.coming)
            self.clock.now = max(self.clock.now, self.start + timedelta(seconds=at))
            await act()

    def code_row(self, phone: str) -> OneTimeCodeRow:
        """The last code to a phone."""
        newest = (
            select(OneTimeCodeRow).where(OneTimeCodeRow.phone == phone).order_by(col(OneTimeCodeRow.issued_at).desc())
        )
        with self.portal.database.reading() as session:
            return session.exec(newest.limit(1)).one()


@dataclass
class Crowd:
    """What happened to the patients who recover. Some are asked for the birth date too."""

    street: Street
    patients: int
    came: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    called_back: int = 0  # their call was refused, and they used the messenger

    def arrive(self) -> None:
        """Let all patients arrive over the hour."""
        for number in range(self.patients):
            self.street.after(self.street.dice.uniform(0, HOUR_S), lambda number=number: self.begin(number, CALL))

    async def begin(self, number: int, way: ChannelName) -> None:
        """Request a code. A patient who is refused stays away."""
        street, to, visitor = self.street, phone_of(number), browser(number)
        try:
            await street.recovery.begin(at(visitor, ADDRESS), to, way)
        except MedonlineError as refusal:
            self._refused(refusal, number, way)
            return
        if way is CALL and street.dice.random() < NEVER_TYPES:
            self.came["never typed a code"] += 1
            return
        street.after(street.dice.uniform(15, 75), lambda: self.type_code(number, times(street.dice, MISTYPES), way))

    async def type_code(self, number: int, mistypes: int, way: ChannelName) -> None:
        """Type the code of the call, after `mistypes` wrong ones."""
        street, to, visitor = self.street, phone_of(number), browser(number)
        code = code_in(street.portal, street.code_row(to))
        try:
            if mistypes:
                await street.recovery.confirm_code(visitor, wrong(code, mistypes))
                return
            view = await street.recovery.confirm_code(visitor, code)
        except CodeRefused:
            if mistypes == 1 and street.code_row(to).misses == 3:
                street.after(130, lambda: self.resend(number))
            else:
                street.after(15, lambda: self.type_code(number, mistypes - 1, way))
            return
        except MedonlineError as refusal:
            self._refused(refusal, number, way)
            return
        if view.step is RecoveryStep.BIRTH_DATE:
            self.came["asked for the birth date"] += 1
            view = await street.recovery.confirm_birth_date(visitor, f"{BORN:%d.%m.%Y}")
        await street.recovery.set_password(visitor, NEW)
        self.came["recovered"] += 1

    async def resend(self, number: int) -> None:
        """Request another call after a dead code."""
        try:
            await self.street.recovery.resend(at(browser(number), ADDRESS), CALL)
        except MedonlineError as refusal:
            self._refused(refusal, number, CALL)
            return
        self.street.after(40, lambda: self.type_code(number, 0, CALL))

    def _refused(self, refusal: MedonlineError, number: int, way: ChannelName) -> None:
        self.refusals[type(refusal).__name__] += 1
        if way is CALL and type(refusal).__name__ == "TooManyWrongCodes":
            self.called_back += 1  # the sentence's advice works now
            self.street.after(65, lambda: self.begin(number, TELEGRAM))
        else:
            self.came["refused"] += 1


@dataclass
class Attacker:
    """Requests codes to other people's phones, one after the other, and guesses `guesses` times at each."""

    street: Street
    guesses: int
    every_s: float
    until_s: float
    codes: int = 0
    judged: int = 0
    worth: int = 0
    refused: int = 0

    async def act(self) -> None:
        """Attack one phone, then the next."""
        street, number = self.street, next(self.street.numbers)
        to, visitor = f"+7902{number % 997:03}{2000 + number % 7919:04}", Client(visitor_key=f"{'a' * 32}{number:032x}")
        try:
            await street.recovery.begin(at(visitor, ADDRESS), to, CALL)
            self.codes += 1
        except (RateLimited, MedonlineError):
            self.refused += 1
        else:
            await self._guess(visitor, to)
        if street.now_s + self.every_s < self.until_s:
            street.after(self.every_s, self.act)

    async def _guess(self, visitor: Client, to: str) -> None:
        row = self.street.code_row(to)
        code = code_in(self.street.portal, row)
        for by in range(1, self.guesses + 1):
            enough = await self._would_be_enough(row)
            try:
                await self.street.recovery.confirm_code(visitor, wrong(code, by))
            except CodeRefused:
                self.judged += 1
                self.worth += enough
            except MedonlineError:
                self.refused += 1

    async def _would_be_enough(self, row: OneTimeCodeRow) -> bool:
        """Whether the right code alone would open the account at this moment."""
        portal, now = self.street.portal, self.street.clock.now
        with portal.database.reading() as session:
            state = codes_circuit_breaker.state(session)
        asked = CodeAsked(row.id, row.channel, row.phone, row.client_ip)
        async with portal.recovery.codes.issuer.limits.guess(asked, now) as guess:
            suspicious = guess.suspicious or guess.refusal is not None
        return not suspicious and (state.open_until is None or now >= state.open_until)


@dataclass
class SignIns:
    """What happened to the patients who sign in, and to an attacker among them who tries passwords."""

    street: Street
    patients: int
    came: Counter[str] = field(default_factory=Counter)
    tried: Counter[str] = field(default_factory=Counter)

    def arrive(self) -> None:
        """Let all patients arrive over the hour."""
        for number in range(self.patients):
            mistypes = times(self.street.dice, MISTYPES_PASSWORD)
            at = self.street.dice.uniform(0, HOUR_S)
            self.street.after(at, lambda number=number, mistypes=mistypes: self.sign_in(number, mistypes))

    async def sign_in(self, number: int, mistypes: int) -> None:
        """Sign in, in the end with the right password."""
        try:
            await self.street.login.log_in(
                at(browser(number), ADDRESS),
                phone_of(number),
                PASSWORD if not mistypes else "x",
            )
        except InvalidCredentials:
            self.came["mistyped"] += 1
            self.street.after(20, lambda: self.sign_in(number, mistypes - 1))
        except MedonlineError as refusal:
            self.came[f"refused: {type(refusal).__name__}"] += 1
        else:
            self.came["signed in"] += 1

    async def spray(self) -> None:
        """Try a frequent password at one account after the other."""
        number = next(self.street.numbers)
        try:
            await self.street.login.log_in(at(BORIS, ADDRESS), f"+7903{number % 10**7:07}", "qwerty123456")
        except InvalidCredentials:
            self.tried["verified"] += 1
        except MedonlineError:
            self.tried["refused"] += 1
        if self.street.now_s + 1 < HOUR_S:
            self.street.after(1, self.spray)


def phone_of(number: int) -> str:
    """The phone of the patient with this number."""
    return f"+7901{number % BLOCKS:03}{1000 + number // BLOCKS:04}"


def times(dice: random.Random, shares: tuple[tuple[float, int], ...]) -> int:
    """How often a person mistypes."""
    drawn = dice.random()
    for share, often in shares:
        if drawn < share:
            return often
        drawn -= share
    return 0


@dataclass
class Row:
    """A line of the table."""

    name: str
    came: dict[str, int]


async def street_of(folder: Path, patients: int, play: Callable[[Street], Awaitable[Row]], **changes: Any) -> Row:
    """Play on a separate portal with this many accounts."""
    clock = MovableClock()
    clock.move(days=1)
    await migrations.upgrade(config_in(folder).database)
    far = {"raised_networks": "", "codes_per_block": "200 per 1 h", "unconfirmed_codes_per_block": "20 per 1 h"}
    async with opened(folder, clock, **far, **changes) as portal:
        with portal.database.writing() as session:
            for number in range(patients):
                names = {"last_name": "Жукова", "first_name": "Жанна", "birth_date": BORN}
                facts = {"password_hash": f"plain:{PASSWORD}", "phone_proved_at": clock.now, "created_at": clock.now}
                session.add(Patient(phone=phone_of(number), **names, **facts))
        return await play(Street(portal, clock, random.Random(2026)))


def recoveries(patients: int, attacker: tuple[int, float] | None = None) -> Callable[[Street], Awaitable[Row]]:
    """The crowd recovers, with an attacker in it: how often the attacker guesses at each phone, and how long the attacker waits in
    between."""

    async def play(street: Street) -> Row:
        crowd = Crowd(street, patients)
        crowd.arrive()
        other = Attacker(street, *attacker, until_s=HOUR_S if patients else DAY_S) if attacker else None
        if other:
            street.after(0, other.act)
        await street.live()
        came = dict(crowd.came) | {f"refused by {name}": count for name, count in crowd.refusals.items()}
        if other:
            came |= {"attacker: codes": other.codes, "guesses": other.judged, "worth": other.worth}
        return Row("", came)

    return play


def sign_ins(patients: int, *, sprayer: bool) -> Callable[[Street], Awaitable[Row]]:
    """The crowd signs in."""

    async def play(street: Street) -> Row:
        crowd = SignIns(street, patients)
        crowd.arrive()
        if sprayer:
            street.after(0, crowd.spray)
        await street.live()
        return Row("", dict(crowd.came) | {f"attacker: {name}": count for name, count in crowd.tried.items()})

    return play


def scenes(patients: int) -> dict[str, tuple[int, Callable[[Street], Awaitable[Row]]]]:
    """The scenes by name: how many accounts each needs, and the function that plays it."""
    return {
        "patients recover": (patients, recoveries(patients)),
        "patients sign in": (patients, sign_ins(patients, sprayer=False)),
        "a sprayer alone, a day": (0, recoveries(0, (3, 60.0))),
        "a two-guess sprayer alone, a day": (0, recoveries(0, (2, 60.0))),
        "a pumper alone, a day": (0, recoveries(0, (0, 60.0))),
        "a sprayer among patients": (patients, recoveries(patients, (3, 20.0))),
        "a two-guess sprayer among patients": (patients, recoveries(patients, (2, 20.0))),
        "a pumper among patients": (patients, recoveries(patients, (0, 2.0))),
        "passwords tried among patients": (patients, sign_ins(patients, sprayer=True)),
    }


async def report(patients: int, words: list[str]) -> list[Row]:
    """Print the table row by row."""
    rows = []
    chosen = {
        name: scene for name, scene in scenes(patients).items() if not words or any(word in name for word in words)
    }
    for name, (accounts, play) in chosen.items():
        with tempfile.TemporaryDirectory() as folder:
            row = await street_of(Path(folder), accounts, play)
        row.name = name
        rows.append(row)
        told = ", ".join(f"{what} {count}" for what, count in sorted(row.came.items()))
        print(f"{name:36} {told}", flush=True)
        if "attacker: codes" in row.came:
            money = row.came["attacker: codes"] * PRICE
            print(f"{'':36} expected accounts {row.came['worth'] * 1e-4:.4f}, money {money:.2f} roubles", flush=True)
    return rows


def refused_in(rows: list[Row]) -> int:
    """How many patients were refused in scenes without an attacker."""
    honest = [row for row in rows if not any(what.startswith("attacker") for what in row.came)]
    return sum(count for row in honest for what, count in row.came.items() if what == "refused" or "refused:" in what)


def main() -> int:
    """Exit code: 1 when a patient was refused."""
    logging.disable(logging.CRITICAL)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=PATIENTS)
    parser.add_argument("--json", default="")
    parser.add_argument("--only", nargs="*", default=[], help="scenes with these words in their names")
    asked = parser.parse_args()
    rows = asyncio.run(report(asked.patients, asked.only))
    if asked.json:
        Path(asked.json).write_text(json.dumps([asdict(row) for row in rows], ensure_ascii=False, indent=1))
    refused = refused_in(rows)
    print(f"medonline: {refused} patients refused where no attacker was among them")
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
