"""What a patient reads of a region that the installation does not name, and whom sentences name."""

from __future__ import annotations

from dataclasses import dataclass

from medonline.domain.region import Region

DESK = "регистратуру своей поликлиники"
ONLY_REGION = Region("main", "Единый регион", "Медицина-онлайн", DESK)


@dataclass(frozen=True, slots=True)
class Help:
    """Whom a sentence may send a patient to.

    Attributes:
        desk: as `Region.desk`: it follows «обратитесь в».
        gosuslugi: whether this portal offers the way through Gosuslugi.
    """

    desk: str = DESK
    gosuslugi: bool = True

    def gosuslugi_or(self, through: str, then: str = "") -> str:
        """«`through` или `then`», where Gosuslugi is on; nothing where it is off."""
        return f"{through} или {then}" if self.gosuslugi else ""


ANYWHERE = Help()
