"""A bus of changes: code that waits for a row to change hears of it after the commit and does not poll.

A transaction announces topics (`storage.engine.announce`). After the commit every listener of such a topic hears it, in this process and in
the others (`storage.other_processes`). A topic says what changed, not how: the listener reads the record. An announcement may be lost when
its process or connection dies, so a listener also reads the record after `LOST_AFTER`.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta

# How long a screen may lag behind the record when an announcement is lost.
LOST_AFTER = timedelta(seconds=15)


def session_topic(session_key: str) -> str:
    """The topic that is announced when the session with this key ends."""
    return f"session {session_key}"


def visitor_topic(visitor_key: str) -> str:
    """The topic that is announced when the browser with this visitor key gets a new one."""
    return f"visitor {visitor_key}"


def digests(topic: str) -> list[str]:
    """64 hex characters for a topic. Whoever has them can find the phone by trying all numbers, so keep them within one process."""
    return [hashlib.sha256(topic.encode()).hexdigest()]


class Ear:
    """Listens to one topic from its creation until `close`. Used on one event loop."""

    def __init__(self, topic: str, close: Callable[[Ear], None]) -> None:
        self.topic = topic
        self._close = close
        self._heard = asyncio.Event()

    @property
    def has_heard(self) -> bool:
        """Whether a change was heard since the last `forget`."""
        return self._heard.is_set()

    def forget(self) -> None:
        """Forget the changes heard so far. Call it before you read the record: then a change during the reading is still noticed."""
        self._heard.clear()

    async def wait(self, at_most: timedelta) -> bool:
        """Wait at most this long for a change since the last `forget`. Returns whether there was one."""
        try:
            async with asyncio.timeout(at_most.total_seconds()):
                await self._heard.wait()
        except TimeoutError:
            return False
        return True

    def hear(self) -> None:
        """Called when a transaction has changed the topic."""
        self._heard.set()

    def close(self) -> None:
        """Stop listening."""
        self._close(self)


class Follower(Ear):
    """An ear that calls back as soon as it hears."""

    def __init__(self, topic: str, close: Callable[[Ear], None], act: Callable[[], None]) -> None:
        super().__init__(topic, close)
        self._act = act

    def hear(self) -> None:
        """Called when a transaction has changed the topic."""
        super().hear()
        self._act()


class Changes:
    """The ears of one process.

    names: returns the names of a topic on its way to other processes, in ASCII without spaces. This process sends the first one. The other
    names are there because processes may use different keys while keys change node by node. Topics contain phones, and a database role that
    may read no table can still listen to announcements, so topics are not sent as they are.
    """

    def __init__(self, names: Callable[[str], Sequence[str]] = digests) -> None:
        self.names = names
        self._ears: dict[str, set[Ear]] = {}  # by the names of the topics

    def name(self, topic: str) -> str:
        """The name that this process sends for a topic."""
        return self.names(topic)[0]

    def listen(self, topic: str) -> Ear:
        """An ear on the topic. The caller must close it."""
        return self._opened(Ear(topic, self._closed))

    def follow(self, topic: str, act: Callable[[], None]) -> Ear:
        """An ear that calls `act` on the event loop at each change of the topic. The caller must close it. It hears real changes only,
        never `tell_waiting`."""
        return self._opened(Follower(topic, self._closed, act))

    @property
    def listening(self) -> int:
        """How many ears are open."""
        return sum(map(len, self._ears.values()))

    def tell(self, topics: Iterable[str]) -> None:
        """Tell the ears that these topics have changed and the change is committed. Call it on the event loop of the ears."""
        self.tell_named(map(self.name, topics))

    def tell_named(self, names: Iterable[str]) -> None:
        """Like `tell`, with the names of the topics."""
        for name in names:
            for ear in [*self._ears.get(name, ())]:
                ear.hear()

    def tell_waiting(self) -> None:
        """Announcements may have been lost: make every waiting ear read the record."""
        for ears in self._ears.values():
            for ear in ears:
                if not isinstance(ear, Follower):
                    ear.hear()

    def _opened(self, ear: Ear) -> Ear:
        self._ears.setdefault(self.name(ear.topic), set()).add(ear)
        return ear

    def _closed(self, ear: Ear) -> None:
        name = self.name(ear.topic)
        ears = self._ears.get(name, set())
        ears.discard(ear)
        if not ears:
            self._ears.pop(name, None)
