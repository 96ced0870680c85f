"""Limits on passkeys that are asked for: each is a row, and its answer a signature to verify."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from medonline.domain.client import Client
from medonline.domain.errors import TooManyPasskeyTries
from medonline.services.limits.policy import RequestPolicy
from medonline.services.limits.sign_in_limits import Counted
from medonline.services.limits.windows import Gate, Windows
from medonline.storage.tables.columns import new_id


@dataclass(frozen=True, slots=True)
class PasskeyLimits:
    """Lets pass and counts, or refuses and counts nothing."""

    windows: Windows
    policy: RequestPolicy

    async def admit(self, client: Client, now: datetime) -> None:
        """One more challenge for this browser.

        Raises:
            TooManyPasskeyTries: in this browser, or from this network.
        """
        key = self.windows.key("passkeys of", client.sitting_key or client.visitor_key)
        gates = [Gate(TooManyPasskeyTries, key, self.policy.passkeys_per_visitor)]
        gates += [gate for _, gate in self._of_network(client)]
        await self.windows.admit(gates, new_id(), now)

    async def counted(self, client: Client) -> list[Counted]:
        """What is counted for the client's network. Counts nothing."""
        named = [(network, window) for network, gate in self._of_network(client) for window in gate.windows]
        counts = await self.windows.store.counts([window for _, window in named])
        return [
            Counted("passkey tries", network, window[0], count)
            for (network, window), count in zip(named, counts, strict=True)
        ]

    async def forgive(self, client: Client) -> None:
        """Begin the count of the client's network again."""
        await self.windows.store.forget([window for _, gate in self._of_network(client) for window in gate.windows])

    def _of_network(self, client: Client) -> list[tuple[str, Gate]]:
        asker = self.windows.asker(client.address)
        if asker is None:
            return []
        limits = self.policy.of(raised=asker.raised).passkeys
        return [
            (level.network, self.windows.gate(TooManyPasskeyTries, "passkeys", level, limits)) for level in asker.levels
        ]
