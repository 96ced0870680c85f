"""Browsers that signed in to an account before, and may go on trying while strangers try everything (OWASP «device cookies»).

Such a browser carries a mark: a random name, bound to the account's phone and to the version of its password by an HMAC. It signs
nobody in and says nothing of whose it is; it only counts: wrong passwords from there have a counter of their own. A new password,
also by «это не я», makes the marks of the account worthless. Checked alike for every number that is typed.
"""

from __future__ import annotations

import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from medonline.services.crypto.field_encryption import Sealer

LIFE = timedelta(days=180)
MOST_MARKS = 4  # of the members of a family who share a browser
_MARK = re.compile(r"([0-9a-f]{32})\.([0-9]{10})\.([0-9a-f]{64})")
MAX_MARKS_LENGTH = MOST_MARKS * (32 + 1 + 10 + 1 + 64 + 1)


@dataclass(frozen=True, slots=True)
class KnownBrowsers:
    """Makes marks and looks for them; keeps nothing."""

    keys: Sealer

    def mark(self, phone: str, password_version: int, now: datetime) -> str:
        """A mark for the browser in which this account (E.164) was just signed in to."""
        name, at = secrets.token_hex(16), f"{int(now.timestamp()):010}"
        return f"{name}.{at}.{self.keys.index(_bound(name, at, phone, password_version))}"

    def name_in(self, marks: str, phone: str, password_version: int, now: datetime) -> str:
        """The name of the browser with these marks when one is good for this account; else empty."""
        good = ""
        for name, at, seal in _MARK.findall(marks[:MAX_MARKS_LENGTH]):
            seals = self.keys.indexes(_bound(name, at, phone, password_version))
            genuine = any(hmac.compare_digest(seal, one) for one in seals)
            if genuine and now - datetime.fromtimestamp(int(at), now.tzinfo) < LIFE:
                good = name
        return good

    @staticmethod
    def with_mark(marks: str, mark: str) -> str:
        """The marks of a browser with one more, the newest first."""
        return "~".join([mark, *(".".join(one) for one in _MARK.findall(marks[:MAX_MARKS_LENGTH]))][:MOST_MARKS])


def _bound(name: str, at: str, phone: str, password_version: int) -> str:
    return f"{name}|{at}|{phone}|{password_version}"
