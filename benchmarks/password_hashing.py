"""How hashing passwords delays everything else: the event loop's pauses while Argon2 runs in threads, compared with hashing on the loop.

Prints the results of one run on this machine: the time of one hash, hashes per second with a full queue and one after another, and the
longest pause of the event loop with threads and without.
"""

from __future__ import annotations

import asyncio
import time

from medonline.services.passwords.hashing import PasswordHasher, _hash

COUNT = 40


async def longest_pause(work: asyncio.Task[None]) -> float:
    """The longest pause of the loop, in seconds, while `work` was running."""
    longest, last = 0.0, time.perf_counter()
    while not work.done():
        await asyncio.sleep(0.001)
        now = time.perf_counter()
        longest, last = max(longest, now - last - 0.001), now
    return longest


async def threaded(hasher: PasswordHasher) -> None:
    """Hash all at once, through the bounded queue."""
    await asyncio.gather(*(hasher.hash("Zdorovie2026") for _ in range(COUNT)))


async def inline() -> None:
    """Hash one after another on the loop."""
    for _ in range(COUNT):
        _hash("Zdorovie2026")
        await asyncio.sleep(0)


async def main() -> None:
    """Print the table."""
    hasher = PasswordHasher()
    await hasher.hash("warm")
    rows = {}
    for name, work in (("in threads", threaded(hasher)), ("on the loop", inline())):
        start = time.perf_counter()
        pause = await longest_pause(asyncio.create_task(work))
        rows[name] = (COUNT / (time.perf_counter() - start), pause)
    hasher.close()
    print(f"{'':12} {'hashes/s':>9} {'longest pause of the loop, ms':>31}")
    for name, (rate, pause) in rows.items():
        print(f"{name:12} {rate:9.1f} {pause * 1000:31.1f}")
    (rate, pause), (inline_rate, inline_pause) = rows["in threads"], rows["on the loop"]
    print(f"threads: {rate / inline_rate:.2f} times the hashes, {inline_pause / pause:.1f} times shorter pauses")


if __name__ == "__main__":
    asyncio.run(main())
