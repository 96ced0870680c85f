"""Limits on passkeys that are asked for: each is a row, and its answer a signature to verify."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from medonline.domain.client import Client
from medonline.domain.errors import TooManyPasskeyTries
from medonline.services.limits.policy import RequestPolicy
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
        asker = self.windows.asker(client.address)
        if asker is not None:
            limits = self.policy.of(raised=asker.raised).passkeys
            gates += [self.windows.gate(TooManyPasskeyTries, "passkeys", level, limits) for level in asker.levels]
        await self.windows.admit(gates, new_id(), now)
