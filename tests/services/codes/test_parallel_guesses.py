"""A hundred guesses at one code at the same moment: three are judged, no matter who sends them (I2)."""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections import Counter
from pathlib import Path

import pytest

from medonline.bootstrap import Portal
from medonline.domain.client import Client
from medonline.domain.errors import CodeMismatch, CodeUsedUp
from medonline.domain.password_recovery import RecoveryStep
from medonline.storage.queries import codes
from tests.conftest import LONG_RUN
from tests.services.world import (
    ANNA,
    CALL,
    KNOWN,
    TELEGRAM,
    MovableClock,
    browser,
    code_in,
    database_of,
    last_code,
    last_row,
    statements,
    wrong,
)

ROOT = Path(__file__).resolve().parents[3]
ELSEWHERE = """
import asyncio, json, sys
from datetime import datetime
from pathlib import Path
from medonline.domain.errors import CodeMismatch, CodeUsedUp
from tests.services.world import ANNA, MovableClock, opened

async def main(folder, database, now, guesses):
    outcomes = []
    clock = MovableClock(datetime.fromisoformat(now))
    async with opened(Path(folder), clock, database_url=database) as portal:
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        async def guess(code):
            try:
                await portal.recovery.confirm_code(ANNA, code)
                outcomes.append("accepted")
            except (CodeMismatch, CodeUsedUp) as refusal:
                outcomes.append(type(refusal).__name__)
        await asyncio.gather(*map(guess, guesses))
    print(json.dumps(outcomes))

asyncio.run(main(*json.loads(sys.argv[1])))
"""


async def guess(portal: Portal, code: str, visitor: Client = ANNA) -> str:
    try:
        return (await portal.recovery.confirm_code(visitor, code)).step
    except (CodeMismatch, CodeUsedUp) as refusal:
        return type(refusal).__name__


async def test_of_a_hundred_wrong_guesses_exactly_three_are_judged(portal: Portal) -> None:
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    code = await last_code(portal)

    outcomes = Counter(await asyncio.gather(*(guess(portal, wrong(code, by)) for by in range(1, 101))))

    assert outcomes == {"CodeMismatch": 3, "CodeUsedUp": 97}
    row = await last_row(portal)
    assert (row.misses, row.confirmed_at) == (3, None)
    assert await guess(portal, code) == "CodeUsedUp"


async def test_of_code_after_code_never_more_than_three_guesses_are_judged(
    portal: Portal, capsys: pytest.CaptureFixture[str]
) -> None:
    """200 codes by `make model`, a few otherwise; the way changes with the code."""
    total: Counter[str] = Counter()
    for number in range(200 if LONG_RUN else 5):
        visitor, phone = browser(number), f"+7900{3_000_000 + number}"
        await portal.recovery.begin(visitor, phone, CALL if number % 2 else TELEGRAM)
        code = await last_code(portal, phone)
        outcomes = Counter(await asyncio.gather(*(guess(portal, wrong(code, by), visitor) for by in range(1, 101))))

        assert outcomes == {"CodeMismatch": 3, "CodeUsedUp": 97}
        assert (await last_row(portal, phone)).misses == 3
        total += outcomes
    with capsys.disabled():
        print(f"\n{number + 1} codes, {total.total()} guesses, {total['CodeMismatch']} of them judged")


async def test_a_guess_is_judged_by_one_statement(portal: Portal, clock: MovableClock) -> None:
    """Where the database lets several write at once, a count that is read first is not the count that is written."""
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    row = await last_row(portal)
    with statements(portal) as seen, portal.database.writing() as session:
        codes.judge(session, row.id, "no code has this digest", 3, clock.now)

    touching = [text for text in seen if "one_time_code" in text]
    assert [text.split()[0] for text in touching] == ["UPDATE"]
    assert (await last_row(portal)).misses == 1


@pytest.mark.parametrize("place", [0, 1, 2, 3, 50, 99])
async def test_a_right_guess_among_a_hundred_is_accepted_once_or_comes_too_late(
    portal: Portal, clock: MovableClock, place: int
) -> None:
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    row = await last_row(portal)
    right = code_in(portal, row)
    guesses = [wrong(right, by) for by in range(1, 100)]
    guesses.insert(place, right)

    async def judged(code: str) -> codes.Verdict | None:
        digest = portal.recovery.codes.issuer.digests(row, code)[0]
        with portal.database.writing() as session:
            return codes.judge(session, row.id, digest, 3, clock.now)

    verdicts = [verdict for verdict in await asyncio.gather(*map(judged, guesses)) if verdict is not None]

    after = await last_row(portal)
    accepted = [verdict for verdict in verdicts if verdict.right]
    misses = [verdict.misses for verdict in verdicts if not verdict.right]
    assert len(accepted) == (0 if after.confirmed_at is None else 1)
    assert sorted(misses) == list(range(1, after.misses + 1))
    assert after.misses == 3 or (accepted and after.misses < 3)


async def test_a_right_guess_in_a_crowd_moves_the_recovery_exactly_when_its_code_was_accepted(portal: Portal) -> None:
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    right = await last_code(portal)
    guesses = [wrong(right, by) for by in range(1, 100)] + [right]
    random.shuffle(guesses)

    outcomes = Counter(await asyncio.gather(*(guess(portal, code) for code in guesses)))

    row = await last_row(portal)
    view = await portal.recovery.current(ANNA)
    assert view is not None
    assert outcomes["CodeMismatch"] == row.misses <= 3
    assert (view.step is RecoveryStep.NEW_PASSWORD) == (row.confirmed_at is not None) == (outcomes["new_password"] > 0)


async def test_guesses_from_several_processes_share_the_three(
    portal: Portal, folder: Path, clock: MovableClock
) -> None:
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    code = await last_code(portal)
    guesses = [wrong(code, by) for by in range(1, 101)]
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            ELSEWHERE,
            json.dumps([str(folder), database_of(folder), clock.now.isoformat(), guesses[part::3]]),
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        for part in range(3)
    ]
    for process in processes:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
    outputs = await asyncio.gather(*(process.communicate(b"go\n") for process in processes))

    outcomes = Counter(outcome for out, _ in outputs for outcome in json.loads(out))
    assert outcomes == {"CodeMismatch": 3, "CodeUsedUp": 97}
    assert (await last_row(portal)).misses == 3
