"""A last or first name: typed by a person, received from elsewhere, and compared with another spelling.

The portal checks what a person types (`PersonName.parse`). It accepts what a gateway or a registry has on record as it is: a given
name «-» or a former surname in brackets are facts of somebody's documents, and nobody here may be asked to correct them.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from itertools import pairwise

from medonline.domain.errors import InvalidName, NameProblem
from medonline.domain.folding import folded, visible

MAX_LENGTH = 100
_MAX_TYPED = 1000  # leaves room for the invisible characters of a copied text
# Letters of any alphabet with their marks. Inside a name there may also be a hyphen, an apostrophe, a dot (И. о.) and single spaces. An
# apostrophe may also be at the ends ('т Хоофт, Igor'), and a former surname may follow in brackets.
_LETTERS = r"[^\W\d_]+(?:[-'. ]+[^\W\d_]+)*['.]{0,2}"
_NAME = re.compile(rf"'?{_LETTERS}(?: ?\( ?'?{_LETTERS} ?\))?")
_CYRILLIC = re.compile("[\u0400-\u04ff]")
# Latin letters that look like Cyrillic ones. Records are full of them, and nobody sees the difference.
_LOOKALIKES = str.maketrans("ABCEHKMOPTXYaceopxyËë", "АВСЕНКМОРТХУасеорхуЁё")
_DASH = re.compile(r" ?- ?")
_NO_NAME = "-"  # stands in documents for a part of the name that a person does not have
_UNHEARD = str.maketrans({"'": "", ".": " "})


@dataclass(frozen=True, slots=True)
class PersonName:
    """A name in one line, in NFC, without invisible characters. Dashes and apostrophes stay as their owner writes them."""

    text: str

    @classmethod
    def parse(cls, typed: str) -> PersonName:
        """Read and check a name that a person typed.

        Raises:
            InvalidName: `problem` says why.
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
        """A name that a gateway or registry has on record, neither checked nor cut.

        None for a value that is not text, is empty or unprintable, or is longer than 100 characters.
        """
        text = visible(found) if isinstance(found, str) and len(found) <= _MAX_TYPED else ""
        return cls(text) if text and text.isprintable() and len(text) <= MAX_LENGTH else None

    @classmethod
    def of_document(cls, typed: str) -> PersonName:
        """Read and check a name that an operator copies from a document. Like `parse`, but «-» may stand for a missing part.

        Raises:
            InvalidName: `problem` says why.
        """
        name = visible(typed) if len(typed) <= _MAX_TYPED else ""
        return cls(name) if folded(name) == _NO_NAME else cls.parse(typed)

    @property
    def key(self) -> str:
        """The form to compare. It is equal for two spellings of one name."""
        return name_key(self.text)

    def is_same(self, other: PersonName) -> bool:
        """Whether both are spellings of one name."""
        return self.key == other.key


def name_key(name: str) -> str:
    """The form to compare. It is equal for «ОРЛОВА» and «Орлова», «Фёдор» and «Федор», «Петрова – Водкина» and «Петрова-Водкина», for
    «О`Коннор» with any apostrophe or none, and for a name with Latin letters among its Cyrillic ones. No letter is dropped."""
    text = unicodedata.normalize("NFKC", folded(name))
    if _CYRILLIC.search(text):
        text = text.translate(_LOOKALIKES)
    key = _DASH.sub("-", folded(folded(text.casefold().replace("ё", "е")).translate(_UNHEARD)))
    return "" if key == _NO_NAME else key


def _without_marks(name: str) -> str:
    """The name without those marks that do not make a letter of their own, as in Hindi."""
    letters = [name[0]]
    for before, character in pairwise(name):
        if not (unicodedata.category(character).startswith("M") and unicodedata.category(before)[0] in "LM"):
            letters.append(character)
    return "".join(letters)
