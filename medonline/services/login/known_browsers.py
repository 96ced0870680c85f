"""Browsers that signed in to an account before, and may go on trying while strangers try everything (OWASP «device cookies»).

Such a browser carries a mark: a random name, bound to the account and to the version of its password by an HMAC. It signs
no one in and does not say whose it is; it only counts: wrong passwords from there have a counter of their own. A new password,
also by «это не я», makes the marks of the account worthless, and the account that gets its number next has none. Checked alike
for every number that is typed. Danger: who has the browser can try for a number whether it counts there (SECURITY.md).
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

    def mark(self, account: str, password_version: int, now: datetime) -> str:
        """A mark for the browser in which this account was just signed in to."""
        name, at = secrets.token_hex(16), f"{int(now.timestamp()):010}"
        return f"{name}.{at}.{self.keys.index(_bound(name, at, account, password_version))}"

    def name_in(self, marks: str, account: str, password_version: int, now: datetime) -> str:
        """The name of the browser with these marks when one is good for this account (none is for the empty one); else empty."""
        good = ""
        for mark in _MARK.findall(marks[:MAX_MARKS_LENGTH]):
            if self._is_good(mark, account, password_version, now):
                good = mark[0]
        return good

    def with_mark(self, marks: str, account: str, password_version: int, now: datetime) -> str:
        """The marks of a browser with a new one of this account, in place of those it had of it; the newest first."""
        found = _MARK.findall(marks[:MAX_MARKS_LENGTH])
        others = [".".join(one) for one in found if not self._is_good(one, account, password_version, now)]
        return "~".join([self.mark(account, password_version, now), *others][:MOST_MARKS])

    def _is_good(self, mark: tuple[str, str, str], account: str, password_version: int, now: datetime) -> bool:
        name, at, seal = mark
        seals = self.keys.indexes(_bound(name, at, account, password_version))
        genuine = any(hmac.compare_digest(seal, one) for one in seals)
        return genuine and now - datetime.fromtimestamp(int(at), now.tzinfo) < LIFE


def _bound(name: str, at: str, account: str, password_version: int) -> str:
    return f"{name}|{at}|{account}|{password_version}"
