"""«Не могу войти» (guide G13, G14): a diagnosis. Every branch ends in something that the patient can do."""

from __future__ import annotations

from typing import Any

import reflex as rx

from medonline import routes
from medonline.components.dialog import dialog, open_button
from medonline.components.gosuslugi import gosuslugi_form
from medonline.components.icons import icon
from medonline.components.passkeys import passkey_button, passkey_place
from medonline.dialogs.desk import turn_to_desk
from medonline.dialogs.login import LOGIN, TROUBLE
from medonline.state.account import AccountState
from medonline.state.waits import WaitsState

WAY = "recovery-way"
CLOSED = "trouble-closed"

_PROBLEMS: tuple[tuple[str, str], ...] = (
    ("Не помню пароль", WAY),
    ("Не помню, какой номер указан", "trouble-phone-unknown"),
    ("Номер телефона сменился", "trouble-phone-changed"),
    ("Не приходит код", "trouble-no-code"),
    ("Не получается войти через Госуслуги", "trouble-gosuslugi"),
    ("Вход временно закрыт", CLOSED),
    ("Нет личного кабинета", "trouble-no-account"),
)
_BRING = "возьмите ещё полис ОМС и сотовый телефон"
# The events of lines whose answer depends on this browser.
_ASKS: dict[str, dict[str, Any]] = {CLOSED: {"on_click": WaitsState.load}}


def trouble_dialogs() -> rx.Component:
    """The picker and the dialog of each of its lines."""
    return rx.fragment(_picker(), _way(), *_advice())


def _picker() -> rx.Component:
    return dialog(
        TROUBLE,
        "Не могу войти",
        rx.el.p("Что случилось?"),
        rx.el.ul(
            *(
                rx.el.li(
                    open_button(rx.el.span(label), target, icon("arrow"), class_name="choice", **_ASKS.get(target, {}))
                )
                for label, target in _PROBLEMS
            ),
            class_name="choices",
        ),
        back=LOGIN,
    )


def _way() -> rx.Component:
    return dialog(
        WAY,
        "Как восстановить пароль?",
        rx.el.ul(
            rx.cond(AccountState.gosuslugi_on, rx.el.li(_through_gosuslugi())),
            rx.el.li(
                rx.el.a(
                    rx.el.span(
                        rx.el.strong("Ручной ввод данных"),
                        rx.el.span("По номеру телефона: ", _ways_of_codes(), class_name="choice-note"),
                    ),
                    icon("arrow"),
                    href=routes.RECOVERY,
                    class_name="choice",
                )
            ),
            rx.el.li(_by_passkey(), class_name="passkey-place"),
            class_name="choices",
        ),
        back=TROUBLE,
    )


def _by_passkey() -> rx.Component:
    """The way by passkey, if the browser supports it. It ends in the settings, at the new password."""
    return passkey_place(
        passkey_button(
            "recovery",
            rx.el.span(
                rx.el.strong("Вход по отпечатку, лицу или PIN"),
                rx.el.span(
                    "Если вы добавляли его на этом устройстве: после входа сразу зададите новый пароль",
                    class_name="choice-note",
                ),
            ),
            icon("arrow"),
            class_name="choice",
        )
    )


def _ways_of_codes() -> rx.Var[str]:
    return AccountState.ways_of_codes


def _through_gosuslugi() -> rx.Component:
    """The way through Gosuslugi, as a plain form. It ends in the settings, at the new password."""
    return rx.el.form(
        rx.el.input(type="hidden", name="purpose", value="recovery"),
        rx.el.button(
            rx.el.span(
                rx.el.strong("Госуслуги"),
                rx.el.span(
                    "Войдите через Госуслуги и задайте новый пароль в настройках кабинета", class_name="choice-note"
                ),
            ),
            icon("arrow"),
            type="submit",
            class_name="choice",
        ),
        method="post",
        action=routes.GOSUSLUGI_START,
        class_name="plain-form",
    )


