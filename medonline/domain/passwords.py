"""What a new password must be, why one is refused, and how a typed one is read.

The guide (G12, G18) allows upper- and lower-case Latin letters and digits, and names the minimum lengths. The maximum length only
keeps megabytes away from the hash. Browsers suggest passwords with other characters, so an operator may allow all of printable ASCII.
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
    """The characters of a password: Latin letters and digits, as the guide says, or every character of an English keyboard."""

    GUIDE = "guide"
    ASCII = "ascii"

    @property
    def allowed(self) -> frozenset[str]:
        """Every allowed character. A space can only be inside a password, because the ends are trimmed."""
        return _GUIDE if self is PasswordCharacters.GUIDE else _ASCII

    def read(self, typed: str) -> str:
        """A password typed to sign in, in the form to compare. Its length is not checked.

        No account has a password with other characters, so such a password is refused before it is compared or counted.

        Raises:
            InvalidPassword: nothing was typed, or it has a character that no password has.
        """
        password = normalised(typed)
        problems = (PasswordProblem.EMPTY,) if not password else self.problems(password)
        if problems:
            raise InvalidPassword(problems, 0, self.forbidden_in(password))
        return password

    def problems(self, password: str) -> tuple[PasswordProblem, ...]:
        """What is wrong with the characters of a password: no problem, or one."""
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
    """The form to hash. It is in NFC, so that a letter is the same whether a keyboard composes it or not. Spaces and invisible
    characters at the ends go, because they come with a copied password. Nothing else is cut."""
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
