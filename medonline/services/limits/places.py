"""Places that are held for a while, for example by an open socket, and their total over all processes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol


class Places(Protocol):
    """The store in which all processes together count what each of them holds."""

    async def take(self, wanted: Mapping[str, int]) -> str | None:
        """Take a place under each of these names. Each name comes with its number of places, and must say nothing of a person.

        Returns None, or the first name that has no free place; then nothing is taken. It is exact under parallel calls. A store that does
        not answer lets everybody in: the process's own count remains.
        """

    async def give_back(self, names: Iterable[str]) -> None:
        """Give back what one call of `take` took."""

    async def run(self) -> None:
        """Report again and again that this process lives, until cancelled. The places of a dead process become free."""

    async def close(self) -> None:
        """Release connections."""
