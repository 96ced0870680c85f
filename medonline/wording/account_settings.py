"""The texts of the settings: after «Сохранить», and about the accounts at Gosuslugi that open the account."""

from __future__ import annotations

from medonline.domain.gosuslugi import LinkedHow
from medonline.services.account_settings.form import Saved
from medonline.wording.errors import plural

HOW_LINKED: dict[str, str] = {
    LinkedHow.REGISTRATION: "при регистрации",
    LinkedHow.SNILS: "по СНИЛС, имени и дате рождения",
    LinkedHow.VERIFIED_PHONE: "по номеру, имени и дате рождения",
    LinkedHow.PASSWORD: "по паролю этого кабинета",
    LinkedHow.CODE: "по коду на номер этого кабинета",
}
NOTHING_SAVED = "Ничего не сохранено. Исправьте отмеченное."
_SAVED = {
    "phone": "телефон",
    "email": "электронная почта",
    "last_name": "фамилия",
    "first_name": "имя",
    "password_hash": "пароль",
}


def what_was_saved(saved: Saved, *, has_phone: bool) -> str:
    """An honest notice: which fields were saved, and what a new password causes."""
    names = [_SAVED[name] for name in saved.changed if name in _SAVED]
    if not names:
        return "Вы ничего не изменили."
    text = f"Сохранено: {', '.join(names)}."
    if "password_hash" in saved.changed:
        text += " На других устройствах вход завершён. "
        text += (
            "Теперь можно входить по телефону и новому паролю."
            if has_phone
            else "Чтобы входить с этим паролем, укажите выше номер телефона."
        )
    return text


def what_was_unlinked(sessions_ended: int) -> str:
    """The notice after «Да, отвязать»: which sign-in is closed, and how many sessions ended with it."""
    text = "Учётная запись Госуслуг отвязана: войти через неё в этот кабинет больше нельзя."
    where = plural(sessions_ended, "другом устройстве", "других устройствах", "других устройствах")
    return f"{text} Вход через Госуслуги завершён на {where}." if sessions_ended else text
