"""What a patient reads of a region that the installation does not name."""

from __future__ import annotations

from medonline.domain.region import Region

DESK = "регистратуру своей поликлиники"
ONLY_REGION = Region("main", "Единый регион", "Медицина-онлайн", DESK)
