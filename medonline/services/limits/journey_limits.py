"""Limits on beginning a sign-in through the identity provider: each one costs a row and a signature."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from medonline.domain.client import Client
from medonline.domain.errors import LimitReached, TooManyJourneys
from medonline.domain.limits import Limit
from medonline.services.limits.policy import RequestPolicy
from medonline.services.limits.sign_in_limits import Counted
from medonline.services.limits.windows import Gate, Windows
from medonline.storage.tables.columns import new_id


@dataclass(frozen=True, slots=True)
class BegunLimits(ABC):
    """Limits on something that a browser begins without a phone. Allows and counts, or refuses and counts nothing.

    refused: the error of a refusal. kind: the name in the store's keys. counted_as: the name for operators.
    """

    windows: Windows
    policy: RequestPolicy

    refused: ClassVar[type[LimitReached]]
    kind: ClassVar[str]
    counted_as: ClassVar[str]

    @abstractmethod
    def _per_visitor(self) -> tuple[Limit, ...]:
        """The limits of one browser."""

    @abstractmethod
    def _per_network(self, *, raised: bool) -> tuple[Limit, ...]:
        """The limits of one network. `raised`: it is a network that thousands of patients share."""

    async def admit(self, client: Client, now: datetime) -> None:
        """Count one more.

        Raises:
            LimitReached: of the type `refused`, in this browser or from this network.
        """
        await self.windows.admit(self._gates(client), new_id(), now)

    async def refusal(self, client: Client, now: datetime) -> LimitReached | None:
        """What `admit` would raise now. Counts nothing."""
        refusal = await self.windows.refusal(self._gates(client), now)
        return self.refused(now, refusal.until) if refusal else None

    async def counted(self, client: Client) -> list[Counted]:
        """The counts of the client's network. The question itself counts nothing."""
        named = [(network, window) for network, gate in self._of_network(client) for window in gate.windows]
        counts = await self.windows.store.counts([window for _, window in named])
        return [
            Counted(self.counted_as, network, window[0], count)
            for (network, window), count in zip(named, counts, strict=True)
        ]

    async def forgive(self, client: Client) -> None:
        """Reset the count of the client's network."""
        await self.windows.store.forget([window for _, gate in self._of_network(client) for window in gate.windows])

    def _gates(self, client: Client) -> list[Gate]:
        # The key is the sitting, because the browser's name changes with each sign-in.
        key = self.windows.key(f"{self.kind} of", client.sitting_key or client.visitor_key)
        return [Gate(self.refused, key, self._per_visitor()), *(gate for _, gate in self._of_network(client))]

    def _of_network(self, client: Client) -> list[tuple[str, Gate]]:
        asker = self.windows.asker(client.address)
        if asker is None:
            return []
        limits = self._per_network(raised=asker.raised)
        return [(level.network, self.windows.gate(self.refused, self.kind, level, limits)) for level in asker.levels]


class JourneyLimits(BegunLimits):
    """Limits on browsers that leave for the identity provider."""

    __slots__ = ()
    refused = TooManyJourneys
    kind = "journeys"
    counted_as = "journeys to Gosuslugi"

    def _per_visitor(self) -> tuple[Limit, ...]:
        return self.policy.journeys_per_visitor

    def _per_network(self, *, raised: bool) -> tuple[Limit, ...]:
        return self.policy.of(raised=raised).journeys
