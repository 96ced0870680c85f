"""Whether a new password may be set: the rules first, then the lists of words, then the list of leaks, which may be off."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import pytest

from medonline.domain.errors import InvalidPassword, PasswordProblem
from medonline.domain.passwords import PasswordPolicy
from medonline.services.passwords.new_passwords import NewPasswords, personal_words
from medonline.storage.tables.patients import Patient

GOOD = "KorablLipa47"
MARIA = Patient(
    phone="+79000001001",
    email="masha.iv@example.ru",
    last_name="Иванова",
    first_name="Мария",
    patronymic="Петровна",
    birth_date=date(1958, 5, 21),
    created_at=datetime(2026, 3, 1, tzinfo=UTC),
)


@dataclass
class Leaks:
    """A list with these passwords; remembers what it was asked."""

    leaked: tuple[str, ...] = ()
    asked: list[str] = field(default_factory=list)

    async def contains(self, password: str) -> bool:
        self.asked.append(password)
        return password in self.leaked

    async def close(self) -> None:
        return None


async def problems(leaks: Leaks | None, typed: str, personal: tuple[str, ...] = ()) -> tuple[PasswordProblem, ...]:
    with pytest.raises(InvalidPassword) as refusal:
        await NewPasswords(PasswordPolicy(8), leaks).check(typed, personal)
    assert refusal.value.min_length == 8
    return refusal.value.problems


async def test_a_good_password_comes_back_in_the_form_to_be_hashed_after_the_list_was_asked() -> None:
    leaks = Leaks()

    assert await NewPasswords(PasswordPolicy(8), leaks).check(GOOD) == GOOD
    assert leaks.asked == [GOOD]


async def test_a_leaked_password_is_refused_and_without_the_list_it_is_not() -> None:
    assert await problems(Leaks((GOOD,)), GOOD) == (PasswordProblem.BREACHED,)
    assert await NewPasswords(PasswordPolicy(8), None).check(GOOD) == GOOD


@pytest.mark.parametrize(
    ("typed", "problem"),
    [("", PasswordProblem.EMPTY), ("Kora7", PasswordProblem.TOO_SHORT), ("qwerty123", PasswordProblem.COMMON)],
)
async def test_what_is_refused_here_is_told_to_no_list(typed: str, problem: PasswordProblem) -> None:
    leaks = Leaks((typed,))

    assert await problems(leaks, typed) == (problem,)
    assert leaks.asked == []


async def test_every_broken_rule_of_the_policy_is_named_and_nothing_else_is_asked() -> None:
    leaks = Leaks()

    assert await problems(leaks, "пароль") == (PasswordProblem.CYRILLIC_LAYOUT, PasswordProblem.TOO_SHORT)
    assert leaks.asked == []


@pytest.mark.parametrize("typed", ["Ivanova77a", "1958Petrovna", "89000001001a", "21051958a"])
async def test_what_a_stranger_who_knows_the_patient_tries_first_is_refused(typed: str) -> None:
    assert await problems(None, typed, personal_words(MARIA)) == (PasswordProblem.PERSONAL,)


def test_of_a_patient_names_mailbox_phone_and_birth_date_are_known() -> None:
    assert personal_words(MARIA) == (
        "Иванова", "Мария", "Петровна", "masha.iv", "79000001001", "21051958", "1958",
    )  # fmt: skip


def test_what_is_not_on_record_is_no_word() -> None:
    bare = Patient(last_name="Иванова", first_name="Мария", created_at=datetime(2026, 3, 1, tzinfo=UTC))

    assert personal_words(bare) == ("Иванова", "Мария")
