"""The journal in plain Russian: one sentence for each event, for the patient it happened to."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from medonline.domain.security_journal import JournalEvent
from medonline.messages import plural
from medonline.services.journal_reading import JournalRow

Details = Mapping[str, str | int]

_METHODS = {"password": "по телефону и паролю", "gosuslugi": "через Госуслуги"}
_CHANNELS = {"flash_call": "проверочный звонок", "telegram": "код в Telegram"}
_BY_CHANNEL = {"flash_call": "по проверочному звонку", "telegram": "по коду в Telegram"}
_PURPOSES = {
    "password_recovery": "чтобы восстановить пароль",
    "account_phone": "чтобы сменить номер",
    "identity_proof": "чтобы связать кабинет с Госуслугами",
}
_HOW = {
    "registration": "при регистрации",
    "snils": "по СНИЛС, имени и дате рождения",
    "verified_phone": "по номеру, имени и дате рождения",
    "password": "по паролю этого кабинета",
    "code": "по коду на номер этого кабинета",
}


def _known(words: Mapping[str, str], details: Details, name: str) -> str:
    """The words for a value, with a blank before them; nothing for a value of an older or newer version."""
    text = words.get(str(details.get(name, "")), "")
    return f" {text}" if text else ""


def _ended(details: Details) -> str:
    count = int(details.get("sessions", 0))
    where = plural(count, "другом устройстве", "других устройствах", "других устройствах")
    return f" Вход завершён на {where}." if count else ""


_SENTENCES: dict[JournalEvent, Callable[[Details], str]] = {
    JournalEvent.REGISTERED: lambda _: "Открыт личный кабинет.",
    JournalEvent.ACCOUNT_MADE: lambda _: "Личный кабинет открыт сотрудником регистратуры.",
    JournalEvent.CONSENT_GIVEN: lambda one: (
        f"Вы согласились на обработку персональных данных (текст {one.get('version', '')})."
    ),
    JournalEvent.SIGNED_IN: lambda one: f"Вход{_known(_METHODS, one, 'method')}.",
    JournalEvent.REAUTHENTICATED: lambda _: "Вы ещё раз подтвердили себя паролем.",
    JournalEvent.SIGNED_OUT: lambda _: "Выход.",
    JournalEvent.SESSION_REPLACED: lambda _: "Прежний вход в этом браузере завершён: выполнен новый.",
    JournalEvent.SESSION_ENDED: lambda one: f"Завершён вход на устройстве: {one.get('ended') or 'неизвестное'}.",
    JournalEvent.OTHER_SESSIONS_ENDED: lambda one: f"Завершены остальные входы.{_ended(one)}",
    JournalEvent.SESSIONS_ENDED_AT_DESK: lambda _: "Сотрудник завершил вход на всех устройствах.",
    JournalEvent.PASSWORD_RECOVERED: lambda one: (
        f"Установлен новый пароль{_known(_BY_CHANNEL, one, 'channel')}.{_ended(one)}"
    ),
    JournalEvent.PASSWORD_CHANGED: lambda one: f"Пароль изменён в настройках.{_ended(one)}",
    JournalEvent.PHONE_CHANGED: lambda one: (
        f"Номер для входа изменён: был номер на …{one['old_tail']}."
        if one.get("old_tail")
        else "Указан номер для входа."
    ),
    JournalEvent.EMAIL_CHANGED: lambda _: "Изменена электронная почта.",
    JournalEvent.NAME_CHANGED: lambda _: "Изменены фамилия или имя.",
    JournalEvent.IDENTITY_LINKED: lambda one: f"Кабинет связан с Госуслугами{_known(_HOW, one, 'how')}.",
    JournalEvent.CARD_ADDED: lambda one: (
        f"Добавлено: {plural(int(one.get('cards', 1)), 'медицинская карта', 'медицинские карты', 'медицинских карт')}."
    ),
    JournalEvent.CARD_REMOVED: lambda _: "Медицинская карта убрана из списка.",
    JournalEvent.DATA_EXPORTED: lambda _: "Сотрудник выгрузил сведения о вас по запросу.",
    JournalEvent.DATA_ERASED: lambda _: "Сведения о вас удалены по запросу.",
    JournalEvent.DISPUTED: lambda one: (
        f"По ссылке «это не я» кабинет закрыт: все входы завершены, пароль не действует, восстановление по телефону "
        f"остановлено на {plural(int(one.get('hours', 24)), 'час', 'часа', 'часов')}."
    ),
    JournalEvent.CODE_ASKED: lambda one: (
        f"На ваш номер запросили{_known(_CHANNELS, one, 'channel')}{_known(_PURPOSES, one, 'purpose')}."
    ),
    JournalEvent.CODE_REFUSED: lambda one: f"Введён неверный код{_known(_PURPOSES, one, 'purpose')}.",
    JournalEvent.SIGN_IN_REFUSED: lambda _: "Кто-то ввёл для входа ваш номер и неверный пароль.",
}
# What a patient should look at twice: it was not accepted, or it changes who can get in.
_NOTEWORTHY = frozenset(
    {
        JournalEvent.PASSWORD_RECOVERED,
        JournalEvent.PASSWORD_CHANGED,
        JournalEvent.PHONE_CHANGED,
        JournalEvent.IDENTITY_LINKED,
        JournalEvent.DISPUTED,
        JournalEvent.CODE_REFUSED,
        JournalEvent.SIGN_IN_REFUSED,
    }
)


def sentence_of(row: JournalRow) -> str:
    """What happened."""
    return _SENTENCES[row.event](row.details)


def is_noteworthy(row: JournalRow) -> bool:
    """Whether the row is marked on the screen."""
    return row.event in _NOTEWORTHY
