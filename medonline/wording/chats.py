"""What the bot says in a chat. It may be read by whom a stranger has sent the link to: it names no number, and says what to do then."""

from __future__ import annotations

from medonline.services.account_settings import service
from medonline.services.codes.chats import ChatWords
from medonline.services.gosuslugi import pending_person
from medonline.services.password_recovery import reader

SHARE = "Поделиться контактом"
PURPOSES = {
    reader.PURPOSE: "чтобы восстановить пароль от личного кабинета",
    pending_person.PURPOSE: "чтобы связать личный кабинет с Госуслугами",
    service.PURPOSE: "чтобы сменить номер телефона в личном кабинете",
}


def chat_words(host: str) -> ChatWords:
    """`host`: where the code is typed in."""
    return ChatWords(
        ask={
            purpose: (
                f"«Медицина-онлайн», {host}. Здесь попросили код, {why}.\n\nЕсли это делаете вы сами, нажмите «{SHARE}»: "
                "мы проверим, что это ваш номер, и пришлём код. Если вас попросил кто-то другой или вы ничего не запрашивали, "
                "ничего не нажимайте."
            )
            for purpose, why in PURPOSES.items()
        },
        button=SHARE,
        no_link=(
            f"Ссылка не работает: она действует 5 минут и открывается один раз. Запросите код на сайте {host} ещё раз и откройте "
            "новую ссылку."
        ),
        not_it=(
            f"По этому контакту код не отправлен. Откройте чат по ссылке с сайта {host} и нажмите «{SHARE}»: нужен ваш собственный "
            "контакт с тем номером, который вы указали на сайте. Если вы ничего не запрашивали, ничего делать не нужно."
        ),
    )


def code_text(code: str, host: str) -> str:
    """The message with the code."""
    return f"Код {code}. Введите его на сайте {host}, там, где вы его запросили. Никому не сообщайте."
