"""Moving windows: where they are counted, and how several are counted at once.

Each counted item has a name (a code, a guess, an attempt). So its place can be given back later, also by another process, without touching
any other place. Keys are HMACs: a person who reads the store learns no phone and no address.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeAlias

from medonline.domain.errors import LimitReached
from medonline.domain.limits import Limit
from medonline.metrics import names as metrics
from medonline.services.crypto.field_encryption import Sealer
from medonline.services.limits.networks import Asker, Level, Network, asker_of

log = logging.getLogger(__name__)

# A limit and the key under which it is counted. Windows with the same key and span are the same window, whatever number they allow.
Window: TypeAlias = tuple[Limit, str]
NO_ADDRESS = (Level("", 1),)


class LimitStore(Protocol):
    """The store in which moving windows are counted. Each method is exact under parallel calls."""

    async def full_until(self, limit: Limit, key: str) -> datetime | None:
        """The moment (UTC) at which the window has room again. None when it has room now."""

    async def counts(self, windows: Sequence[Window]) -> list[int]:
        """How many items each of these windows counts now."""

    async def members(self, limit: Limit, key: str) -> list[str]:
        """The names of the items that a window counts now."""

    async def take_all(self, windows: Sequence[Window], member: str) -> int | None:
        """Count one item with this name in each of these windows, which must differ.

        Returns None, or the index of the first full window; then nothing is counted.
        """

    async def rename(self, windows: Sequence[Window], member: str, name: str) -> None:
        """Rename a counted item in these windows."""

    async def give_back(self, windows: Sequence[Window], members: Sequence[str]) -> None:
        """Stop counting these items in any of the windows. An item that is not counted there changes nothing."""

    async def forget(self, windows: Sequence[Window]) -> None:
        """Reset these windows."""

    async def check(self) -> str:
        """One English sentence for `medonline doctor`. Raises `LimitStoreDown`."""

    async def close(self) -> None:
        """Release connections."""


class LimitStoreDown(Exception):
    """The store does not answer. The text contains no address and no password."""


@dataclass(frozen=True, slots=True)
class Gate:
    """One counter and the error of its refusal."""

    refusal: type[LimitReached]
    key: str
    limits: tuple[Limit, ...]

    @property
    def windows(self) -> list[Window]:
        """The windows, one for each limit."""
        return [(limit, self.key) for limit in self.limits]


@dataclass(frozen=True, slots=True)
class Windows:
    """The windows of networks and of everything else, counted together or not at all."""

    store: LimitStore
    keys: Sealer
    raised_networks: tuple[Network, ...]

    def asker(self, client_ip: str) -> Asker | None:
        """The networks around an address. None when it is no address."""
        return asker_of(client_ip, self.raised_networks)

    def key(self, *parts: str) -> str:
        """The stored form of a phone, an address or any other name."""
        return self.keys.index("|".join(parts))

    def gate(self, refusal: type[LimitReached], use: str, level: Level, limits: tuple[Limit, ...], *more: str) -> Gate:
        """A gate of one network. A wider network has wider limits."""
        return Gate(refusal, self.key(use, *more, level.network), scaled(limits, level))

    async def admit(self, gates: Sequence[Gate], member: str, now: datetime) -> None:
        """Count one item at each gate.

        Raises:
            LimitReached: of the gate that refuses longest; nothing was counted.
        """
        refusal = await self.taken(gates, member, now)
        if refusal is not None:
            log_refusal(refusal)
            raise refusal

    async def taken(self, gates: Sequence[Gate], member: str, now: datetime) -> LimitReached | None:
        """Count one item at each gate, or return the refusal. A refusal by one gate costs nothing at the others."""
        windows = [window for gate in gates for window in gate.windows]
        full = await self.store.take_all(windows, member)
        if full is None:
            return None
        refusal = await self.refusal(gates, now)
        if refusal is not None:
            return refusal
        gate = next(gate for gate in gates if windows[full] in gate.windows)
        return gate.refusal(now, now + timedelta(seconds=1))  # the window has room by now

    async def refusal(self, gates: Sequence[Gate], now: datetime) -> LimitReached | None:
        """Why nothing more passes all of these gates. None when one more would. Counts nothing."""
        refused = [(until, gate) for gate in gates for until in [await self._full_until(gate)] if until is not None]
        if not refused:
            return None
        until, gate = max(refused, key=lambda one: one[0])
        return gate.refusal(now, max(until, now + timedelta(seconds=1)))

    async def _full_until(self, gate: Gate) -> datetime | None:
        untils = [await self.store.full_until(*window) for window in gate.windows]
        return max((until for until in untils if until is not None), default=None)


def scaled(limits: tuple[Limit, ...], level: Level) -> tuple[Limit, ...]:
    """The limits of one network, times `level.times`."""
    return tuple(Limit(limit.count * level.times, limit.per) for limit in limits)


def log_refusal(refusal: LimitReached) -> None:
    """Log that a limit was reached, without saying for whom."""
    log.warning("A limit is reached: %s", type(refusal).__name__)
    metrics.LIMITS.add(type(refusal).__name__)
