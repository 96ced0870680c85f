"""Decides whether a new password may be set, by the guide's rules, lists of common passwords, the patient's own data and known leaks."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from medonline.domain.errors import InvalidPassword, PasswordProblem
from medonline.domain.passwords import PasswordPolicy
from medonline.services.passwords.strength import common_password_problem
from medonline.services.ports import BreachedPasswords
from medonline.storage.tables.patients import Patient


@dataclass(frozen=True, slots=True)
class NewPasswords:
    """One policy, together with everything else that refuses a password."""

    policy: PasswordPolicy
    breached: BreachedPasswords | None

    async def check(self, typed: str, personal: Sequence[str] = ()) -> str:
        """The password in the form to hash.

        Raises:
            InvalidPassword: with every broken rule.
        """
        password = self.policy.check(typed)
        # It runs in a thread, because it is plain Python and may take a tenth of a second.
        problem = await asyncio.to_thread(common_password_problem, password, personal)
        if problem is None and self.breached is not None and await self.breached.contains(password):
            problem = PasswordProblem.BREACHED
        if problem is not None:
            raise InvalidPassword((problem,), self.policy.min_length)
        return password


def personal_words(patient: Patient) -> tuple[str, ...]:
    """The words that a stranger who knows the patient tries first."""
    born = patient.birth_date
    dates = (f"{born:%d%m%Y}", f"{born:%Y}") if born else ()
    names = (patient.last_name, patient.first_name, patient.patronymic, patient.email.partition("@")[0])
    return tuple(filter(None, (*names, (patient.phone or "").lstrip("+"), *dates)))
