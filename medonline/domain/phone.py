"""A Russian mobile phone number. Codes are sent to no other kind of number.

The number must be valid, mobile, of region RU (Kazakhstan shares +7), and without an extension. The numbering data come from the
`phonenumbers` package (Google libphonenumber metadata).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberType

from medonline.domain.errors import InvalidPhone, PhoneProblem
from medonline.domain.folding import folded

_MAX_TYPED = 1000  # leaves room for the invisible characters of a copied text
_MAX_VISIBLE = 64
# A number with words before and after it («tel:», «mob. …», «… (home)») and separators inside. Nothing is cut off: a text with a second
# number, an extension or a letter in the middle does not match. A word after the number must be separated from it.
_WRITTEN = re.compile(r"[^\d+]*(?P<number>\+?(?:[^\w+#]|_)*\d(?:(?:[^\w+#]|_)*\d)*)(?:(?:[^\w+#]|_)[^\d+#]*)?")
# Control characters, surrogates, private use, unassigned, emoji.
_NO_TEXT = frozenset({"Cc", "Cs", "Co", "Cn", "So"})
_TELEPHONES = dict.fromkeys(map(ord, "\u2116\u2121\u260e\u260f\u2706\U0001f4de\U0001f4f1\U0001f4f2\U0001f57f"), " ")


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """A parsed Russian mobile number; `e164` is `+7` and ten digits."""

    e164: str

    @classmethod
    def parse(cls, typed: str) -> PhoneNumber:
        """Read a number that a person typed or copied: 8…, +7…, 7…, 9…, with words around it (`domain.folding` explains the rest).

        Raises:
            InvalidPhone: `problem` says what the person can do.
        """
        if len(typed) > _MAX_TYPED:
            raise InvalidPhone(PhoneProblem.TOO_LONG)
        text = folded(typed.translate(_TELEPHONES))
        if not text:
            raise InvalidPhone(PhoneProblem.EMPTY)
        if len(text) > _MAX_VISIBLE:
            raise InvalidPhone(PhoneProblem.TOO_LONG)
        if any(unicodedata.category(char) in _NO_TEXT for char in text):
            raise InvalidPhone(PhoneProblem.NOT_A_NUMBER)
        number = _number_in(text)
        _refuse_unless_russian_mobile(number)
        return cls(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))

    @classmethod
    def read(cls, typed: str) -> PhoneNumber | None:
        """Like `parse`, for a caller that does not need the reason: None where `parse` raises."""
        try:
            return cls.parse(typed)
        except InvalidPhone:
            return None

    @property
    def digits(self) -> str:
        """The eleven digits without the plus sign, as call providers want them."""
        return self.e164[1:]

    @property
    def spaced(self) -> str:
        """As people write it: `+7 912 345-67-89`; for the owner's eyes only."""
        return f"+7 {self.e164[2:5]} {self.e164[5:8]}-{self.e164[8:10]}-{self.e164[10:]}"

    @property
    def masked(self) -> str:
        """Country code, operator code and the last two digits: `+7 912 ***-**-89`."""
        return f"+7 {self.e164[2:5]} ***-**-{self.e164[-2:]}"

    def __str__(self) -> str:
        """Masked, so that a number that slips into a log line is not readable there."""
        return self.masked

    def __repr__(self) -> str:
        """Masked, like `str`."""
        return f"PhoneNumber({self.masked})"


def _number_in(text: str) -> phonenumbers.PhoneNumber:
    found = _WRITTEN.fullmatch(text)
    digits = "".join(str(int(char)) for char in found["number"] if char.isdecimal()) if found else ""
    plus = "+" if found and "+" in found["number"] else ""
    if plus and len(digits) == 11 and digits.startswith("89"):
        plus = ""  # «+8 9…» is not a number of another country: somebody typed a plus sign before the trunk prefix
    if not plus and len(digits) == 13 and digits.startswith("007"):
        plus, digits = "+", digits[2:]  # the number as people dial it from other countries
    if not 10 <= len(digits) <= 11 and _has_extension(text):
        raise InvalidPhone(PhoneProblem.EXTENSION)
    try:
        number = phonenumbers.parse(f"{plus}{digits}" if found else text, "RU")
    except NumberParseException as error:
        raise InvalidPhone(_parse_problem(error)) from None
    if found is None:  # vanity numbers such as 8-912-DOKTOR: nobody's phone is registered in that form
        raise InvalidPhone(PhoneProblem.NOT_A_NUMBER)
    return number


def _has_extension(text: str) -> bool:
    try:
        return bool(phonenumbers.parse(text, "RU").extension)
    except NumberParseException:
        return False


def _parse_problem(error: NumberParseException) -> PhoneProblem:
    if error.error_type == NumberParseException.TOO_LONG:
        return PhoneProblem.TOO_LONG
    if error.error_type in (NumberParseException.TOO_SHORT_NSN, NumberParseException.TOO_SHORT_AFTER_IDD):
        return PhoneProblem.TOO_SHORT
    return PhoneProblem.NOT_A_NUMBER


def _refuse_unless_russian_mobile(number: phonenumbers.PhoneNumber) -> None:
    if number.country_code != 7:
        raise InvalidPhone(PhoneProblem.FOREIGN)
    possible = phonenumbers.is_possible_number_with_reason(number)
    if possible == phonenumbers.ValidationResult.TOO_SHORT:
        raise InvalidPhone(PhoneProblem.TOO_SHORT)
    if possible in (phonenumbers.ValidationResult.TOO_LONG, phonenumbers.ValidationResult.INVALID_LENGTH):
        raise InvalidPhone(PhoneProblem.TOO_LONG)
    # Ten digits that start with the trunk prefix of a mobile number: one digit was left out, because no area code looks like this.
    if str(number.national_number).startswith(("79", "89")):
        raise InvalidPhone(PhoneProblem.TOO_SHORT)
    kind = phonenumbers.number_type(number)
    if phonenumbers.region_code_for_number(number) == "KZ" or str(number.national_number).startswith("7"):
        raise InvalidPhone(PhoneProblem.KAZAKHSTAN)
    if kind == PhoneNumberType.TOLL_FREE:
        raise InvalidPhone(PhoneProblem.TOLL_FREE)
    if kind == PhoneNumberType.FIXED_LINE:
        raise InvalidPhone(PhoneProblem.FIXED_LINE)
    if kind != PhoneNumberType.MOBILE or phonenumbers.region_code_for_number(number) != "RU":
        raise InvalidPhone(PhoneProblem.NOT_MOBILE)
