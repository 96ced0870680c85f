"""Limits on sign-ins through the identity provider that are begun: each is a row and a signature."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from medonline.domain.client import Client
from medonline.domain.errors import TooManyJourneys
from medonline.services.limits.policy import RequestPolicy
from medonline.services.limits.sign_in_limits import Counted
from medonline.services.limits.windows import Gate, Windows
from medonline.storage.tables.columns import new_id


@dataclass(frozen=True, slots=True)
class JourneyLimits:
    """Lets pass and counts, or refuses and counts nothing."""

    windows: Windows
    policy: RequestPolicy

    async def admit(self, client: Client, now: datetime) -> None:
        """One more browser leaves for the identity provider.

        Raises:
            TooManyJourneys: begun in this browser, or from this network.
        """
        await self.windows.admit(self._gates(client), new_id(), now)

    async def refusal(self, client: Client, now: datetime) -> TooManyJourneys | None:
        """What `admit` would raise now. Counts nothing."""
        refusal = await self.windows.refusal(self._gates(client), now)
        return TooManyJourneys(now, refusal.until) if refusal else None

    def _gates(self, client: Client) -> list[Gate]:
        # By the sitting, for the name changes with each journey.
        key = self.windows.key("journeys of", client.sitting_key or client.visitor_key)
        gates = [Gate(TooManyJourneys, key, self.policy.journeys_per_visitor)]
        gates += [gate for _, gate in self._of_network(client)]
        return gates

    async def counted(self, client: Client) -> list[Counted]:
        """What is counted for the client's network. Counts nothing."""
        named = [(network, window) for network, gate in self._of_network(client) for window in gate.windows]
        counts = await self.windows.store.counts([window for _, window in named])
        return [
            Counted("journeys to Gosuslugi", network, window[0], count)
            for (network, window), count in zip(named, counts, strict=True)
        ]

    async def forgive(self, client: Client) -> None:
        """Begin the count of the client's network again."""
        await self.windows.store.forget([window for _, gate in self._of_network(client) for window in gate.windows])

    def _of_network(self, client: Client) -> list[tuple[str, Gate]]:
        asker = self.windows.asker(client.address)
        if asker is None:
            return []
        limits = self.policy.of(raised=asker.raised).journeys
        return [
            (level.network, self.windows.gate(TooManyJourneys, "journeys", level, limits)) for level in asker.levels
        ]
