"""One spelling for values that people, browsers, gateways and registries spell in many ways. Every reader of a value starts with this.

Copied texts contain characters that no screen shows: marks of writing direction around a phone number, a soft hyphen in a name, a
variation selector after a digit. The keyboard of a telephone writes another apostrophe, a word processor another dash, an input
method full-width digits. This module removes each of them or replaces it with the plain character.

It never drops, adds or changes a digit, so two different numbers stay different. A superscript is not a digit. Control characters
stay, so that a reader can refuse them.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right

# Default_Ignorable_Code_Point of Unicode 15.1 (DerivedCoreProperties.txt): the first and last character of each range. It includes the bidi
# marks, the soft hyphen, the joiners, the variation selectors and the tags.
_IGNORABLE = (
    (0x00AD, 0x00AD),
    (0x034F, 0x034F),
    (0x061C, 0x061C),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFF8),
    (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
)
_FIRSTS = tuple(first for first, _ in _IGNORABLE)
_KEYCAP = "\u20e3"  # the frame around a digit of an emoji
_BLANK = "\u2800"  # an empty Braille cell: Unicode calls it a symbol, but it looks like a space
# Characters that look like dashes but are not in Unicode's category Pd: minus signs, a hyphen bullet, a line of a box.
_DASHES = frozenset("\u02d7\u2043\u207b\u208b\u2212\u2500\u2796")
_APOSTROPHES = frozenset(
    "'`\u00b4\u02b9\u02bb\u02bc\u02bd\u02be\u02bf\u02c8\u02ca\u02cb\u0374\u0384\u055a\u05f3\u1fbd\u1fbf\u1fef\u1ffd\u1ffe"
    "\u2018\u2019\u201b\u2032\u2035\ua78b\ua78c"
)
_FULL_WIDTH = range(0xFF01, 0xFF5F)  # ASCII characters in their East Asian full-width form
_FROM_FULL_WIDTH = 0xFEE0

# A number as people write it, with separators inside and words around it. A word after it must be separated from it: «7707…01a» is a typing
# error.
_ONE_NUMBER = re.compile(r"\D*(\d(?:[\W_]*\d)*)(?:[\W_]\D*)?")


def visible(text: str) -> str:
    """The text as it looks: in NFC, without invisible characters, with single plain spaces inside and no space around."""
    return _single("".join(" " if _is_space(char) else char for char in text if not _is_invisible(char)))


def folded(text: str) -> str:
    """The text of `visible`, with every dash as `-`, every apostrophe as `'` and full-width characters as ASCII.

    A second call changes nothing.
    """
    if text.isascii() and text.isprintable() and "`" not in text:
        return _single(text)
    return visible("".join(_plain(char) for char in visible(text)))


def without_ends(text: str) -> str:
    """The text without spaces and invisible characters at its ends. Its inside stays as it is."""
    inner = [place for place, char in enumerate(text) if not (_is_space(char) or _is_invisible(char))]
    return text[inner[0] : inner[-1] + 1] if inner else ""


def digits_of(text: str) -> str:
    """The digits of the one number in a text, without separators and without words before and after it («№», «тел.:»).

    Empty where there is no number, where the number contains letters, or where the text contains control characters. Returns ASCII digits
    only.
    """
    plain = folded(text)
    found = _ONE_NUMBER.fullmatch(plain) if plain.isprintable() else None
    digits = "".join(filter(str.isdecimal, found[1])) if found else ""
    return digits if digits.isascii() else ""


def _single(text: str) -> str:
    return " ".join(part for part in unicodedata.normalize("NFC", text).split(" ") if part)


def _is_space(char: str) -> bool:
    return char.isspace() or char == _BLANK


def _is_invisible(char: str) -> bool:
    if char < "\u00ad":
        return False
    place = bisect_right(_FIRSTS, ord(char)) - 1
    return char == _KEYCAP or (place >= 0 and ord(char) <= _IGNORABLE[place][1])


def _plain(char: str) -> str:
    if ord(char) in _FULL_WIDTH:
        char = chr(ord(char) - _FROM_FULL_WIDTH)
    if char in _APOSTROPHES:
        return "'"
    if char in _DASHES or unicodedata.category(char) == "Pd":
        return "-"
    if unicodedata.category(char) == "Nd" and (digit := unicodedata.normalize("NFKC", char)).isascii():
        return digit  # a full-width digit, or one of a mathematical alphabet
    return char
