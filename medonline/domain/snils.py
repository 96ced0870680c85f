"""СНИЛС, the number of a personal account in the pension system: 9 digits and a control number of two.

The rule, as the Pension Fund published it: Σ digit × (9…1) mod 101, where 100 is written 00. It holds only for numbers above
001-001-998. The test persons of ESIA have lower numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

from medonline.domain.folding import digits_of

LENGTH = 11
_LAST_WITHOUT_CONTROL = 1_001_998
_MAX_WRITTEN = 1000


@dataclass(frozen=True, slots=True)
class Snils:
    """A СНИЛС with the right control number; `digits` are its 11 digits."""

    digits: str

    @classmethod
    def read(cls, text: object) -> Snils | None:
        """Read a number that a gateway or registry sent, with or without separators. None when it is no such number.

        No patient types a СНИЛС here, so no reason for a refusal is needed.
        """
        digits = digits_of(text) if isinstance(text, str) and len(text) <= _MAX_WRITTEN else ""
        if len(digits) != LENGTH:
            return None
        number, control = digits[:9], digits[9:]
        if int(number) == 0 or (int(number) > _LAST_WITHOUT_CONTROL and control != control_number(number)):
            return None
        return cls(digits)

    @property
    def spaced(self) -> str:
        """As it is printed: `112-233-445 95`; for the owner's eyes only."""
        return f"{self.digits[:3]}-{self.digits[3:6]}-{self.digits[6:9]} {self.digits[9:]}"

    @property
    def masked(self) -> str:
        """What a screen shows: the last two digits of the number and the control number."""
        return f"•••-•••-•{self.digits[7:9]} {self.digits[9:]}"

    def __str__(self) -> str:
        """Masked, so that a number that slips into a log line is not readable there."""
        return self.masked

    def __repr__(self) -> str:
        """Masked, like `str`."""
        return f"Snils({self.masked})"


def control_number(first_nine: str) -> str:
    """The two digits that belong to the first nine."""
    total = sum(int(digit) * weight for digit, weight in zip(first_nine, range(9, 0, -1), strict=True))
    return f"{total % 101 % 100:02}"
