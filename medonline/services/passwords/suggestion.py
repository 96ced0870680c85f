"""A password for a patient whose own was refused. It fits every policy of the portal, and can be read off the screen."""

from __future__ import annotations

import secrets
import string

from medonline.services.passwords.strength import common_password_problem

LENGTH = 16  # of 55 characters: 92 bits
# Without characters that are easily confused when they are copied onto paper.
ALPHABET = "".join(sorted(set(string.ascii_letters + string.digits) - set("0Oo1lI")))


def suggested_password(min_length: int) -> str:
    """Latin letters and digits, with at least one small letter, one capital and one digit, and not shorter than `min_length`."""
    while True:
        password = "".join(secrets.choice(ALPHABET) for _ in range(max(LENGTH, min_length)))
        mixed = any(map(str.islower, password)) and any(map(str.isupper, password)) and any(map(str.isdigit, password))
        if mixed and common_password_problem(password) is None:
            return password
