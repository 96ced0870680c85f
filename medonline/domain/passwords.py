"""What a new password must be, why one is refused, and how a typed one is read.

The guide (G12, G18) allows upper- and lower-case Latin letters and digits and names the minimum lengths; the upper bound
only stops megabytes from reaching the hash. Browsers make passwords with other signs, too: an operator may allow all of ASCII.
"""

from __future__ import annotations

import re
import string
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from medonline.domain.errors import InvalidPassword, PasswordProblem
from medonline.domain.folding import without_ends

MAX_LENGTH = 256
_CYRILLIC = re.compile(r"[\u0400-\u04ff]")
_GUIDE = frozenset(string.ascii_letters + string.digits)
_ASCII = frozenset(map(chr, range(0x20, 0x7F)))
_MOST_NAMED = 3


class PasswordCharacters(StrEnum):
    """Of what a password may be made: Latin letters and digits, as the guide says; or every sign of an English keyboard."""

    GUIDE = "guide"
    ASCII = "ascii"

    @property
    def allowed(self) -> frozenset[str]:
        """Every allowed character. A space is inside a password at most: the ends are trimmed."""
        return _GUIDE if self is PasswordCharacters.GUIDE else _ASCII

    def read(self, typed: str) -> str:
        """What was typed to sign in, in the form that is compared; its length is not judged.

        No account has a password with other characters, so that one is refused before it is compared and counted.

        Raises:
            InvalidPassword: nothing was typed; or it has a character that no password has.
        """
        password = normalised(typed)
        problems = (PasswordProblem.EMPTY,) if not password else self.problems(password)
        if problems:
            raise InvalidPassword(problems, 0, self.forbidden_in(password))
        return password

    def problems(self, password: str) -> tuple[PasswordProblem, ...]:
        """What is wrong with the characters of a password: nothing, or one problem."""
        if _CYRILLIC.search(password):
            return (PasswordProblem.CYRILLIC_LAYOUT,)
        if self.forbidden_in(password):
            only_ascii = self is PasswordCharacters.ASCII
            return (PasswordProblem.NOT_ASCII if only_ascii else PasswordProblem.FORBIDDEN_CHARACTERS,)
        return ()

    def forbidden_in(self, password: str) -> str:
        """The first characters of a password that are not allowed, each once."""
        return "".join(dict.fromkeys(char for char in password if char not in self.allowed))[:_MOST_NAMED]


def normalised(typed: str) -> str:
    """The form that is hashed: NFC, so that one keyboard's composed letters equal another's, and without spaces and invisible
    characters at its ends, which come with a copied password. Nothing is cut."""
    return without_ends(unicodedata.normalize("NFC", typed))


@dataclass(frozen=True, slots=True)
class PasswordPolicy:
    """Rules for a new password; `min_length` counts characters."""

    min_length: int
    characters: PasswordCharacters = PasswordCharacters.GUIDE

    def check(self, typed: str) -> str:
        """Return the password in the form to be hashed.

        Raises:
            InvalidPassword: with every broken rule.
        """
        password = normalised(typed)
        problems = tuple(self._problems(password))
        if problems:
            raise InvalidPassword(problems, self.min_length, self.characters.forbidden_in(password))
        return password

    def _problems(self, password: str) -> list[PasswordProblem]:
        if not password:
            return [PasswordProblem.EMPTY]
        problems = list(self.characters.problems(password))
        if len(password) < self.min_length:
            problems.append(PasswordProblem.TOO_SHORT)
        if len(password) > MAX_LENGTH:
            problems.append(PasswordProblem.TOO_LONG)
        return problems
