"""Settings of what is kept and for how long: the log, sessions, older keys, rows. A part of `Config`."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import SecretStr
from pydantic_settings import BaseSettings

from medonline.config.keys import MIN_KEY_BYTES
from medonline.config.types import Duration

MAX_ORIGIN = (
    98  # a code with its last line is two SMS then; one of 300 characters holds a sentence and the link «это не я»
)


class RecordsConfig(BaseSettings):
    """Each field is `MEDONLINE_` plus its name in capitals."""

    log_format: Literal["text", "json"] = "text"
    session_idle: Duration = timedelta(minutes=30)
    session_absolute: Duration = timedelta(hours=12)
    old_secret_keys: SecretStr = SecretStr("")  # separated by spaces
    next_secret_key: SecretStr = SecretStr("")
    retention_codes: Duration = timedelta(days=31)  # after they expire; never less than the limits look back
    retention_sessions: Duration = timedelta(days=90)  # after they ended or were last used
    retention_notices: Duration = timedelta(days=90)
    retention_journal: Duration = timedelta(days=1095)  # at least half a year (services.security_journal.verification)
    dispute_stop: Duration = timedelta(hours=24)  # how long «это не я» stops recovery by phone

    @property
    def older_keys(self) -> tuple[bytes, ...]:
        """Earlier keys. They only open what they sealed."""
        return tuple(self.old_secret_keys.get_secret_value().encode().split())

    @property
    def next_key(self) -> bytes:
        """The key that becomes the current one next; empty if there is none. Other processes may use it already."""
        return self.next_secret_key.get_secret_value().encode()

    def key_faults(self, key: bytes) -> list[str]:
        """Faults of the keys besides `key`, the current one."""
        if not self.next_key:
            return []
        if self.next_key in (key, *self.older_keys):
            return [
                "MEDONLINE_NEXT_SECRET_KEY is MEDONLINE_SECRET_KEY, or one of MEDONLINE_OLD_SECRET_KEYS: a key that is used "
                "already is not the next one. Take it out."
            ]
        if len(self.next_key) < MIN_KEY_BYTES:
            return [
                f"MEDONLINE_NEXT_SECRET_KEY is shorter than {MIN_KEY_BYTES} characters: `medonline keys new` makes one."
            ]
        return []

    def records_faults(self, origin: str) -> list[str]:
        """Settings that cannot work. `origin` is where browsers reach the portal."""
        faults = []
        if self.dispute_stop < timedelta(hours=1):
            faults.append(
                "MEDONLINE_DISPUTE_STOP is shorter than 1 h: who says «это не я» needs time to reach the desk."
            )
        if len(origin) > MAX_ORIGIN:
            faults.append(
                f"MEDONLINE_PUBLIC_URL is longer than {MAX_ORIGIN} characters: no link would fit a text message."
            )
        return faults
