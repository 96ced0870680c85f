"""Accounts that are paid in advance: to ask for what is left costs nothing, and tries the key."""

from __future__ import annotations

from abc import ABC, abstractmethod
from decimal import Decimal

from medonline.providers.http import JsonClient


class PrepaidAccount(ABC):
    """An account at a vendor. A subclass makes the client, and names the method that tells the balance."""

    _balance_path: str
    _client: JsonClient

    async def check(self) -> str:
        """Whether the vendor answers, and takes the key.

        Raises:
            DeliveryFailed: it does not.
        """
        reached = await self._client.reach(self._balance_path)
        await self.balance()
        return f"{reached} The key is accepted."

    @abstractmethod
    async def balance(self) -> Decimal:
        """What is left, in roubles.

        Raises:
            DeliveryFailed: it cannot be told.
        """

    async def close(self) -> None:
        """Release connections."""
        await self._client.close()
