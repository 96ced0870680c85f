"""The most frequent passwords of the world's leaks are refused (OWASP ASVS 5.0.0, 6.2.4)."""

from __future__ import annotations

from itertools import islice

from zxcvbn.frequency_lists import FREQUENCY_LISTS  # type: ignore[import-untyped]  # the package has no types

from medonline.domain.errors import InvalidPassword
from medonline.domain.passwords import PasswordPolicy
from medonline.services.passwords.strength import common_password_problem


def allowed(password: str) -> bool:
    try:
        PasswordPolicy(6).check(password)
    except InvalidPassword:
        return False
    return True


def test_the_three_thousand_most_frequent_passwords_that_the_policy_allows_are_refused() -> None:
    most_frequent = list(islice(filter(allowed, FREQUENCY_LISTS["passwords"]), 3000))

    assert len(most_frequent) == 3000
    assert [password for password in most_frequent if common_password_problem(password) is None] == []
