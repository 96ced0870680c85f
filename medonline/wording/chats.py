"""What the bot says in a chat. A stranger may have sent the link to the reader. So the texts name no number, and say what to do in
that case."""

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
    """The bot's texts. `host`: the site where the code is typed."""
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
            f"Код приходит сюда только по ссылке с сайта {host}: она действует 5 минут и открывается один раз. Если она не "
            "сработала, запросите код на сайте ещё раз и откройте новую ссылку."
        ),
        not_it=(
            f"По этому контакту код не отправлен. Нужен ваш собственный контакт с тем номером, который вы указали на сайте {host}: "
            f"поделитесь им кнопкой «{SHARE}» под нашим сообщением. Если код и тогда не придёт, запросите его на сайте ещё раз и "
            "откройте новую ссылку. Если вы ничего не запрашивали, ничего делать не нужно."
        ),
    )


def code_text(code: str, host: str) -> str:
    """The message with the code."""
    return f"Код {code}. Введите его на сайте {host}, там, где вы его запросили. Никому не сообщайте."
