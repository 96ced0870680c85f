"""A change of the account settings: the fields that a patient may change, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsChange:
    """The values to change, named by the patient's columns. None leaves a column as it is. An empty text empties it.

    password_hash: the encoded hash of the new password. The password itself is kept nowhere.
    phone: E.164. It always comes with `phone_proved_at`, because a phone is proved before it is saved.
    phone_proved_at: when the code to the new phone was accepted (UTC).
    """

    email: str | None = None
    last_name: str | None = None
    first_name: str | None = None
    password_hash: str | None = None
    phone: str | None = None
    phone_proved_at: datetime | None = None

    def values(self) -> dict[str, str | datetime]:
        """The changed values by column, in the order of the form."""
        named = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: value for name, value in named if value is not None}

    @property
    def changed(self) -> tuple[str, ...]:
        """The names of the changed fields that the patient sees."""
        return tuple(name for name in self.values() if name != "phone_proved_at")


NO_CHANGE = SettingsChange()
