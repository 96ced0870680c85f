"""Two regions as the file of regions writes them."""

from __future__ import annotations

TULA = '[[region]]\ncode = "tula"\nname = "Тульская область"\ntitle = "Медицина-онлайн: Тульская область"\n'
ORYOL = '[[region]]\ncode = "oryol"\nname = "Орловская область"\ntitle = "Медицина-онлайн: Орловская область"\n'
