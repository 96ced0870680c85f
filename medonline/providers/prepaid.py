"""Prepaid accounts. Asking for the balance costs nothing, and it tests the key."""

from __future__ import annotations

from abc import ABC, abstractmethod
from decimal import Decimal

from medonline.providers.http import JsonClient


class PrepaidAccount(ABC):
    """An account at a vendor. A subclass makes the client and names the method that gives the balance."""

    _balance_path: str
    _client: JsonClient

    async def check(self) -> str:
        """Check that the vendor answers and accepts the key.

        Raises:
            DeliveryFailed: one of these fails.
        """
        reached = await self._client.reach(self._balance_path)
        await self.balance()
        return f"{reached} The key is accepted."

    @abstractmethod
    async def balance(self) -> Decimal:
        """The balance in roubles.

        Raises:
            DeliveryFailed: the vendor gave no usable answer.
        """

    async def close(self) -> None:
        """Release connections."""
        await self._client.close()
