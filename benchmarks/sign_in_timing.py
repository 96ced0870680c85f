"""Can a stranger tell by the time whether a phone has an account? Sign-in and the first step of a recovery, known against unknown.

Interleaved calls on one database file; prints medians and their difference (I8 asks for less than 5 ms).
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from medonline.bootstrap import Portal, build_portal
from medonline.bootstrap.demo import seed_demo
from medonline.config import load_config
from medonline.domain.errors import InvalidCredentials
from medonline.domain.one_time_code import ChannelName
from medonline.services.accounts import NewAccount
from medonline.storage import migrations

ROUNDS = 100


async def timed(action: Callable[[], Awaitable[object]]) -> float:
    """Milliseconds of one call."""
    start = time.perf_counter()
    with suppress(InvalidCredentials):
        await action()
    return (time.perf_counter() - start) * 1000


async def compare(
    title: str, known: Callable[[int], Awaitable[object]], unknown: Callable[[int], Awaitable[object]]
) -> None:
    """Print one row."""
    times: tuple[list[float], list[float]] = ([], [])
    for n in range(ROUNDS):
        # Bound at once: the loop goes on only after both are awaited.
        times[0].append(await timed(lambda n=n: known(n)))
        times[1].append(await timed(lambda n=n: unknown(n)))
    medians = [statistics.median(row) for row in times]
    print(
        f"{title:22} known {medians[0]:7.2f} ms   unknown {medians[1]:7.2f} ms   difference {medians[0] - medians[1]:+.2f} ms"
    )


async def measure(portal: Portal) -> None:
    """Both flows."""
    for n in range(ROUNDS):
        await portal.accounts.add(NewAccount(f"+7901000{1000 + n}", "Zdorovie2026", "Ф", "И"))
    await compare(
        "sign-in, wrong password",
        lambda _: portal.login.log_in("visitor", "+79000001001", "wrongpassword"),
        lambda _: portal.login.log_in("visitor", "+79020001001", "wrongpassword"),
    )
    await compare(
        "recovery, step 1",
        lambda n: portal.recovery.begin(f"known {n}", f"+7901000{1000 + n}", ChannelName.TELEGRAM),
        lambda n: portal.recovery.begin(f"unknown {n}", f"+7902000{1000 + n}", ChannelName.TELEGRAM),
    )


async def main() -> None:
    """In a folder that is thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        # Limits would refuse what is measured.
        many = "100000 per 1 h"
        config = load_config(mode="demo", data_dir=Path(folder), sign_ins_per_account=many, codes_per_block=many)
        portal = build_portal(config)
        await migrations.upgrade(portal.config.database)
        await seed_demo(portal.accounts)
        await measure(portal)
        await portal.close()


if __name__ == "__main__":
    asyncio.run(main())
