"""The number of an ОМС policy of the single form (ЕНП): 16 digits, the last one a check digit.

Source of the algorithm: Приказ ФОМС от 07.04.2011 № 79, приложение Е (ЕНП).

Danger: digits 3 to 10 are said to be made of the owner's birth date and sex (digits turned to their complement of 9, the month
moved by 20 or 40 by century, the day by 50 for men; to be checked against that order before anything relies on it). So the
number and the birth date are one factor: who knows the one nearly knows the other (domain.card_access).
"""

from __future__ import annotations

import re

LENGTH = 16
_SEPARATORS = re.compile(r"[\s\-‐-―]+")


def policy_digits(typed: str) -> str:
    """The 16 digits of what was typed, spaces and dashes forgiven; empty when it is no such number."""
    digits = _SEPARATORS.sub("", typed)
    return digits if len(digits) == LENGTH and digits.isascii() and digits.isdigit() else ""


def check_digit(first_fifteen: str) -> str:
    """The last digit that belongs to the first fifteen."""
    from_right = first_fifteen[::-1]
    doubled = str(int(from_right[0::2]) * 2)
    total = sum(map(int, from_right[1::2] + doubled))
    return str(-total % 10)


def has_right_check_digit(digits: str) -> bool:
    """Whether a typing error is unlikely. Some old numbers break the rule: a reason to warn, never to refuse."""
    return digits[-1] == check_digit(digits[:-1])


def masked(digits: str) -> str:
    """What a screen shows: the last four digits."""
    return f"•••• •••• •••• {digits[-4:]}" if digits else ""
