"""Browsers that signed in to an account before. They may go on trying while strangers try many passwords (OWASP «device cookies»).

Such a browser carries a mark: a random name that an HMAC binds to the account and to the version of its password. A mark signs nobody in
and does not say whose it is. It only decides what counts: wrong passwords from such a browser have their own counter. A new password, also
after «это не я», makes the account's marks worthless. The account that gets the number next has none. Marks are checked in the same way for
every number that is typed. Danger: a person at the browser can find out whether it counts for a number (SECURITY.md).
"""

from __future__ import annotations

import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from medonline.services.crypto.field_encryption import Sealer

LIFE = timedelta(days=180)
MOST_MARKS = 4  # for the members of a family who share a browser
_MARK = re.compile(r"([0-9a-f]{32})\.([0-9]{10})\.([0-9a-f]{64})")
MAX_MARKS_LENGTH = MOST_MARKS * (32 + 1 + 10 + 1 + 64 + 1)


@dataclass(frozen=True, slots=True)
class KnownBrowsers:
    """Makes marks and finds them. It stores nothing."""

    keys: Sealer

    def mark(self, account: str, password_version: int, now: datetime) -> str:
        """A mark for the browser in which somebody has just signed in to this account."""
        name, at = secrets.token_hex(16), f"{int(now.timestamp()):010}"
        return f"{name}.{at}.{self.keys.index(_bound(name, at, account, password_version))}"

    def name_in(self, marks: str, account: str, password_version: int, now: datetime) -> str:
        """The name of the browser with these marks, if one of them is valid for this account; otherwise empty.

        No mark is valid for an empty account.
        """
        good = ""
        for mark in _MARK.findall(marks[:MAX_MARKS_LENGTH]):
            if self._is_good(mark, account, password_version, now):
                good = mark[0]
        return good

    def with_mark(self, marks: str, account: str, password_version: int, now: datetime) -> str:
        """The marks of a browser, the newest first, with a new one of this account in place of its earlier ones."""
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
