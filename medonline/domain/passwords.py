"""What a new password must be, and why one is refused.

The guide (G12, G18) allows upper- and lower-case Latin letters and digits and names the minimum lengths; the upper bound
only stops megabytes from reaching the hash.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from medonline.domain.errors import InvalidPassword, PasswordProblem

MAX_LENGTH = 256
_ALLOWED = re.compile(r"[A-Za-z0-9]*")
_CYRILLIC = re.compile(r"[\u0400-\u04ff]")


def normalised(typed: str) -> str:
    """The form that is hashed: NFC, so that one keyboard's composed letters equal another's. Nothing is cut or trimmed."""
    return unicodedata.normalize("NFC", typed)


@dataclass(frozen=True, slots=True)
class PasswordPolicy:
    """Rules for a new password; `min_length` counts characters."""

    min_length: int

    def check(self, typed: str) -> str:
        """Return the password in the form to be hashed.

        Raises:
            InvalidPassword: with every broken rule.
        """
        password = normalised(typed)
        problems = tuple(self._problems(password))
        if problems:
            raise InvalidPassword(problems, self.min_length)
        return password

    def _problems(self, password: str) -> list[PasswordProblem]:
        if not password:
            return [PasswordProblem.EMPTY]
        problems = []
        if _CYRILLIC.search(password):
            problems.append(PasswordProblem.CYRILLIC_LAYOUT)
        elif not _ALLOWED.fullmatch(password):
            problems.append(PasswordProblem.FORBIDDEN_CHARACTERS)
        if len(password) < self.min_length:
            problems.append(PasswordProblem.TOO_SHORT)
        if len(password) > MAX_LENGTH:
            problems.append(PasswordProblem.TOO_LONG)
        return problems
