"""An e-mail address. The library `email-validator` checks its syntax (RFC 5321, 5322, 6531); nothing is looked up."""

from __future__ import annotations

import re
from dataclasses import dataclass

from email_validator import EmailNotValidError, ValidatedEmail, validate_email

from medonline.domain.errors import EmailProblem, InvalidEmail
from medonline.domain.folding import folded

_MAX_TYPED = 1000  # leaves room for the invisible characters of a copied text
_MAX_LENGTH = 254  # RFC 5321, 4.5.3.1.3 less the angle brackets
# Address books and links write `Maria <maria@example.ru>` or `mailto:maria@example.ru`. A sentence ends with a full stop.
_NAMED = re.compile(r"[^<>@]*<([^<>]+)>")
# Danger: the standard library decodes `=?utf-8?q?=0d=0a…?=` (RFC 2047) inside an address, too, and writes the line break into the header.
_ENCODED = "=?"
_AROUND = re.compile(r"(?:mailto: ?)?(.+?)[.,;]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class EmailAddress:
    """A normalised address."""

    text: str

    @classmethod
    def parse(cls, typed: str) -> EmailAddress:
        """Read and judge what a person typed or copied.

        Raises:
            InvalidEmail: with the problem.
        """
        text = _address_in(typed)
        if "@" not in text:
            raise InvalidEmail(EmailProblem.NO_AT)
        local, _, domain = text.rpartition("@")
        if local and "." not in domain.strip("."):
            raise InvalidEmail(EmailProblem.NO_DOMAIN)
        return cls(_judged(text).normalized)

    @classmethod
    def received(cls, found: object) -> EmailAddress | None:
        """An address that a gateway has on record, or None where it cannot be an address at all.

        The portal shows it and writes to it but never uses it as a key. So it is accepted even where the portal would refuse it from a
        person.
        """
        text = _address_in(found) if isinstance(found, str) else ""
        usable = "@" in text.strip("@") and " " not in text and text.isprintable() and len(text) <= _MAX_LENGTH
        return cls(text) if usable else None

    def on_the_wire(self) -> str:
        """The address with its host in Latin letters (Punycode, RFC 5891), which every mail server accepts.

        Raises:
            InvalidEmail: the address is on record elsewhere, and mail cannot reach it.
        """
        judged = _judged(self.text)
        return f"{judged.local_part}@{judged.ascii_domain}"

    @property
    def key(self) -> str:
        """The form to compare. No mail provider distinguishes capital letters from small ones."""
        return self.text.lower()  # not `casefold`: faß.de and fass.de are two hosts


def _judged(text: str) -> ValidatedEmail:
    try:
        if _ENCODED not in text:
            return validate_email(text, check_deliverability=False)
    except EmailNotValidError:
        pass
    raise InvalidEmail(EmailProblem.MALFORMED)


def _address_in(text: str) -> str:
    plain = folded(text) if len(text) <= _MAX_TYPED else ""
    named = _NAMED.fullmatch(plain)
    around = _AROUND.fullmatch(named[1].strip() if named else plain)
    return around[1] if around else ""
