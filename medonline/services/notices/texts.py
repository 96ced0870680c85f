"""What a patient is told after a change of the account, and where: short texts that name no clinic and carry no data.

Behind each stands the link «это не я» (`notices`), which needs what is left of the 300 characters of a notice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum


class About(StrEnum):
    """What a notice tells of: «это не я» undoes different things."""

    PASSWORD = "password"  # noqa: S105 (a notice's subject)
    PHONE = "phone"
    IDENTITY = "identity"


@dataclass(frozen=True, slots=True)
class Told:
    """A notice: to which phone (E.164), about what, in which words."""

    phone: str
    about: About
    text: str


PHONE_CHANGED = "Медицина-онлайн: номер для входа в личный кабинет заменён на другой."
ACCESS_CHANGED = "Медицина-онлайн: пароль личного кабинета изменён, на других устройствах вход завершён."
ACCESS_RECOVERED = "Медицина-онлайн: по коду на ваш телефон установлен новый пароль личного кабинета."
IDENTITY_LINKED = "Медицина-онлайн: в личный кабинет теперь можно войти через ещё одну учётную запись Госуслуг."


def of_change(old_phone: str | None, wanted: Mapping[str, object]) -> Iterator[Told]:
    """Always to the phone on record before the change."""
    if old_phone and "phone" in wanted:
        yield Told(old_phone, About.PHONE, PHONE_CHANGED)
    if old_phone and "password_hash" in wanted:
        yield Told(old_phone, About.PASSWORD, ACCESS_CHANGED)


def of_link(phone: str | None) -> Iterator[Told]:
    """An identity opens the account from now on, because somebody proved to be its owner."""
    if phone:
        yield Told(phone, About.IDENTITY, IDENTITY_LINKED)
