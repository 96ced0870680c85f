"""A region that the installation serves, and whom its patients turn to."""

from __future__ import annotations

import re
from dataclasses import dataclass

_DIALLED = re.compile(r"[\d\s()+-]+")


@dataclass(frozen=True, slots=True)
class Region:
    """One region.

    Attributes:
        code: short Latin name, as in addresses and cookies: `tula`.
        name: «Тульская область», as in a list of regions.
        title: the portal's name there: «Медицина-онлайн: Тульская область».
        desk: whom to go to, in the accusative, after «обратитесь в»: «регистратуру своей поликлиники».
        support_phone: whom to call, as people write it; may be empty.
        booking_url: the page at which a patient books a visit; empty where the portal knows none, and then promises none.
    """

    code: str
    name: str
    title: str
    desk: str
    support_phone: str = ""
    booking_url: str = ""

    @property
    def support_tel(self) -> str:
        """The same as an address to call; empty when it is no plain number (one with an extension, for example)."""
        if not _DIALLED.fullmatch(self.support_phone):
            return ""
        return f"tel:{re.sub(r'[^0-9+]', '', self.support_phone)}"
