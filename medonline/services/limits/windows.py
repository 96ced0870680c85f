"""Moving windows: where they are counted, and how several are taken at once.

What is counted has a name (a code, a guess, an attempt), so that its place can be given back later, by another process too, and
no other place with it. Keys are HMACs: anyone who reads the store learns no phone and no address.
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

# A limit and the key that it is counted under. Windows of one key and one span are the same, however many they allow.
Window: TypeAlias = tuple[Limit, str]
NO_ADDRESS = (Level("", 1),)


class LimitStore(Protocol):
    """Where moving windows are counted. Each method is exact under parallel calls."""

    async def full_until(self, limit: Limit, key: str) -> datetime | None:
        """The moment (UTC) at which the window has room again; None when it has now."""

    async def counts(self, windows: Sequence[Window]) -> list[int]:
        """How many are counted in each of these now."""

    async def members(self, limit: Limit, key: str) -> list[str]:
        """The names of what is counted in a window now."""

    async def take_all(self, windows: Sequence[Window], member: str) -> int | None:
        """Count one of this name in each of these, which differ; or the number of the first that is full, and nothing counted
        in any."""

    async def rename(self, windows: Sequence[Window], member: str, name: str) -> None:
        """What was counted under the one name counts under the other from now on."""

    async def give_back(self, windows: Sequence[Window], members: Sequence[str]) -> None:
        """Count these no longer in any of the windows. What is not counted there changes nothing."""

    async def forget(self, windows: Sequence[Window]) -> None:
        """Begin these windows again."""

    async def check(self) -> str:
        """For `medonline doctor`: one English sentence; raises `LimitStoreDown`."""

    async def close(self) -> None:
        """Release connections."""


class LimitStoreDown(Exception):
    """The store does not answer; the text names no address and no password."""


@dataclass(frozen=True, slots=True)
class Gate:
    """One counter and what its refusal is."""

    refusal: type[LimitReached]
    key: str
    limits: tuple[Limit, ...]

    @property
    def windows(self) -> list[Window]:
        """One for each limit."""
        return [(limit, self.key) for limit in self.limits]


@dataclass(frozen=True, slots=True)
class Windows:
    """The windows of networks and of all else, taken together or not at all."""

    store: LimitStore
    keys: Sealer
    raised_networks: tuple[Network, ...]

    def asker(self, client_ip: str) -> Asker | None:
        """Who is behind an address; None when there is none."""
        return asker_of(client_ip, self.raised_networks)

    def key(self, *parts: str) -> str:
        """What is stored of a phone, an address or any other name."""
        return self.keys.index("|".join(parts))

    def gate(self, refusal: type[LimitReached], use: str, level: Level, limits: tuple[Limit, ...], *more: str) -> Gate:
        """A gate of one network: a wider network has wider limits."""
        return Gate(refusal, self.key(use, *more, level.network), scaled(limits, level))

    async def admit(self, gates: Sequence[Gate], member: str, now: datetime) -> None:
        """Count one at each gate.

        Raises:
            LimitReached: of the gate that refuses longest; nothing was counted.
        """
        refusal = await self.taken(gates, member, now)
        if refusal is not None:
            log_refusal(refusal)
            raise refusal

    async def taken(self, gates: Sequence[Gate], member: str, now: datetime) -> LimitReached | None:
        """Count one at each gate, or say why not: a refusal by one costs nothing at the others."""
        windows = [window for gate in gates for window in gate.windows]
        full = await self.store.take_all(windows, member)
        if full is None:
            return None
        refusal = await self.refusal(gates, now)
        if refusal is not None:
            return refusal
        gate = next(gate for gate in gates if windows[full] in gate.windows)
        return gate.refusal(now, now + timedelta(seconds=1))  # it has room by now

    async def refusal(self, gates: Sequence[Gate], now: datetime) -> LimitReached | None:
        """Why nothing more passes all of these gates; None when it would. Counts nothing."""
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
    """That a limit was reached. Whose it is stays out."""
    log.warning("A limit is reached: %s", type(refusal).__name__)
    metrics.LIMITS.add(type(refusal).__name__)
