"""What a notice says: short texts that name no clinic and carry no data.

A message has 300 characters; a sentence leaves room for the link.
"""

from __future__ import annotations

from collections.abc import Mapping

from medonline.services.notices.texts import Text

_SENTENCES: Mapping[Text, str] = {
    Text.PHONE_CHANGED: "Медицина-онлайн: номер для входа в личный кабинет заменён на другой.",
    Text.ACCESS_CHANGED: "Медицина-онлайн: пароль личного кабинета изменён, на других устройствах вход завершён.",
    Text.ACCESS_RECOVERED: "Медицина-онлайн: по коду на ваш телефон установлен новый пароль личного кабинета.",
    Text.ACCESS_RECOVERED_UNLINKED: (
        "Медицина-онлайн: по коду на ваш телефон установлен новый пароль личного кабинета. Вход через Госуслуги, связанный по "
        "паролю или коду, отключён."
    ),
    Text.IDENTITY_UNLINKED: "Медицина-онлайн: от личного кабинета отвязана учётная запись Госуслуг.",
    Text.IDENTITY_LINKED: "Медицина-онлайн: в личный кабинет теперь можно войти через ещё одну учётную запись Госуслуг.",
    Text.CARD_ASKED: (
        "Медицина-онлайн: вас просят показать вашу медицинскую карту. Без вашего согласия её не увидят. Ответьте в личном "
        "кабинете, в разделе «Мои карты»."
    ),
    Text.CARD_GRANTED: (
        "Медицина-онлайн: вы разрешили показать вашу медицинскую карту. Если это не вы, уберите доступ в разделе «Мои карты» "
        "личного кабинета и смените пароль."
    ),
}


def text(of: Text) -> str:
    """The sentence."""
    return _SENTENCES[of]


def with_link(text: str, link: str) -> str:
    """The sentence and the address for «это не я»."""
    return f"{text} Это не вы? {link}"
