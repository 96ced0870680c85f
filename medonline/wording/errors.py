"""Domain error -> Russian sentence for a patient. This is the only home of error texts. Each says what to do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from math import ceil
from typing import Any
from zoneinfo import ZoneInfo

from medonline.domain import errors
from medonline.domain.errors import (
    BirthDateProblem,
    EmailProblem,
    IdentityProblem,
    NameProblem,
    PasswordProblem,
    PhoneProblem,
)
from medonline.services.codes.delivery import DeliveryProblem
from medonline.wording.channels import switched_off, words_of
from medonline.wording.limits import MOSCOW, clock_time, limit_sentence, next_password
from medonline.wording.regions import ANYWHERE, Help

SAMPLE_PHONE = "+7 912 345-67-89"

PHONE: dict[PhoneProblem, str] = {
    PhoneProblem.EMPTY: f"Введите номер сотового телефона, например {SAMPLE_PHONE}.",
    PhoneProblem.NOT_A_NUMBER: f"Это не похоже на номер телефона. Введите номер цифрами, например {SAMPLE_PHONE}.",
    PhoneProblem.TOO_SHORT: f"В номере не хватает цифр. Проверьте его: например, {SAMPLE_PHONE}.",
    PhoneProblem.TOO_LONG: f"В номере лишние цифры. Проверьте его: например, {SAMPLE_PHONE}.",
    PhoneProblem.EXTENSION: "Введите сотовый номер без добавочного.",
    PhoneProblem.FOREIGN: "Код приходит только на российские сотовые номера. Введите номер, который начинается с +7 9.",
    PhoneProblem.KAZAKHSTAN: (
        "Это номер Казахстана, на него код не придёт. Введите российский сотовый номер: он начинается с +7 9."
    ),
    PhoneProblem.FIXED_LINE: (
        "Это городской телефон, на него код не придёт. Введите сотовый номер: он начинается с +7 9."
    ),
    PhoneProblem.TOLL_FREE: "Это бесплатный номер 8-800. Введите свой сотовый номер: он начинается с +7 9.",
    PhoneProblem.NOT_MOBILE: "На этот номер код не придёт. Введите российский сотовый номер: он начинается с +7 9.",
}

# For a sign-in with a password, which sends no code.
_PHONE_TO_SIGN_IN = {
    PhoneProblem.FOREIGN: "В личный кабинет входят по российскому сотовому номеру: он начинается с +7 9.",
    PhoneProblem.KAZAKHSTAN: (
        "Это номер Казахстана. В личный кабинет входят по российскому сотовому номеру: он начинается с +7 9."
    ),
    PhoneProblem.FIXED_LINE: "Это городской телефон. В личный кабинет входят по сотовому номеру: он начинается с +7 9.",
    PhoneProblem.NOT_MOBILE: "В личный кабинет входят по российскому сотовому номеру: он начинается с +7 9.",
}

COOKIES_FOR_GOSUSLUGI = "Разрешите куки для этого сайта в браузере, обновите страницу и войдите снова."
JOURNEY_ALLOWED_AGAIN = "Войти через Госуслуги снова можно. Нажмите «Попробовать ещё раз»."
IDENTITY: dict[IdentityProblem, str] = {
    IdentityProblem.DENIED: (
        "Вы отказались передать данные с Госуслуг. Без этого портал не узнает, кто входит. "
        "Попробуйте ещё раз и нажмите «Предоставить» или войдите по телефону и паролю."
    ),
    IdentityProblem.CONSENT_MISSING: (
        "На Госуслугах нет вашего согласия на передачу данных порталу. Попробуйте ещё раз и дайте согласие на Госуслугах."
    ),
    IdentityProblem.STALE: (
        "Прошло слишком много времени, или этот вход уже завершён в другом окне. Начните вход заново."
    ),
    IdentityProblem.NOT_ASKED: (
        "Госуслуги впустили вас без проверки, потому что вы вошли там раньше, а сейчас она нужна. "
        "Выйдите из Госуслуг и войдите ещё раз."
    ),
    IdentityProblem.CODE_USED: "Этот вход через Госуслуги уже использован или устарел. Начните вход заново.",
    IdentityProblem.TOO_OFTEN: (
        "В этот личный кабинет входили слишком часто, и пока войти нельзя. Попробуйте через час или позже. Если это были не "
        "вы, восстановите пароль по телефону: после этого войти можно сразу."
    ),
    IdentityProblem.BUSY: (
        "Сейчас через Госуслуги входит очень много людей. Подождите минуту и попробуйте ещё раз или войдите по телефону "
        "и паролю."
    ),
    IdentityProblem.UNAVAILABLE: (
        "Госуслуги сейчас не отвечают. Попробуйте через несколько минут или войдите по телефону и паролю."
    ),
    IdentityProblem.MISCONFIGURED: (
        "Вход через Госуслуги сейчас не работает, мы уже знаем об этом. Войдите по телефону и паролю."
    ),
    IdentityProblem.UNTRUSTWORTHY: (
        "Портал не смог проверить ответ Госуслуг и не пустил никого в кабинет. "
        "Проверьте адрес сайта и начните вход заново."
    ),
    IdentityProblem.NOT_CONFIRMED: (
        "Ваша учётная запись на Госуслугах не подтверждена. Подтвердите её на Госуслугах: через банк или в центре "
        "обслуживания с паспортом и СНИЛС. После этого вход заработает."
    ),
    IdentityProblem.DELETED: (
        "Эта учётная запись на Госуслугах удалена. Войдите с другой или обратитесь в центр обслуживания Госуслуг."
    ),
    IdentityProblem.CHILD: (
        "Это учётная запись ребёнка. Войдите со своей: карту ребёнка можно добавить в разделе «Мои карты»."
    ),
    IdentityProblem.INCOMPLETE: (
        "Госуслуги передали не все данные: нужны фамилия, имя и дата рождения. "
        "Заполните их в профиле на Госуслугах и войдите снова."
    ),
    IdentityProblem.UNREADABLE: (
        "Госуслуги передали ваши данные в таком виде, что портал не смог их прочитать. В профиле исправлять ничего не нужно, мы уже "
        "знаем об этом. Войдите по телефону и паролю."
    ),
    IdentityProblem.OTHER: "Госуслуги не сообщили понятной причины. Попробуйте ещё раз или войдите по телефону и паролю.",
}

_EMPTY_NAMES = {"last_name": "Введите фамилию.", "first_name": "Введите имя."}
SESSION_OVER = "Войдите снова: вход завершён или прошло слишком много времени."
SIGNED_OUT = "Вы вышли из личного кабинета."
CHANNEL_MISSING = "Выберите, как получить код."
SOMETHING_WRONG = "Что-то пошло не так, мы уже знаем об этом. Подождите минуту и попробуйте ещё раз."
# The sentence is true: forms keep what was typed when their handler fails.
DATABASE_AWAY = "Портал временно не отвечает. Введённое осталось на странице: подождите минуту и попробуйте ещё раз."


def plural(count: int, one: str, few: str, many: str) -> str:
    """`count` with the right form of a Russian noun: 1 попытка, 2 попытки, 5 попыток."""
    if count % 10 == 1 and count % 100 != 11:
        return f"{count} {one}"
    if count % 10 in (2, 3, 4) and count % 100 not in (12, 13, 14):
        return f"{count} {few}"
    return f"{count} {many}"


def duration(of: timedelta) -> str:
    """A wait in words, rounded up: «40 секунд», «2 минуты»."""
    seconds = max(ceil(of.total_seconds()), 1)
    if seconds < 60:
        return plural(seconds, "секунду", "секунды", "секунд")
    return plural(ceil(seconds / 60), "минуту", "минуты", "минут")


def long_duration(of: timedelta) -> str:
    """The same for a wait that may last a day: «35 минут», «5 часов»."""
    hours = ceil(of.total_seconds() / 3600)
    return plural(hours, "час", "часа", "часов") if hours > 1 else duration(of)


def session_idle(longest: timedelta) -> str:
    """The notice after a session that was idle or has reached its longest duration (`longest`)."""
    return (
        f"Вход завершён: вы долго ничего не делали или с начала входа прошло {long_duration(longest)}. Войдите снова."
    )


def attempts_left(count: int) -> str:
    """How many guesses remain."""
    verb = "Осталась" if count % 10 == 1 and count % 100 != 11 else "Осталось"
    return f"{verb} {plural(count, 'попытка', 'попытки', 'попыток')}."


def _signs(forbidden: str) -> str:
    """The characters that are not allowed. Invisible characters are called so."""
    if not forbidden:
        return ""
    spaces = any(sign.isspace() for sign in forbidden)
    visible = [f"«{sign}»" for sign in forbidden if sign.isprintable() and not sign.isspace()]
    hidden = len(visible) + sum(sign.isspace() for sign in forbidden) < len(forbidden)
    named = [*visible, *(["пробел"] if spaces else []), *(["невидимый знак"] if hidden else [])]
    return f"Вы ввели {', '.join(named[:-1]) + ' и ' if len(named) > 1 else ''}{named[-1]}. "


def _password(error: errors.InvalidPassword) -> str:
    texts = {
        PasswordProblem.EMPTY: "Введите пароль.",
        PasswordProblem.CYRILLIC_LAYOUT: (
            "В пароле русские буквы: похоже, включена русская раскладка. Переключите клавиатуру на английский язык."
        ),
        PasswordProblem.FORBIDDEN_CHARACTERS: (
            f"{_signs(error.forbidden)}В пароле бывают только латинские буквы и цифры, без пробелов и знаков."
        ),
        PasswordProblem.NOT_ASCII: (
            f"{_signs(error.forbidden)}В пароле бывают только латинские буквы, цифры и знаки английской раскладки."
        ),
        PasswordProblem.TOO_SHORT: (
            f"Пароль слишком короткий: нужно не меньше {plural(error.min_length, 'символа', 'символов', 'символов')}."
        ),
        PasswordProblem.TOO_LONG: "Пароль слишком длинный: не больше 256 символов.",
        PasswordProblem.COMMON: (
            "Такие пароли пробуют первыми. Придумайте другой: например, два-три слова, не связанных между собой."
        ),
        PasswordProblem.PERSONAL: (
            "В пароле ваше имя, телефон или дата рождения: их пробуют первыми. Придумайте другой пароль."
        ),
        PasswordProblem.BREACHED: (
            "Этот пароль есть в списках украденных. Придумайте другой, который вы нигде не использовали."
        ),
    }
    return " ".join(texts[problem] for problem in error.problems)


def _mismatch(error: errors.CodeMismatch | errors.BirthDateMismatch) -> str:
    code = isinstance(error, errors.CodeMismatch)
    what = "Код не подошёл" if code else "Дата рождения не подошла"
    if error.attempts_left:
        return f"{what}. {attempts_left(error.attempts_left)}"
    return f"{what}, попытки закончились.{' Получите новый код.' if code else ''}"


def _channel_unavailable(error: errors.ChannelUnavailable) -> str:
    otherwise = " Выберите другой способ." if error.another else ""
    return f"{switched_off(error.channel, error.reason)}{otherwise}"


NAME: dict[NameProblem, str] = {
    NameProblem.EMPTY: "Заполните это поле.",
    NameProblem.DIGITS: "В имени и фамилии не бывает цифр. Проверьте, что написано.",
    NameProblem.SYMBOLS: "Используйте только буквы, дефис, апостроф и пробел.",
    NameProblem.TOO_LONG: "Слишком длинно: не больше 100 букв.",
}
EMAIL: dict[EmailProblem, str] = {
    EmailProblem.NO_AT: "В адресе не хватает знака @. Напишите его целиком, например имя@почта.рф.",
    EmailProblem.NO_DOMAIN: "В адресе после знака @ не хватает названия почты, например имя@почта.рф.",
    EmailProblem.MALFORMED: "В адресе электронной почты ошибка. Проверьте лишние пробелы, точки и знаки.",
}

BIRTH_DATE: dict[BirthDateProblem, str] = {
    BirthDateProblem.NOT_A_DATE: "Введите дату рождения: день, месяц и год, например 14.03.1985.",
    BirthDateProblem.CENTURY_UNCLEAR: "Введите год рождения четырьмя цифрами, например 14.03.1985.",
}

_SENTENCES: dict[type[errors.MedonlineError], Callable[[Any], str]] = {
    errors.InvalidPhone: lambda error: PHONE[error.problem],
    errors.InvalidPassword: _password,
    errors.PasswordsDiffer: lambda _: "Пароли не совпадают. Введите один и тот же пароль два раза.",
    errors.InvalidCredentials: lambda _: (
        "Телефон или пароль не подошли. Проверьте раскладку клавиатуры и Caps Lock или нажмите «Не могу войти»."
    ),
    errors.RateLimited: lambda error: f"Код можно запросить ещё раз через {duration(error.resets_in)}.",
    errors.Busy: lambda error: f"Сейчас входит очень много людей. Попробуйте через {duration(error.retry_in)}.",
    errors.NoRecoveryInProgress: lambda _: (
        "Этот шаг уже завершён или прошло слишком много времени. Начните с номера телефона."
    ),
    errors.CookiesMissing: lambda _: "Разрешите куки для этого сайта в браузере и обновите страницу.",
    errors.PasswordAlreadySet: lambda _: (
        "Пароль уже изменён в другом окне. Войдите с тем паролем или восстановите его ещё раз."
    ),
    errors.CodeStillSending: lambda _: (
        "Код ещё отправляется. Подождите пару секунд и отправьте его снова: попытка не потрачена."
    ),
    errors.CallNotSeen: lambda _: (
        "Звонка с вашего номера пока не видно. Позвоните именно с того номера, который указали, и не скрывайте его. Если уже "
        "позвонили, подождите несколько секунд."
    ),
    errors.CallOver: lambda _: (
        "Время для звонка вышло, или номер получили ещё раз. Получите номер снова или выберите другой способ."
    ),
    errors.CodeEmpty: lambda _: "Введите код цифрами.",
    errors.CodeIncomplete: lambda error: (
        f"В коде {plural(error.expected, 'цифра', 'цифры', 'цифр')}. Проверьте, что ввели все. Попытка не потрачена."
    ),
    errors.CodeMismatch: _mismatch,
    errors.BirthDateMismatch: _mismatch,
    errors.CodeReplaced: lambda _: (
        "Это прежний код. Подходит только последний: посмотрите, какой пришёл позже всех. Попытка не потрачена."
    ),
    errors.CodeExpired: lambda _: "Время действия кода вышло. Получите новый код.",
    errors.CodeUsedUp: lambda _: "Этот код больше не действует. Получите новый код.",
    errors.InvalidName: lambda error: NAME[error.problem],
    errors.InvalidEmail: lambda error: EMAIL[error.problem],
    errors.InvalidBirthDate: lambda error: BIRTH_DATE[error.problem],
    errors.InvalidPolicy: lambda _: "В номере полиса ОМС 16 цифр. Проверьте, что ввели все: они напечатаны на полисе.",
    errors.CardAlreadyLinked: lambda _: "Эта карта уже есть в вашем кабинете.",
    errors.ConsentAlreadyAsked: lambda _: (
        "Вы уже попросили показать эту карту. Запрос ждёт согласия владельца, он есть на этой странице."
    ),
    errors.StatementMissing: lambda _: (
        "Владельцу полиса нет 15 лет: такую карту добавляет только законный представитель. Если это вы, отметьте «Я законный "
        "представитель ребёнка»."
    ),
    errors.TooManyCards: lambda error: (
        f"В кабинете уже {plural(error.most, 'карта или запрос', 'карты и запроса', 'карт и запросов')}, больше добавить нельзя. "
        "Уберите карту или отзовите запрос, которые больше не нужны."
    ),
    errors.NotSignedIn: lambda _: SESSION_OVER,
    errors.ReauthenticationNeeded: lambda _: (
        "Чтобы изменить телефон, пароль, фамилию или имя, подтвердить почту или заменить подтверждённую, отвязать Госуслуги или "
        "изменить вход по отпечатку, лицу или PIN, подтвердите, что это вы: вас давно об этом не спрашивали."
    ),
    errors.NoPendingIdentity: lambda _: (
        "Этот вход через Госуслуги уже завершён или прошло слишком много времени. Начните вход заново."
    ),
    errors.AccountOfAnother: lambda _: (
        "Этот личный кабинет оформлен на другого человека, связать его с вашими Госуслугами нельзя. Проверьте номер. Если в "
        "кабинете прежняя фамилия, войдите в него по паролю и исправьте её в настройках. Если кабинет не ваш, создайте новый."
    ),
    errors.AccountNotFound: lambda _: "Такого личного кабинета нет.",
    errors.NoChangeInProgress: lambda _: "Замена номера уже завершена или отменена. Укажите новый номер ещё раз.",
    errors.NoSuchIdentity: lambda _: "Эта учётная запись Госуслуг уже не открывает кабинет.",
    errors.LastWayIn: lambda _: (
        "Пока войти в кабинет можно только через эту учётную запись Госуслуг. Сначала укажите номер телефона, задайте пароль и "
        "сохраните настройки."
    ),
    errors.PasskeyUnknown: lambda _: (
        "Этот вход по отпечатку, лицу или PIN больше не открывает личный кабинет: его убрали. Войдите по телефону и паролю или "
        "нажмите «Не могу войти», а потом добавьте его в настройках снова."
    ),
    errors.PasskeyLate: lambda _: "Прошло слишком много времени, или этот вход уже использован. Попробуйте ещё раз.",
    errors.PasskeyNotVerified: lambda _: (
        "Устройство не подтвердило, что это вы. Попробуйте ещё раз: приложите палец, покажите лицо или введите PIN. Если не "
        "получается, войдите по телефону и паролю."
    ),
    errors.PasskeyAlreadyAdded: lambda _: "На этом устройстве такой вход уже добавлен. Добавлять его ещё раз не нужно.",
    errors.TooManyPasskeys: lambda error: (
        f"В кабинете уже {plural(error.most, 'такой вход', 'таких входа', 'таких входов')}, больше добавить нельзя. Уберите в "
        "настройках тот, которым не пользуетесь."
    ),
    errors.NoSuchPasskey: lambda _: "Этот вход по отпечатку, лицу или PIN уже убран.",
    errors.PasskeysOff: lambda _: (
        "Вход по отпечатку, лицу или PIN здесь сейчас не работает. Войдите по телефону и паролю."
    ),
    errors.NoSuchRequest: lambda _: "На этот запрос уже ответили, его отозвали или срок его вышел.",
    errors.IdentityRefused: lambda error: IDENTITY[error.problem],
    errors.RegistryUnavailable: lambda _: (
        "Реестр медицинских карт сейчас не отвечает. Подождите несколько минут и попробуйте ещё раз."
    ),
    errors.ChannelUnavailable: _channel_unavailable,
    errors.MailboxUnknown: lambda _: "Такого почтового адреса нет. Проверьте адрес в настройках.",
    errors.NumberNotReachable: lambda _: "На этот номер код отправить не удалось. Попробуйте другой способ.",
    errors.NumberRefused: lambda _: "Сейчас код на этот номер отправить нельзя. Попробуйте другой способ.",
    errors.OutOfMoney: lambda _: "Этот способ сейчас не работает. Попробуйте другой.",
    errors.ProviderRefused: lambda _: "Этот способ сейчас не работает. Попробуйте другой.",
    errors.ProviderDown: lambda _: "Этот способ сейчас не работает. Попробуйте другой.",
}

# Sentences that name a contact.
_WITH_HELP: dict[type[errors.MedonlineError], Callable[[Any, Help], str]] = {
    errors.DisputeNotPossible: lambda _, help: (
        "Эта ссылка больше не действует: ею уже воспользовались, пришло более новое сообщение, или прошло больше недели. Если "
        f"в кабинет вошли или изменили его не вы, обратитесь в {help.desk} с паспортом."
    ),
    errors.CodeNotEnough: lambda error, help: (
        "Код подошёл, но сейчас кабинет по нему одному не открываем, чтобы его не открыл чужой человек. "
        + (
            f"{words_of(error.better).get_it} или подтвердите кабинет паролем. "
            if error.better
            else "Подтвердите кабинет паролем. "
        )
        + "Если кабинета у вас не было, нажмите «Назад» и откройте новый. Если пароль не помните, "
        f"обратитесь в {help.desk} с паспортом."
    ),
    errors.PhoneTaken: lambda _, help: (
        "Этот номер уже указан в другом личном кабинете. Укажите другой номер или войдите в тот кабинет и замените "
        f"номер там. Если номер раньше был у другого человека, обратитесь в {help.desk} с паспортом."
    ),
    errors.CardNotFound: lambda _, help: (
        "Карта с таким полисом и такой датой рождения не найдена. Проверьте номер и дату: она должна быть того человека, "
        f"на кого выдан полис. Если всё верно, обратитесь в {help.desk} с паспортом и полисом."
    ),
    errors.CardUnreadable: lambda _, help: (
        "Реестр медицинских карт ответил, но прочитать его ответ портал не смог. В ваших данных ошибки нет: попробуйте позже или "
        f"обратитесь в {help.desk} с паспортом и полисом."
    ),
}


def _call_awaited(error: errors.CallAwaited, zone: ZoneInfo, help: Help) -> str:
    if error.better is not None:
        instead = f"{words_of(error.better).get_it} или подождите."
    else:
        instead = f"Подождите{' или войдите через Госуслуги' if help.gosuslugi else ''}."
    return (
        "Звонка с этого номера уже ждут в другом окне или браузере. Этот способ откроется в "
        f"{clock_time(error.until, error.now, zone)}. {instead}"
    )


_NO_PASSWORD_NOW = (errors.TooManySignIns, errors.SignInsOverloaded)
_FORGOTTEN_INSIDE = "Если забыли пароль, выйдите и нажмите «Не могу войти»."


def sentence(error: errors.MedonlineError, zone: ZoneInfo = MOSCOW, help: Help = ANYWHERE) -> str:
    """What a patient reads about an error. Clock times are in `zone`. `help`: the contacts that the sentence may name."""
    if isinstance(error, errors.LimitReached):
        return limit_sentence(error, zone, help)
    if isinstance(error, errors.CallAwaited):
        return _call_awaited(error, zone, help)
    if isinstance(error, errors.InvalidFields):
        return "Ничего не сохранено. " + " ".join(sentence(one, zone, help) for one in error.by_field.values())
    if type(error) in _WITH_HELP:
        return _WITH_HELP[type(error)](error, help)
    return _SENTENCES[type(error)](error)


def sign_in_sentence(error: errors.MedonlineError, zone: ZoneInfo = MOSCOW, help: Help = ANYWHERE) -> str:
    """The same for a sign-in with a password. It says nothing about codes."""
    if isinstance(error, errors.InvalidPhone) and error.problem in _PHONE_TO_SIGN_IN:
        return _PHONE_TO_SIGN_IN[error.problem]
    return sentence(error, zone, help)


def closed_sentence(error: errors.MedonlineError, zone: ZoneInfo = MOSCOW, help: Help = ANYWHERE) -> str:
    """The same for «Вход временно закрыт». That dialog itself offers what works now."""
    return next_password(error, zone) if isinstance(error, _NO_PASSWORD_NOW) else sentence(error, zone, help)


def linking_sentence(
    error: errors.MedonlineError, zone: ZoneInfo = MOSCOW, help: Help = ANYWHERE, *, by_code: bool = True
) -> str:
    """The same for a patient who came from Gosuslugi and proves an old account with its password.

    by_code: a way of getting a code is open, which is the other proof there.
    """
    if isinstance(error, errors.InvalidCredentials):
        otherwise = " или откройте ниже «Не помню пароль, подтвердить кодом»" if by_code else ""
        return f"Телефон или пароль не подошли. Проверьте раскладку клавиатуры и Caps Lock{otherwise}."
    if isinstance(error, _NO_PASSWORD_NOW):
        otherwise = " Ждать не обязательно: подтвердите кабинет кодом." if by_code else ""
        return f"{next_password(error, zone)}{otherwise}"
    return sign_in_sentence(error, zone, help)


def proof_sentence(error: errors.MedonlineError, zone: ZoneInfo = MOSCOW, help: Help = ANYWHERE) -> str:
    """The same for a signed-in patient who must type the current password."""
    if isinstance(error, errors.InvalidCredentials):
        otherwise = " или подтвердите себя через Госуслуги" if help.gosuslugi else ""
        return f"Пароль не подошёл. Проверьте раскладку клавиатуры и Caps Lock{otherwise}. {_FORGOTTEN_INSIDE}"
    if isinstance(error, _NO_PASSWORD_NOW):
        otherwise = "Ждать не обязательно: подтвердите себя через Госуслуги. " if help.gosuslugi else ""
        return f"{next_password(error, zone)} {otherwise}{_FORGOTTEN_INSIDE}"
    return sentence(error, zone, help)


def field_sentence(field: str, error: errors.MedonlineError, help: Help = ANYWHERE) -> str:
    """The same for one field of a form. For an empty name, it says which name is needed."""
    if isinstance(error, errors.InvalidName) and error.problem is NameProblem.EMPTY and field in _EMPTY_NAMES:
        return _EMPTY_NAMES[field]
    return sentence(error, help=help)


def delivery_failed(problem: str, channel: str) -> str:
    """Why a code did not arrive. The screen adds what to do."""
    return words_of(channel).problems[DeliveryProblem(problem or DeliveryProblem.CHANNEL_DOWN)]


def card_sentence(error: errors.MedonlineError, help: Help = ANYWHERE) -> str:
    """The same for a patient who adds a card. There the limit counts tries, not codes."""
    if isinstance(error, errors.RateLimited):
        return f"Слишком много попыток добавить карту. Попробуйте снова через {long_duration(error.resets_in)}."
    return sentence(error, help=help)


def refresh_sentence(wait: timedelta) -> str:
    """The sentence for a patient who presses «Обновить» again too soon."""
    return f"Реестр карт нельзя спрашивать так часто. Обновить ещё раз можно через {duration(wait)}."
