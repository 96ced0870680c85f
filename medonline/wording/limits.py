"""Limit reached -> Russian sentence: until when, in local time, and what else works. It is the same for known and unknown phones."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from medonline.domain import errors
from medonline.wording.channels import words_of
from medonline.wording.regions import ANYWHERE, Help

MOSCOW = ZoneInfo("Europe/Moscow")
_MONTHS = (
    "января", "февраля", "марта", "апреля", "мая", "июня",
    "июля", "августа", "сентября", "октября", "ноября", "декабря",
)  # fmt: skip


def _otherwise(help: Help) -> str:
    """What the patient can do without waiting."""
    return f"Ждать не обязательно: {help.gosuslugi_or('войдите через Госуслуги')}обратитесь в {help.desk} с паспортом."


def _not_you(help: Help) -> str:
    return f"Если меняли не вы, откройте ссылку из сообщения об изменении или обратитесь в {help.desk} с паспортом."


_WRONG_PASSWORDS = "Слишком много раз ввели неверный пароль. Следующая попытка возможна после {}."
_OVERLOADED = (
    "На портале сейчас очень много неудачных попыток войти, поэтому вход по паролю с новых устройств приостановлен. "
    "Попробуйте после {}"
)

_SENTENCES: dict[type[errors.LimitReached], Callable[[Any, str, Help], str]] = {
    errors.TooManyCodes: lambda _, at, help: (
        f"На этот номер уже отправлено много кодов. Следующий можно запросить после {at}. {_otherwise(help)}"
    ),
    errors.TooManyRequests: lambda _, at, help: (
        "С вашего подключения к интернету запросили много кодов, которые пока никто не ввёл. Следующий можно запросить "
        f"после {at}. Если отправленные коды введут, можно будет раньше: попробуйте через несколько минут. {_otherwise(help)}"
    ),
    errors.TooManyWrongCodes: lambda _, at, help: (
        "С вашего подключения к интернету слишком много раз ввели неверный код. Получить звонок или ввести код из него "
        f"можно после {at}. Код, который приходит сообщением, если его можно выбрать, подойдёт и сейчас. {_otherwise(help)}"
    ),
    errors.NumberBlockBusy: lambda _, at, help: (
        f"Сейчас на номера, похожие на этот, запрашивают очень много кодов. Попробуйте после {at}. {_otherwise(help)}"
    ),
    errors.TooManySignIns: lambda _, at, help: (
        f"{_WRONG_PASSWORDS.format(at)} "
        f"{'Ждать не обязательно: войдите через Госуслуги. ' if help.gosuslugi else ''}"
        "Если забыли пароль, нажмите «Не могу войти»."
    ),
    errors.SignInsOverloaded: lambda _, at, help: (
        f"{_OVERLOADED.format(at)}{' или войдите через Госуслуги' if help.gosuslugi else ''}."
    ),
    errors.SignedInTooOften: lambda _, at, help: (
        f"В этот личный кабинет входили слишком часто. Снова войти можно после {at}. Если это были не вы, не ждите: нажмите "
        "«Не могу войти» и восстановите пароль по телефону."
    ),
    errors.ProvedTooOften: lambda _, at, help: (
        f"Вы слишком часто подтверждали себя паролем. Следующий раз возможен после {at}."
        f"{' Ждать не обязательно: подтвердите себя через Госуслуги.' if help.gosuslugi else ''}"
    ),
    errors.SettingsSavedTooOften: lambda _, at, help: (
        f"Ничего не сохранено: настройки этого кабинета меняли слишком часто. Изменить их снова можно после {at}. {_not_you(help)}"
    ),
    errors.ToldTooOften: lambda _, at, help: (
        "Ничего не изменено: о таких изменениях мы сообщаем владельцу кабинета, и их было слишком много. "
        f"Следующее возможно после {at}. {_not_you(help)}"
    ),
    errors.EmailCodesTooOften: lambda _, at, help: (
        f"Писем с кодом было слишком много. Следующее можно отправить после {at}. Посмотрите в папке «Спам»: подойдёт код из "
        "последнего письма."
    ),
    errors.NoticesOverBudget: lambda _, at, help: (
        "Ничего не изменено: о таких изменениях мы сообщаем на телефон владельца кабинета, а сегодня отправить сообщение "
        f"нельзя. Попробуйте после {at}. Пароль можно сменить и сейчас, по коду: выйдите и нажмите «Не могу войти»."
    ),
    errors.TooManyJourneys: lambda _, at, help: (
        "В этом браузере или с вашего подключения к интернету слишком часто начинали вход через Госуслуги. "
        f"Начать его снова можно после {at}. Ждать не обязательно: войдите по телефону и паролю или восстановите пароль "
        "по телефону."
    ),
    errors.TooManyPasskeyTries: lambda _, at, help: (
        "В этом браузере или с вашего подключения к интернету слишком часто начинали вход по отпечатку, лицу или PIN. "
        f"Начать его снова можно после {at}. Ждать не обязательно: войдите по телефону и паролю"
        f"{' или через Госуслуги' if help.gosuslugi else ''}."
    ),
    errors.RecoveryStopped: lambda _, at, help: (
        "Владелец этого личного кабинета сообщил, что кто-то входил в кабинет или менял его без него. Поэтому код на телефон "
        f"откроет кабинет только после {at}. Если это ваш кабинет, "
        f"{help.gosuslugi_or('после этого времени ещё раз войдите через Госуслуги', 'сейчас ')}обратитесь в {help.desk} с паспортом."
    ),
    errors.ChannelOverBudget: lambda error, at, help: (
        f"{words_of(error.channel).label} снова можно будет получить "
        f"после {at}. Выберите другой способ. {_otherwise(help)}"
    ),
}


def limit_sentence(error: errors.LimitReached, zone: ZoneInfo, help: Help = ANYWHERE) -> str:
    """What a patient reads about a limit. Clock times are in `zone`. `help`: the contacts and ways that the sentence may name."""
    return _SENTENCES[type(error)](error, clock_time(error.until, error.now, zone), help)


def next_password(error: errors.TooManySignIns | errors.SignInsOverloaded, zone: ZoneInfo) -> str:
    """From when the portal checks a password again, for a screen that itself says what else works."""
    at = clock_time(error.until, error.now, zone)
    return _WRONG_PASSWORDS.format(at) if isinstance(error, errors.TooManySignIns) else f"{_OVERLOADED.format(at)}."


class NextCode(Protocol):
    """What is known about the next code to a phone (times are UTC, the phone is masked)."""

    @property
    def phone(self) -> str:
        """The phone that gets the code."""

    @property
    def resend_at(self) -> datetime:
        """From when the patient can request it."""

    @property
    def code_alive(self) -> bool:
        """Whether the last code can still be typed."""

    @property
    def fallback_now(self) -> bool:
        """Whether the other way is open at once."""


def next_code(code: NextCode, now: datetime, zone: ZoneInfo) -> str:
    """Until when a phone waits for its next code, and what works before that. Empty if it does not wait at `now`."""
    if now >= code.resend_at:
        return ""
    alive = " Код, который уже отправлен, ещё действует: его можно ввести." if code.code_alive else ""
    other = " Другим способом код можно получить уже сейчас." if code.fallback_now else ""
    return f"Новый код на номер {code.phone} можно запросить в {clock_time(code.resend_at, now, zone)}.{alive}{other}"


def day_and_time(at: datetime, zone: ZoneInfo) -> str:
    """«5 марта 2026, 14:32», for past events."""
    return f"{day(at, zone)}, {at.astimezone(zone):%H:%M}"


def day(at: datetime, zone: ZoneInfo) -> str:
    """«5 марта 2026», for the heading of a day."""
    local = at.astimezone(zone)
    return f"{local.day} {_MONTHS[local.month - 1]} {local.year}"


def day_of_year(at: datetime, zone: ZoneInfo) -> str:
    """«5 марта», for a date in the current year."""
    local = at.astimezone(zone)
    return f"{local.day} {_MONTHS[local.month - 1]}"


def clock_time(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """«14:32», with the date if it is not today: «14:32 5 марта». It is rounded up to a minute, so that it is never too early."""
    local = at.astimezone(zone)
    if local.second or local.microsecond:
        local = local.replace(second=0, microsecond=0) + timedelta(minutes=1)
    text = f"{local:%H:%M}"
    return text if local.date() == now.astimezone(zone).date() else f"{text} {local.day} {_MONTHS[local.month - 1]}"
