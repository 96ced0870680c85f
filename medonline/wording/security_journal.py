"""The journal in plain Russian: one sentence for each event, written for the patient."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from medonline.domain.security_journal import JournalEvent
from medonline.services.security_journal.reader import JournalRow
from medonline.wording.account_settings import HOW_LINKED
from medonline.wording.channels import WORDS
from medonline.wording.errors import plural

Details = Mapping[str, str | int]

_METHODS = {
    "password": "по телефону и паролю",
    "gosuslugi": "через Госуслуги",
    "passkey": "по отпечатку, лицу или PIN устройства",
}
_CHANNELS = {channel.value: words.what for channel, words in WORDS.items()}
_ACCEPTED = {channel.value: words.accepted for channel, words in WORDS.items()}
_AFTER = {channel.value: words.after for channel, words in WORDS.items()}
_BY_CHANNEL = {channel.value: words.by for channel, words in WORDS.items()}
_WHAT_FOR = {
    "password_recovery": "чтобы восстановить пароль",
    "account_phone": "чтобы сменить номер",
    "identity_proof": "чтобы связать кабинет с Госуслугами",
}
_WHEN = {
    "password_recovery": "При восстановлении пароля",
    "account_phone": "При смене номера",
    "identity_proof": "При связывании кабинета с Госуслугами",
}
_UNLINKED = {
    "dispute": "— потому что кабинет закрыли по ссылке «это не я»",
    "recovery": "— потому что пароль восстановили по телефону",
    "settings": "— вы убрали её в настройках",
    "desk": "— её убрал сотрудник регистратуры",
}


_PASSKEY_REMOVED = {
    "settings": "— вы убрали его в настройках",
    "desk": "— его убрал сотрудник регистратуры",
    "recovery": "— потому что пароль восстановили по телефону",
    "dispute": "— потому что кабинет закрыли по ссылке «это не я»",
}


def _known(words: Mapping[str, str], details: Details, name: str) -> str:
    """The words for a value, after a space. Empty for a value of an older or newer version of the portal."""
    text = words.get(str(details.get(name, "")), "")
    return f" {text}" if text else ""


def _when(details: Details, what: str) -> str:
    """The sentence with its flow, such as «При восстановлении пароля введён неверный код.»"""
    when = _WHEN.get(str(details.get("purpose", "")), "")
    return f"{when} {what}." if when else f"{what[0].upper()}{what[1:]}."


def _what_for(details: Details) -> str:
    reason = _WHAT_FOR.get(str(details.get("purpose", "")), "")
    return f", {reason}" if reason else ""


def _called(details: Details) -> str:
    name = str(details.get("name", ""))
    return f" «{name}»" if name else ""


def _stopped(details: Details) -> str:
    minutes = int(details.get("minutes", 0))
    if not minutes:
        return "на время"
    hours = plural(minutes // 60, "час", "часа", "часов")
    return f"на {hours}" if minutes % 60 == 0 else f"на {plural(minutes, 'минуту', 'минуты', 'минут')}"


def network_words(network: str) -> str:
    """The kept part of an address: «адрес в интернете начинается с 203.0.113»; empty if there is none."""
    return f"адрес в интернете начинается с {network.removesuffix('.x').rstrip(':')}" if network else ""


def how_long_kept(time: timedelta) -> str:
    """How long a row is kept, rounded down: «3 года», «18 месяцев»."""
    years, days = divmod(time.days, 365)
    if years and days < 30:
        return plural(years, "год", "года", "лет")
    return plural(time.days // 30, "месяц", "месяца", "месяцев")


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
    JournalEvent.EMAIL_PROVED: lambda _: "Подтверждена электронная почта: на неё приходят уведомления.",
    JournalEvent.NAME_CHANGED: lambda _: "Изменены фамилия или имя.",
    JournalEvent.IDENTITY_LINKED: lambda one: f"Кабинет связан с Госуслугами{_known(HOW_LINKED, one, 'how')}.",
    JournalEvent.IDENTITY_UNLINKED: lambda one: (
        f"Отвязана учётная запись Госуслуг, связанная с кабинетом{_known(HOW_LINKED, one, 'how')}{_known(_UNLINKED, one, 'why')}."
    ),
    JournalEvent.PASSKEY_ADDED: lambda one: f"Добавлен вход по отпечатку, лицу или PIN{_called(one)}.",
    JournalEvent.PASSKEY_REMOVED: lambda one: (
        f"Убран вход по отпечатку, лицу или PIN{_called(one)}{_known(_PASSKEY_REMOVED, one, 'why')}."
    ),
    JournalEvent.PASSKEY_COUNTED_BACK: lambda one: (
        f"Счётчик входов устройства{_called(one)} пошёл назад. Обычно так бывает после сброса устройства, но ключ могли и "
        "скопировать: если сомневаетесь, уберите этот вход в настройках и добавьте его заново."
    ),
    JournalEvent.CHANNEL_SWITCHED: lambda _: "Способ получения кодов включён или отключён.",
    JournalEvent.CARD_ADDED: lambda one: (
        f"Добавлено: {plural(int(one.get('cards', 1)), 'медицинская карта', 'медицинские карты', 'медицинских карт')}."
        + (" Вы заявили, что вы законный представитель ребёнка." if one.get("basis") == "representative" else "")
    ),
    JournalEvent.CARD_ACCESS_GRANTED: lambda one: (
        "Вы разрешили другому пациенту видеть ваши медицинские карты."
        if one.get("side") == "holder"
        else "Владелец разрешил вам видеть его медицинские карты."
    ),
    JournalEvent.CARD_ACCESS_WITHDRAWN: lambda _: "Вы отозвали просьбу показать карту другого человека.",
    JournalEvent.CARD_ACCESS_REMOVED: lambda one: (
        "Другой пациент больше не видит ваши медицинские карты."
        if one.get("side") == "holder"
        else "Вы больше не видите медицинские карты другого человека."
    ),
    JournalEvent.CARD_REMOVED: lambda _: "Медицинская карта убрана из списка.",
    JournalEvent.DATA_SHOWN: lambda _: "Сотрудник посмотрел сведения о вас.",
    JournalEvent.NOTICE_RESENT: lambda _: "Сотрудник отправил вам уведомление ещё раз.",
    JournalEvent.LIMITS_RESET: lambda _: "Сотрудник снял ограничение на попытки входа в кабинет.",
    JournalEvent.PACE_RESET: lambda _: "Сотрудник снял ограничение на число входов и изменений в кабинете.",
    JournalEvent.BREAKER_CLOSED: lambda _: "Сотрудник вернул вход по одному проверочному звонку.",
    JournalEvent.DATA_EXPORTED: lambda _: "Сотрудник выгрузил сведения о вас по запросу.",
    JournalEvent.DATA_ERASED: lambda _: "Сведения о вас удалены по запросу.",
    JournalEvent.PHONE_SET_AT_DESK: lambda _: "Номер для входа указан сотрудником регистратуры.",
    JournalEvent.DISPUTED: lambda one: (
        "По ссылке «это не я» кабинет закрыт: все входы завершены, пароль не действует, восстановление по телефону "
        f"остановлено {_stopped(one)}."
        # Older rows have no `number`, only what the notice was about.
        + (
            " Новый номер больше не открывает кабинет."
            if one.get("number", one.get("about")) in ("off", "phone")
            else ""
        )
        + (" Связь с Госуслугами, сделанная по паролю или по коду, разорвана." if one.get("identities") else "")
        + (" Вход по отпечатку, лицу или PIN убран." if one.get("passkeys") else "")
        + (" Адрес почты убран." if one.get("email") == "off" else "")
    ),
    JournalEvent.CODE_ASKED: lambda one: f"На ваш номер запросили{_known(_CHANNELS, one, 'channel')}{_what_for(one)}.",
    JournalEvent.CODE_ACCEPTED: lambda one: _when(one, _ACCEPTED.get(str(one.get("channel")), "введён верный код")),
    JournalEvent.CODE_REFUSED: lambda one: _when(one, "введён неверный код"),
    JournalEvent.BIRTH_DATE_REFUSED: lambda one: _when(
        one, f"{_AFTER.get(str(one.get('channel')), 'после верного кода')} указана неверная дата рождения"
    ),
    JournalEvent.SIGN_IN_REFUSED: lambda _: "Кто-то ввёл для входа ваш номер и неверный пароль.",
    JournalEvent.CARD_REFUSED: lambda _: (
        "Не подошли номер полиса или дата рождения, когда добавляли медицинскую карту."
    ),
    JournalEvent.CARD_ACCESS_ASKED: lambda one: (
        "Другой пациент попросил показать ваши медицинские карты. Ответить можно в разделе «Мои карты»."
        if one.get("side") == "holder"
        else "Вы попросили показать карту другого человека. Она откроется, если он согласится."
    ),
    JournalEvent.CARD_ACCESS_REFUSED: lambda _: "Вы отказались показать другому пациенту свои медицинские карты.",
    JournalEvent.OTHER: lambda _: "Событие, о котором эта версия портала не знает.",
}
_WRONG_INSIDE = "В личном кабинете введён неверный пароль, когда нужно было подтвердить себя."
# Events that deserve a second look: an attempt was not accepted, or it changes who can get in.
_NOTEWORTHY = frozenset(
    {
        JournalEvent.PASSWORD_RECOVERED,
        JournalEvent.PASSWORD_CHANGED,
        JournalEvent.PHONE_CHANGED,
        JournalEvent.EMAIL_CHANGED,
        JournalEvent.EMAIL_PROVED,
        JournalEvent.IDENTITY_LINKED,
        JournalEvent.IDENTITY_UNLINKED,
        JournalEvent.PASSKEY_ADDED,
        JournalEvent.PASSKEY_REMOVED,
        JournalEvent.PASSKEY_COUNTED_BACK,
        JournalEvent.CARD_ACCESS_GRANTED,
        JournalEvent.DISPUTED,
        JournalEvent.CODE_REFUSED,
        JournalEvent.BIRTH_DATE_REFUSED,
        JournalEvent.PHONE_SET_AT_DESK,
        JournalEvent.SIGN_IN_REFUSED,
    }
)


def sentence_of(row: JournalRow) -> str:
    """What happened, and how often if it was repeated."""
    inside = row.event is JournalEvent.SIGN_IN_REFUSED and row.own
    said = _WRONG_INSIDE if inside else _SENTENCES[row.event](row.details)
    return f"{said} Так было {plural(row.times, 'раз', 'раза', 'раз')} подряд." if row.times > 1 else said


def is_noteworthy(row: JournalRow) -> bool:
    """Whether the row is marked on the screen."""
    return row.event in _NOTEWORTHY
