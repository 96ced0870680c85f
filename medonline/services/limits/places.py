"""Places that are held for a while, as an open socket holds them: how many are taken over all processes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol


class Places(Protocol):
    """Where all processes together count what each of them holds."""

    async def take(self, wanted: Mapping[str, int]) -> str | None:
        """Take a place under each of these names, of which so many there are; or the first name whose places are all taken, and
        nothing is taken. Names say nothing of persons. Exact under parallel calls.

        A store that does not answer lets everybody in: the process's own count remains.
        """

    async def give_back(self, names: Iterable[str]) -> None:
        """Give back what one `take` took."""

    async def run(self) -> None:
        """Say again and again that this process lives, until cancelled: what a dead one held is free."""

    async def close(self) -> None:
        """Release connections."""
