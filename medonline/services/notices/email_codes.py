"""The code in the mail that proves an address: made from the notice's id and a key, and in no database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from hmac import compare_digest

from medonline.services.crypto.field_encryption import Sealer

DIGITS = 6
# Mail is slow: servers put off what a new sender sends (greylisting).
CODE_LIFE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class EmailCodes:
    """`keys` makes them; the keys before still know theirs."""

    keys: Sealer

    def of(self, notice_id: str) -> str:
        """The code of a mail: six digits."""
        return _digits(self.keys.index(notice_id))

    def is_of(self, notice_id: str, typed: str) -> bool:
        """Whether these digits are the code of that mail; takes as long for a wrong one."""
        fits = [compare_digest(_digits(index).encode(), typed.encode()) for index in self.keys.indexes(notice_id)]
        return any(fits)


def _digits(index: str) -> str:
    return f"{int(index, 16) % 10**DIGITS:0{DIGITS}}"
