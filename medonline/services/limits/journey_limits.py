"""Limits on sign-ins through the identity provider that are begun: each is a row and a signature."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from medonline.domain.errors import TooManyJourneys
from medonline.services.limits.policy import RequestPolicy
from medonline.services.limits.windows import Gate, Windows
from medonline.storage.tables.columns import new_id


@dataclass(frozen=True, slots=True)
class JourneyLimits:
    """Lets pass and counts, or refuses and counts nothing."""

    windows: Windows
    policy: RequestPolicy

    async def admit(self, visitor_key: str, client_ip: str, now: datetime) -> None:
        """One more browser leaves for the identity provider.

        Raises:
            TooManyJourneys: begun in this browser, or from this network.
        """
        await self.windows.admit(self._gates(visitor_key, client_ip), new_id(), now)

    async def refusal(self, visitor_key: str, client_ip: str, now: datetime) -> TooManyJourneys | None:
        """What `admit` would raise now. Counts nothing."""
        refusal = await self.windows.refusal(self._gates(visitor_key, client_ip), now)
        return TooManyJourneys(now, refusal.until) if refusal else None

    def _gates(self, visitor_key: str, client_ip: str) -> list[Gate]:
        key = self.windows.key("journeys of", visitor_key)
        gates = [Gate(TooManyJourneys, key, self.policy.journeys_per_visitor)]
        asker = self.windows.asker(client_ip)
        if asker is not None:
            limits = self.policy.of(raised=asker.raised).journeys
            gates += [self.windows.gate(TooManyJourneys, "journeys", level, limits) for level in asker.levels]
        return gates
