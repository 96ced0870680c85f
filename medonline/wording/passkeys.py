"""The names that devices and the settings show where the record has no better name."""

from __future__ import annotations

PORTAL = "Медицина-онлайн"
ACCOUNT = "Личный кабинет"
DEVICE = "Устройство"


def what_was_removed(name: str, sessions_ended: int) -> str:
    """The notice after «Да, убрать»."""
    ended = " Вход, выполненный так на других устройствах, завершён." if sessions_ended else ""
    return f"Вход по отпечатку, лицу или PIN «{name}» убран.{ended}"
