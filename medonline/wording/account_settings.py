"""What the settings say after «Сохранить»."""

from __future__ import annotations

from medonline.services.account_settings.form import Saved

NOTHING_SAVED = "Ничего не сохранено. Исправьте отмеченное."
_SAVED = {
    "phone": "телефон",
    "email": "электронная почта",
    "last_name": "фамилия",
    "first_name": "имя",
    "password_hash": "пароль",
}


def what_was_saved(saved: Saved, *, has_phone: bool) -> str:
    """An honest notice: which fields, and what follows from a new password."""
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
