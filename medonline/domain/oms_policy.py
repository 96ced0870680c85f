"""The number of an ОМС policy of the single form (ЕНП): 16 digits, the last one a check digit.

Source of the algorithm: Приказ ФОМС от 07.04.2011 № 79, приложение Е (ЕНП).

Danger: digits 3 to 10 are said to encode the owner's birth date and sex. Each digit becomes its complement to 9, the century adds 20
or 40 to the month, and a man's day gets 50 more. Check this against the order before anything relies on it. So the number and the
birth date are one factor: a person who knows one of them nearly knows the other (domain.card_access).
"""

from __future__ import annotations

from dataclasses import dataclass

from medonline.domain.errors import InvalidPolicy
from medonline.domain.folding import digits_of

LENGTH = 16
_MAX_TYPED = 1000  # leaves room for the invisible characters of a copied text


@dataclass(frozen=True, slots=True)
class OmsPolicy:
    """A policy number of the single form; `digits` are its 16 digits."""

    digits: str

    @classmethod
    def parse(cls, typed: str) -> OmsPolicy:
        """Read a number that a person typed or copied, or that a registry sent. «№», words, spaces, dashes and invisible characters are
        ignored.

        Raises:
            InvalidPolicy: this is no such number.
        """
        digits = digits_of(typed) if len(typed) <= _MAX_TYPED else ""
        if len(digits) != LENGTH:
            raise InvalidPolicy
        return cls(digits)

    @classmethod
    def read(cls, text: object) -> OmsPolicy | None:
        """Like `parse`, for a value from outside. None for a value that is not text, and where `parse` raises."""
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
        """Whether a typing error is unlikely. Some old numbers break the rule, so a wrong digit may cause a warning but never a refusal."""
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
