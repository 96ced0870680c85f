"""What a patient is told after a change of the account, and where: short texts that name no clinic and carry no data.

Behind each stands the link «это не я» (`notices`), which needs what is left of the 300 characters of a notice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

PHONE_CHANGED = "Медицина-онлайн: номер для входа в личный кабинет заменён на другой."
ACCESS_CHANGED = "Медицина-онлайн: пароль личного кабинета изменён, на других устройствах вход завершён."
ACCESS_RECOVERED = "Медицина-онлайн: по коду на ваш телефон установлен новый пароль личного кабинета."


def of_change(old_phone: str | None, wanted: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Phone (E.164) and text of each notice; always to the phone on record before the change."""
    if old_phone and "phone" in wanted:
        yield old_phone, PHONE_CHANGED
    if old_phone and "password_hash" in wanted:
        yield old_phone, ACCESS_CHANGED
