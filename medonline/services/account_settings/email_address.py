"""Syntax of e-mail addresses, by the library `email-validator` (RFC 5321, 5322, 6531); nothing is looked up."""

from __future__ import annotations

from email_validator import EmailNotValidError, validate_email

from medonline.domain.errors import EmailProblem, InvalidEmail


def parse_email(typed: str) -> str:
    """The normalised address; an empty text stays empty: an account needs no e-mail.

    Raises:
        InvalidEmail: with the problem.
    """
    text = typed.strip()
    if not text:
        return ""
    if "@" not in text:
        raise InvalidEmail(EmailProblem.NO_AT)
    local, _, domain = text.rpartition("@")
    if local and "." not in domain.strip("."):
        raise InvalidEmail(EmailProblem.NO_DOMAIN)
    try:
        return validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError:
        raise InvalidEmail(EmailProblem.MALFORMED) from None
