"""A last or first name as it may be saved."""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

from medonline.domain.errors import InvalidName, NameProblem

MAX_LENGTH = 100
_DASH = re.compile(r"\s*[-‐‑–—]\s*")
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
    if not _NAME.fullmatch(_without_marks(name)):
        raise InvalidName(NameProblem.SYMBOLS)
    return name


def folded(name: str) -> str:
    """For comparing: «ОРЛОВА» is «Орлова», «Фёдор» is «Федор», «Петрова – Водкина» is «Петрова-Водкина»."""
    text = unicodedata.normalize("NFC", name).casefold().replace("ё", "е")
    return " ".join(_DASH.sub("-", text).split())


def _without_marks(name: str) -> str:
    """The name without the marks that are on a letter and have no letter of their own, as in Hindi."""
    letters = [name[0]]
    for before, character in pairwise(name):
        if not (unicodedata.category(character).startswith("M") and unicodedata.category(before)[0] in "LM"):
            letters.append(character)
    return "".join(letters)
