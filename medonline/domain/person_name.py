"""A last or first name: as it is typed, as it came from elsewhere, and whether two spellings mean one name.

What a person types is judged (`PersonName.parse`). What a gateway or a registry has on record is taken as it is: a given name «-»,
a former surname in brackets are facts of somebody's documents, and no one may be asked to correct them here.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from itertools import pairwise

from medonline.domain.errors import InvalidName, NameProblem
from medonline.domain.folding import folded, visible

MAX_LENGTH = 100
_MAX_TYPED = 1000  # with the invisible characters of a copied text
# Letters of any alphabet with their marks; inside also a hyphen, an apostrophe, a dot (И. о.), single spaces. An apostrophe is also
# at the ends ('т Хоофт, Igor'), and a former surname behind in brackets.
_LETTERS = r"[^\W\d_]+(?:[-'. ]+[^\W\d_]+)*['.]{0,2}"
_NAME = re.compile(rf"'?{_LETTERS}(?: ?\( ?'?{_LETTERS} ?\))?")
_CYRILLIC = re.compile("[\u0400-\u04ff]")
# Latin letters that look like Cyrillic ones: records are full of them, and no one sees the difference.
_LOOKALIKES = str.maketrans("ABCEHKMOPTXYaceopxyËë", "АВСЕНКМОРТХУасеорхуЁё")
_DASH = re.compile(r" ?- ?")
_NO_NAME = "-"  # in documents, for a part that a person does not have
_UNHEARD = str.maketrans({"'": "", ".": " "})


@dataclass(frozen=True, slots=True)
class PersonName:
    """A name in one line, in NFC, without invisible characters; dashes and apostrophes as their owner writes them."""

    text: str

    @classmethod
    def parse(cls, typed: str) -> PersonName:
        """Read and judge what a person typed.

        Raises:
            InvalidName: with the problem.
        """
        if len(typed) > _MAX_TYPED:
            raise InvalidName(NameProblem.TOO_LONG)
        name = visible(typed)
        plain = folded(name)
        if not plain:
            raise InvalidName(NameProblem.EMPTY)
        if len(name) > MAX_LENGTH:
            raise InvalidName(NameProblem.TOO_LONG)
        if any(character.isdigit() for character in plain):
            raise InvalidName(NameProblem.DIGITS)
        if not _NAME.fullmatch(_without_marks(plain)):
            raise InvalidName(NameProblem.SYMBOLS)
        return cls(name)

    @classmethod
    def received(cls, found: object) -> PersonName | None:
        """What a gateway or registry has on record, not judged and never cut; None for no text, an empty or unprintable one, or
        one of over 100 characters."""
        text = visible(found) if isinstance(found, str) and len(found) <= _MAX_TYPED else ""
        return cls(text) if text and text.isprintable() and len(text) <= MAX_LENGTH else None

    @classmethod
    def of_document(cls, typed: str) -> PersonName:
        """Read and judge what an operator types off a document: as `parse`, but «-» is there, too, where a part is missing.

        Raises:
            InvalidName: with the problem.
        """
        name = visible(typed) if len(typed) <= _MAX_TYPED else ""
        return cls(name) if folded(name) == _NO_NAME else cls.parse(typed)

    @property
    def key(self) -> str:
        """What is compared: equal for two spellings of one name."""
        return name_key(self.text)

    def is_same(self, other: PersonName) -> bool:
        """Whether both are spellings of one name."""
        return self.key == other.key


def name_key(name: str) -> str:
    """For comparing: «ОРЛОВА» is «Орлова», «Фёдор» is «Федор», «Петрова – Водкина» is «Петрова-Водкина», «О`Коннор» with any
    apostrophe or none is one name, and so is one with Latin letters among its Cyrillic ones. No letter is dropped."""
    text = unicodedata.normalize("NFKC", folded(name))
    if _CYRILLIC.search(text):
        text = text.translate(_LOOKALIKES)
    key = _DASH.sub("-", folded(folded(text.casefold().replace("ё", "е")).translate(_UNHEARD)))
    return "" if key == _NO_NAME else key


def _without_marks(name: str) -> str:
    """The name without the marks that are on a letter and have no letter of their own, as in Hindi."""
    letters = [name[0]]
    for before, character in pairwise(name):
        if not (unicodedata.category(character).startswith("M") and unicodedata.category(before)[0] in "LM"):
            letters.append(character)
    return "".join(letters)
