"""The choice of the region, where the installation serves several (the guide's part E)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import reflex as rx

from medonline.bootstrap import portal
from medonline.state.account import AccountState


@dataclass(frozen=True)
class RegionScreen:
    """A region in the list."""

    code: str = ""
    name: str = ""


class RegionState(rx.State):
    """The list of regions."""

    regions: list[RegionScreen] = []

    @rx.event
    async def load(self) -> Any:
        """Show all regions of this installation."""
        self.regions = [RegionScreen(region.code, region.name) for region in portal().config.regions]
        return AccountState.load_page