def _advice() -> list[rx.Component]:
    return [
        _advice_dialog(
            "trouble-phone-unknown",
            "Не помню, какой номер указан",
            "Попробуйте восстановить пароль по каждому из своих номеров: после кода портал скажет, привязан ли к номеру "
            "личный кабинет. Это ничего не испортит.",
            _with_gosuslugi(
                "Ещё можно войти через Госуслуги: номер тогда не нужен, он будет виден в настройках кабинета."
            ),
            _ask("Если не подошёл ни один номер", "там подскажут, какой указан"),
            action=_recover("Попробовать номер"),
        ),
        _advice_dialog(
            "trouble-phone-changed",
            "Номер телефона сменился",
            "Пока старая сим-карта у вас, восстановите пароль по старому номеру и войдите.",
            _with_gosuslugi(
                "Если старого номера больше нет, войдите через Госуслуги и замените номер в настройках кабинета."
            ),
            _ask(
                "Если старого номера нет и войти через Госуслуги нельзя",
                "там заменят номер, и вы восстановите пароль по новому",
            ),
            action=_recover("Восстановить по старому номеру"),
        ),
        _advice_dialog(
            "trouble-no-code",
            "Не приходит код",
            "Проверьте номер, сеть и что режим полёта выключен. Звонок длится пару секунд: посмотрите пропущенные. "
            "Если телефон отсекает незнакомые номера, отключите это на минуту.",
            rx.cond(
                AccountState.other_codes != "",
                rx.el.p(AccountState.other_codes),
            ),
            action=_recover("Получить код другим способом"),
        ),
        _advice_dialog(
            "trouble-gosuslugi",
            "Не получается войти через Госуслуги",
            rx.cond(
                AccountState.gosuslugi_on,
                rx.el.p(
                    "Пароль и код Госуслуг восстанавливают на самих Госуслугах: нажмите там «Восстановить» или «Не удаётся войти?»."
                ),
                rx.el.p("Вход через Госуслуги сейчас отключён."),
            ),
            "В личный кабинет можно войти и без Госуслуг: по телефону и паролю. Если пароля нет или вы его забыли, задайте "
            "новый по номеру телефона.",
            action=_recover("Восстановить пароль"),
        ),
        _closed(),
        _advice_dialog(
            "trouble-no-account",
            "Нет личного кабинета",
            _with_gosuslugi(
                "Кабинет открывают через Госуслуги: это займёт пару минут, нужна подтверждённая учётная запись."
            ),
            "Не уверены, есть ли кабинет? Начните восстановление пароля: после кода портал скажет, привязан ли он к номеру.",
            rx.cond(
                AccountState.gosuslugi_on,
                _ask("Если Госуслуг нет", _BRING),
                _ask("Если кабинета нет", _BRING),
            ),
            action=rx.cond(
                AccountState.gosuslugi_on,
                rx.el.a("Зарегистрироваться", href=routes.REGISTER, class_name="button primary wide"),
                _recover("Проверить по номеру"),
            ),
        ),
    ]


def _closed() -> rx.Component:
    """This browser's waits with their end times, and what works before they end."""
    return dialog(
        CLOSED,
        "Вход временно закрыт",
        rx.cond(WaitsState.asked, _waits(), rx.el.p("Проверяем, нужно ли этому браузеру ждать…", role="status")),
        rx.el.h3("Что можно сделать сейчас"),
        rx.cond(
            WaitsState.sign_in == "", open_button("Войти с паролем", LOGIN, class_name="button primary wide"), None
        ),
        rx.el.a(
            rx.cond(WaitsState.code == "", "Получить код и задать новый пароль", "Вернуться к вводу кода"),
            href=routes.RECOVERY,
            class_name="button secondary wide",
        ),
        rx.cond(
            AccountState.gosuslugi_on,
            gosuslugi_form("Войти через Госуслуги", "login", class_name="button secondary wide"),
        ),
        turn_to_desk("Можно обратиться и в ", " с паспортом."),
        back=TROUBLE,
    )


def _waits() -> rx.Component:
    none = (
        "Этому браузеру сейчас ждать не нужно. Если портал попросит подождать, он напишет, до какого времени: рядом с полем, "
        "которое вы заполняли."
    )
    return rx.fragment(
        rx.cond(WaitsState.sign_in != "", rx.el.p(WaitsState.sign_in)),
        rx.cond(WaitsState.code != "", rx.el.p(WaitsState.code)),
        rx.cond((WaitsState.sign_in == "") & (WaitsState.code == ""), rx.el.p(none)),
    )


def _advice_dialog(dialog_id: str, title: str, *paragraphs: str | rx.Component, action: rx.Component) -> rx.Component:
    texts = [rx.el.p(text) if isinstance(text, str) else text for text in paragraphs]
    return dialog(dialog_id, title, *texts, action, back=TROUBLE)


def _ask(when: str, what: str) -> rx.Component:
    """The advice to contact the region's desk."""
    return turn_to_desk(f"{when}, обратитесь в ", f" с паспортом: {what}.")


def _with_gosuslugi(text: str) -> rx.Component:
    return rx.cond(AccountState.gosuslugi_on, rx.el.p(text))


def _recover(label: str) -> rx.Component:
    return rx.el.a(label, href=routes.RECOVERY, class_name="button primary wide")
