"""What a patient reads if the installation names no region, and the contacts that sentences may name."""

from __future__ import annotations

from dataclasses import dataclass

from medonline.domain.region import Region

DESK = "регистратуру своей поликлиники"
ONLY_REGION = Region("main", "Единый регион", "Медицина-онлайн", DESK)


@dataclass(frozen=True, slots=True)
class Help:
    """The contacts and ways that a sentence may name.

    Attributes:
        desk: the same as `Region.desk`. It follows «обратитесь в».
        gosuslugi: whether this portal offers the way through Gosuslugi.
    """

    desk: str = DESK
    gosuslugi: bool = True

    def gosuslugi_or(self, through: str, then: str = "") -> str:
        """«`through` или `then`» if Gosuslugi is on; empty if it is off."""
        return f"{through} или {then}" if self.gosuslugi else ""


ANYWHERE = Help()
