"""What waits for a change of the record is told of it after the commit, instead of asking again and again.

A transaction says what it changes (`storage.engine.announce`); when it has committed, every `Ear` on that topic of this process
hears it. A topic names what changed and says nothing of how: who hears it reads the record. A notice may be lost, with
the process that should give it, and one of another process is not heard: who waits looks by itself after `LOST_AFTER`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import timedelta

# The longest that a screen may be behind the record when no notice arrives.
LOST_AFTER = timedelta(seconds=15)


class Ear:
    """Hears of one topic from when it is made until it is closed. Used on one event loop."""

    def __init__(self, topic: str, ears: dict[str, set[Ear]]) -> None:
        self.topic = topic
        self._ears = ears
        self._heard = asyncio.Event()
        ears.setdefault(topic, set()).add(self)

    @property
    def has_heard(self) -> bool:
        """Whether something was heard that was not forgotten."""
        return self._heard.is_set()

    def forget(self) -> None:
        """What was heard so far is known. To be called before the record is read, so that nothing falls between."""
        self._heard.clear()

    async def wait(self, at_most: timedelta) -> bool:
        """Until something is heard that was not forgotten, or so long; whether something was."""
        try:
            async with asyncio.timeout(at_most.total_seconds()):
                await self._heard.wait()
        except TimeoutError:
            return False
        return True

    def hear(self) -> None:
        """A transaction has changed the topic."""
        self._heard.set()

    def close(self) -> None:
        """Hear no more."""
        ears = self._ears.get(self.topic, set())
        ears.discard(self)
        if not ears:
            self._ears.pop(self.topic, None)


class Changes:
    """The ears of one process."""

    def __init__(self) -> None:
        self._ears: dict[str, set[Ear]] = {}

    def listen(self, topic: str) -> Ear:
        """An ear on the topic; to be closed."""
        return Ear(topic, self._ears)

    @property
    def listening(self) -> int:
        """How many ears are open."""
        return sum(map(len, self._ears.values()))

    def tell(self, topics: Iterable[str]) -> None:
        """These have changed, and the change is committed. On the event loop of the ears."""
        for topic in topics:
            for ear in self._ears.get(topic, ()):
                ear.hear()
