"""A last or first name as it may be saved."""

from __future__ import annotations

import re
import unicodedata

from medonline.domain.errors import InvalidName, NameProblem

MAX_LENGTH = 100
# Letters of any alphabet with their marks; inside also a hyphen, an apostrophe, a dot (И. о.), single spaces.
_NAME = re.compile(r"[^\W\d_]+(?:[-'’. ]+[^\W\d_]+)*\.?")


def parse_name(typed: str) -> str:
    """The name in NFC with single spaces.

    Raises:
        InvalidName: with the problem.
    """
    name = " ".join(unicodedata.normalize("NFC", typed).split())
    if not name:
        raise InvalidName(NameProblem.EMPTY)
    if len(name) > MAX_LENGTH:
        raise InvalidName(NameProblem.TOO_LONG)
    if any(character.isdigit() for character in name):
        raise InvalidName(NameProblem.DIGITS)
    if not _NAME.fullmatch(name):
        raise InvalidName(NameProblem.SYMBOLS)
    return name
