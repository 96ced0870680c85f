"""СНИЛС, the number of a personal account in the pension system: 9 digits and a control number of two.

The rule, as the Pension Fund published it: Σ digit × (9…1) mod 101, where 100 is written 00; it holds for numbers above
001-001-998 only. The test persons of ESIA have numbers below.
"""

from __future__ import annotations

import re

LENGTH = 11
_LAST_WITHOUT_CONTROL = 1_001_998
_SEPARATORS = re.compile(r"[\s\-‐-―]+")


def snils_digits(text: str) -> str:
    """The 11 digits of a СНИЛС, spaces and dashes forgiven; empty when it is none or its control number is wrong."""
    digits = _SEPARATORS.sub("", text)
    if len(digits) != LENGTH or not digits.isascii() or not digits.isdigit():
        return ""
    number, control = digits[:9], digits[9:]
    if int(number) == 0 or (int(number) > _LAST_WITHOUT_CONTROL and control != control_number(number)):
        return ""
    return digits


def control_number(first_nine: str) -> str:
    """The two digits that belong to the first nine."""
    total = sum(int(digit) * weight for digit, weight in zip(first_nine, range(9, 0, -1), strict=True))
    return f"{total % 101 % 100:02}"


def masked(digits: str) -> str:
    """What a screen shows: the last two digits of the number and the control number."""
    return f"•••-•••-•{digits[7:9]} {digits[9:]}" if digits else ""
