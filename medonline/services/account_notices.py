"""What a patient is told after a change of the account, and where: short texts that name no clinic and carry no data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

PHONE_CHANGED = (
    "Медицина-онлайн: номер для входа в личный кабинет заменён на другой. Если это не вы, обратитесь в регистратуру "
    "поликлиники с паспортом."
)
ACCESS_CHANGED = (
    "Медицина-онлайн: пароль личного кабинета изменён, на других устройствах вход завершён. Если это не вы, "
    "восстановите пароль на портале."
)


def of_change(old_phone: str | None, wanted: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Phone (E.164) and text of each notice; always to the phone on record before the change."""
    if old_phone and "phone" in wanted:
        yield old_phone, PHONE_CHANGED
    if old_phone and "password_hash" in wanted:
        yield old_phone, ACCESS_CHANGED
