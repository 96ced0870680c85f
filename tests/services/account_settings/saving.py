"""Settings that are saved or refused, and what is kept of it."""

from __future__ import annotations

from medonline.services.account_settings.form import SettingsForm
from tests.services.world import KNOWN

NEW_PASSWORD = "KorablLipa47"
FORM = SettingsForm(KNOWN, "", "Иванова", "Мария", "", "")
