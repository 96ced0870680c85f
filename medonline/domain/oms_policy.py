"""The number of an ОМС policy of the single form (ЕНП): 16 digits, the last one a check digit.

Source of the algorithm: Приказ ФОМС от 07.04.2011 № 79, приложение Е (ЕНП).

Danger: digits 3 to 10 are said to be made of the owner's birth date and sex (digits turned to their complement of 9, the month
moved by 20 or 40 by century, the day by 50 for men; to be checked against that order before anything relies on it). So the
number and the birth date are one factor: who knows the one nearly knows the other (domain.card_access).
"""

from __future__ import annotations

from dataclasses import dataclass

from medonline.domain.errors import InvalidPolicy
from medonline.domain.folding import digits_of

LENGTH = 16
_MAX_TYPED = 1000  # with the invisible characters of a copied text


@dataclass(frozen=True, slots=True)
class OmsPolicy:
    """A number of the single form; `digits` are the 16."""

    digits: str

    @classmethod
    def parse(cls, typed: str) -> OmsPolicy:
        """Read what a person typed or copied, or a registry sent: «№», words, spaces, dashes, invisible characters are forgiven.

        Raises:
            InvalidPolicy: no such number.
        """
        digits = digits_of(typed) if len(typed) <= _MAX_TYPED else ""
        if len(digits) != LENGTH:
            raise InvalidPolicy
        return cls(digits)

    @classmethod
    def read(cls, text: object) -> OmsPolicy | None:
        """As `parse`, for a value from outside: None where that would raise, and for what is no text."""
        try:
            return cls.parse(text) if isinstance(text, str) else None
        except InvalidPolicy:
            return None

    @property
    def spaced(self) -> str:
        """As it is printed on the card: `7707 8503 1400 0117`; for the owner's eyes only."""
        return " ".join(self.digits[start : start + 4] for start in range(0, LENGTH, 4))

    @property
    def masked(self) -> str:
        """What a screen shows: the last four digits."""
        return f"•••• •••• •••• {self.digits[-4:]}"

    @property
    def has_right_check_digit(self) -> bool:
        """Whether a typing error is unlikely. Some old numbers break the rule: a reason to warn, never to refuse."""
        return self.digits[-1] == check_digit(self.digits[:-1])

    def __str__(self) -> str:
        """Masked, so that a number that slips into a log line is not readable there."""
        return self.masked

    def __repr__(self) -> str:
        """Masked, like `str`."""
        return f"OmsPolicy({self.masked})"


def check_digit(first_fifteen: str) -> str:
    """The last digit that belongs to the first fifteen."""
    from_right = first_fifteen[::-1]
    doubled = str(int(from_right[0::2]) * 2)
    total = sum(map(int, from_right[1::2] + doubled))
    return str(-total % 10)
