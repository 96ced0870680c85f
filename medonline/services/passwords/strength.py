"""How easy a password is to guess, and which passwords are refused because of that.

The judge is zxcvbn (https://github.com/dropbox/zxcvbn) with its lists of common passwords, names and words. It knows no Russian:
«medicina2026» and «Zdorovie2026» would pass for good ones. So the check also looks for the project's own words
(`services.passwords.common_words`) and for what is known of the patient.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from zxcvbn import matching, scoring, time_estimates  # type: ignore[import-untyped]  # the package has no types

from medonline.domain.errors import PasswordProblem
from medonline.services.passwords.common_words import COMMON_WORDS, SHORTEST, typed_forms

# zxcvbn's time grows fast with the length. The characters after this only make a password better.
LONGEST_JUDGED = 40
# Danger: zxcvbn tries every reading of «@», «$», «(» as letters, which takes seconds for a line of them. So the two that everybody reads as
# letters become these letters, and the others are left out. From a password that is mostly signs little would be left: there each sign is
# read as the key that it is on, or as the one beside it.
_SIGNS = re.compile(r"\W+")
_LETTERS_FOR_SIGNS = str.maketrans("@$", "as")
_KEYS = str.maketrans("!@#$%^&*(){[<|+", "1234567890}]>\\=")
# A word with no more decoration than a date is guessed as easily as the word alone.
_MOST_DECORATION = 8
_WEAK = 1  # zxcvbn's score for under a million guesses
_SHORTEST_NUMBER = 6
_COMMON = frozenset(COMMON_WORDS)
_LETTERS = re.compile(r"[^\W\d_]+")
_DIGITS_FOR_LETTERS = (str.maketrans("013457", "oieast"), str.maketrans("013457", "oleast"))


@dataclass(frozen=True, slots=True)
class Strength:
    """How good a password is. `score` is from 0 to 4. `problem` says why it is refused, and then the score is 0."""

    score: int
    problem: PasswordProblem | None = None

    @classmethod
    def of(cls, password: str, personal: Sequence[str] = ()) -> Strength:
        """Rate a password. One that `common_password_problem` refuses scores 0."""
        problem = common_password_problem(password, personal)
        if problem is not None:
            return cls(0, problem)
        return cls(_judge(password, [*_typed(personal), *_numbers(personal), *COMMON_WORDS]).score)


@dataclass(frozen=True, slots=True)
class _Verdict:
    score: int
    pieces: list[dict[str, Any]]

    @property
    def is_one_piece(self) -> bool:
        """Whether the whole password is one entry of a list, one date, or one row of keys."""
        return len(self.pieces) == 1 and self.pieces[0]["pattern"] != "bruteforce"

    @property
    def has_given_word(self) -> bool:
        return any(piece.get("dictionary_name") == "user_inputs" for piece in self.pieces)


def common_password_problem(password: str, personal: Sequence[str] = ()) -> PasswordProblem | None:
    """`PERSONAL`, `COMMON` or None, for a password that the policy allows.

    Args:
        password: what was typed; only the first 40 characters are rated.
        personal: names, the phone, the birth date as `ddmmyyyy` and its year: what a stranger who knows the patient
            tries. Cyrillic is transliterated. None of it is kept.
    """
    password = password[:LONGEST_JUDGED]
    if not password:
        return None
    names, numbers = _typed(personal), _numbers(personal)
    cores = _cores(password)
    if _is_made_of(cores, frozenset(names)) or _is_number(password, numbers):
        return PasswordProblem.PERSONAL
    verdict = _judge(password, [*names, *numbers])
    if verdict.score <= _WEAK and verdict.has_given_word:
        return PasswordProblem.PERSONAL
    weak = verdict.score == 0 or (verdict.score <= _WEAK and verdict.is_one_piece)
    return PasswordProblem.COMMON if weak or _is_made_of(cores, _COMMON) else None


def _judge(password: str, words: Iterable[str]) -> _Verdict:
    # Not `zxcvbn.zxcvbn`: it would leave the given words in a global of its module, and they belong to one patient.
    dictionaries = matching.RANKED_DICTIONARIES | {"user_inputs": matching.build_ranked_dict(dict.fromkeys(words))}
    password = password[:LONGEST_JUDGED]
    without_signs = _SIGNS.sub("", password.translate(_LETTERS_FOR_SIGNS))
    password = without_signs if 2 * len(without_signs) >= len(password) else password.translate(_KEYS)
    result = scoring.most_guessable_match_sequence(password, matching.omnimatch(password, dictionaries))
    return _Verdict(int(time_estimates.guesses_to_score(result["guesses"])), result["sequence"])


def _cores(password: str) -> set[str]:
    """The password without the digits around it, with letters in place of the digits inside."""
    lower = password.lower()
    core = lower.strip("0123456789")
    if len(lower) - len(core) > _MOST_DECORATION:
        return set()
    return {core, *(core.translate(table) for table in _DIGITS_FOR_LETTERS)}


def _is_made_of(cores: set[str], words: frozenset[str]) -> bool:
    """Whether one of them is such a word, or two such words in a row."""
    return any(
        core in words
        or any(core[:cut] in words and core[cut:] in words for cut in range(SHORTEST, len(core) - SHORTEST + 1))
        for core in cores
    )


def _typed(personal: Sequence[str]) -> list[str]:
    return typed_forms(part for word in personal for part in _LETTERS.findall(word))


def _numbers(personal: Sequence[str]) -> list[str]:
    """Phones and dates in their usual spellings. Years stay as they are."""
    found: list[str] = []
    for number in ("".join(filter(str.isdigit, word)) for word in personal if not _LETTERS.search(word)):
        found.append(number)
        if len(number) >= 10:
            found += [f"8{number[-10:]}", number[-10:], number[-7:]]
        elif len(number) == 8:
            day, month, year = number[:2], number[2:4], number[4:]
            found += [f"{year}{month}{day}", f"{day}{month}{year[2:]}"]
    return list(filter(None, found))


def _is_number(password: str, numbers: Iterable[str]) -> bool:
    return any(
        len(number) >= _SHORTEST_NUMBER and number in password and len(password) - len(number) <= SHORTEST
        for number in numbers
    )
