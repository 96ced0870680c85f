"""A region that the installation serves, and where its patients ask for help."""

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
        desk: where to go for help, in the accusative, as it follows «обратитесь в»: «регистратуру своей поликлиники».
        support_phone: the phone number for help, as people write it; may be empty.
        booking_url: the page where a patient books a visit; empty: the portal does not mention booking.
        accessibility_email: where to write about the portal's accessibility; empty: the desk and its phone are named instead.
        data_policy: the page with the operator's policy on personal data; empty: the footer has no link.
    """

    code: str
    name: str
    title: str
    desk: str
    support_phone: str = ""
    booking_url: str = ""
    accessibility_email: str = ""
    data_policy: str = ""

    @property
    def support_tel(self) -> str:
        """`support_phone` as a `tel:` link; empty when it is not a plain number (it has an extension, for example)."""
        if not _DIALLED.fullmatch(self.support_phone):
            return ""
        return f"tel:{re.sub(r'[^0-9+]', '', self.support_phone)}"
