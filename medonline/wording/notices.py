"""The texts of notices. They are short, name no clinic and hold no personal data.

A message has at most 300 characters, and a sentence leaves room for the link.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from medonline.domain.login import LoginMethod
from medonline.services.notices.texts import About, Text
from medonline.wording.limits import day_of_year

_SENTENCES: Mapping[Text, str] = {
    Text.PHONE_CHANGED: "Медицина-онлайн: номер для входа в личный кабинет заменён на другой.",
    Text.PHONE_SET: "Медицина-онлайн: в личном кабинете указан номер телефона, по которому можно войти.",
    Text.ACCESS_CHANGED: "Медицина-онлайн: пароль личного кабинета изменён, на других устройствах вход завершён.",
    Text.ACCESS_RECOVERED: "Медицина-онлайн: по номеру вашего телефона установлен новый пароль личного кабинета.",
    Text.ACCESS_RECOVERED_UNLINKED: (
        "Медицина-онлайн: по номеру вашего телефона установлен новый пароль личного кабинета. Вход через Госуслуги, связанный по "
        "паролю или коду, отключён."
    ),
    Text.ACCESS_RECOVERED_NO_PASSKEYS: (
        "Медицина-онлайн: по номеру вашего телефона установлен новый пароль личного кабинета. Вход по отпечатку, лицу или PIN на "
        "устройствах отключён."
    ),
    Text.ACCESS_RECOVERED_ALL_OFF: (
        "Медицина-онлайн: по номеру вашего телефона установлен новый пароль личного кабинета. Вход по отпечатку, лицу или PIN и "
        "через Госуслуги, связанные по паролю или коду, отключён."
    ),
    Text.IDENTITY_UNLINKED: "Медицина-онлайн: от личного кабинета отвязана учётная запись Госуслуг.",
    Text.IDENTITY_LINKED: "Медицина-онлайн: в личный кабинет теперь можно войти через ещё одну учётную запись Госуслуг.",
    Text.PASSKEY_ADDED: "Медицина-онлайн: добавлен вход в личный кабинет по отпечатку, лицу или PIN устройства.",
    Text.PASSKEY_REMOVED: "Медицина-онлайн: вход в личный кабинет по отпечатку, лицу или PIN одного из устройств убран.",
    Text.ACCESS_BY_PASSKEY: (
        "Медицина-онлайн: после входа по отпечатку, лицу или PIN изменён пароль личного кабинета, на других устройствах вход "
        "завершён."
    ),
    Text.CARD_ASKED: (
        "Медицина-онлайн: вас просят показать вашу медицинскую карту. Без вашего согласия её не увидят. Ответьте в личном "
        "кабинете, в разделе «Мои карты»."
    ),
    Text.CARD_GRANTED: (
        "Медицина-онлайн: вы разрешили показать вашу медицинскую карту. Если это не вы, уберите доступ в разделе «Мои карты» "
        "личного кабинета и смените пароль."
    ),
    Text.EMAIL_CHANGED: "Медицина-онлайн: в личном кабинете указан другой адрес электронной почты вместо этого.",
    Text.EMAIL_PROVED: (
        "Медицина-онлайн: подтверждён адрес электронной почты личного кабинета, уведомления будут приходить и на него."
    ),
    Text.EMAIL_REMOVED: (
        "Медицина-онлайн: этот адрес убран из личного кабинета. Уведомления на него больше не приходят."
    ),
    Text.DISPUTED: (
        "Медицина-онлайн: личный кабинет закрыт по ссылке «Это не вы?» из сообщения: вход везде завершён, пароль не действует. "
        "Как открыть его снова, скажет «Не могу войти» на портале."
    ),
    Text.EMAIL_PROOF: (
        "Медицина-онлайн: этот адрес указали в личном кабинете. Чтобы получать на него уведомления, введите код в настройках "
        "кабинета в течение часа. Если это не вы, ничего не делайте."
    ),
    Text.DESK_PHONE_CHANGED: (
        "Медицина-онлайн: сотрудник регистратуры указал другой номер для входа в личный кабинет."
    ),
    Text.DESK_PHONE_SET: "Медицина-онлайн: сотрудник регистратуры указал номер для входа в личный кабинет.",
    Text.DESK_NUMBER: "Медицина-онлайн: сотрудник регистратуры указал номер этого телефона для входа в личный кабинет.",
    Text.DESK_IDENTITY_UNLINKED: (
        "Медицина-онлайн: сотрудник регистратуры отвязал от личного кабинета учётную запись Госуслуг."
    ),
    Text.DESK_PASSKEY_REMOVED: (
        "Медицина-онлайн: сотрудник регистратуры убрал вход в личный кабинет по отпечатку, лицу или PIN одного из устройств."
    ),
    Text.DESK_SESSIONS_ENDED: (
        "Медицина-онлайн: сотрудник регистратуры завершил вход в личный кабинет на всех устройствах. Войти можно снова, как раньше."
    ),
}
_SUBJECTS: Mapping[About, str] = {
    About.PASSWORD: "Пароль личного кабинета изменён",
    About.RECOVERED: "Установлен новый пароль личного кабинета",
    About.PHONE: "Номер для входа в личный кабинет изменён",
    About.IDENTITY: "Вход через Госуслуги изменён",
    About.PASSKEY: "Изменён вход по отпечатку, лицу или PIN",
    About.CARD_ASKED: "Вас просят показать медицинскую карту",
    About.CARD_GRANTED: "Вы разрешили показать медицинскую карту",
    About.NEW_DEVICE: "Вход в личный кабинет с незнакомого устройства",
    About.EMAIL: "Адрес почты в личном кабинете изменён",
    About.DISPUTED: "Личный кабинет закрыт по ссылке из сообщения",
    About.EMAIL_PROOF: "Код для подтверждения адреса",
    About.DESK_PHONE: "Номер для входа указал сотрудник регистратуры",
    About.DESK_NUMBER: "Номер для входа указал сотрудник регистратуры",
    About.DESK_IDENTITY: "Госуслуги отвязал сотрудник регистратуры",
    About.DESK_PASSKEY: "Вход на одном из устройств убрал сотрудник регистратуры",
    About.DESK_SESSIONS: "Вход везде завершил сотрудник регистратуры",
}


_HOW: Mapping[LoginMethod, str] = {
    LoginMethod.PASSWORD: "по паролю",
    LoginMethod.PASSKEY: "по отпечатку, лицу или PIN",
    LoginMethod.GOSUSLUGI: "через Госуслуги",
}
# The names are those of `web.devices`. A browser can call itself anything. A notice repeats no name that is not here, because it would
# bring a stranger's words to the owner in the portal's own message.
_DEVICES: Mapping[str, str] = {
    **{
        name: name
        for name in (
            "Chrome", "Edge", "Firefox", "Opera", "Safari", "Vivaldi", "Huawei Browser", "Браузер Samsung", "Яндекс Браузер",
            "Android", "Chrome OS", "HarmonyOS", "Linux", "Mac", "Ubuntu", "Windows", "iOS", "iPad", "iPhone",
        )
    },
    "Chrome Mobile iOS": "Chrome", "Firefox iOS": "Firefox", "MiuiBrowser": "Mi Browser",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class NewDeviceSentences:
    """What the owner reads about a sign-in from a new device. `zone`: the time zone of the clock times."""

    zone: ZoneInfo

    def new_device(self, method: LoginMethod, device: str, at: datetime, *, is_last: bool) -> str:
        """The sentence. It must be short: a text to a phone has at most 300 characters, and the link takes a third of them."""
        known = ", ".join(_DEVICES[part] for part in device.split(", ") if part in _DEVICES)
        where = f": {known}" if known else ""
        when = f"{day_of_year(at, self.zone)} в {at.astimezone(self.zone):%H:%M}"
        last = " Пока это последнее сообщение о входах." if is_last else ""
        return f"Медицина-онлайн: вход в кабинет {when} {_HOW[method]} с незнакомого устройства{where}.{last}"


def text(of: Text) -> str:
    """The sentence of a notice."""
    return _SENTENCES[of]


def with_link(text: str, link: str) -> str:
    """The sentence and the address for «это не я»."""
    return f"{text} Это не вы? {link}"


def subject(of: About) -> str:
    """The subject of a mail."""
    return f"Медицина-онлайн: {_SUBJECTS[of][0].lower()}{_SUBJECTS[of][1:]}"


def with_code(text: str, code: str) -> str:
    """The sentence and the code that proves the address."""
    return f"{text}\n\nКод: {code}"


def letter(text: str) -> str:
    """The whole text of a mail."""
    return f"{text.replace(' Это не вы? ', chr(10) * 2 + 'Это не вы? ')}\n\nПисьмо отправлено автоматически, отвечать на него не нужно.\n"
