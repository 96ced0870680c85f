"""«Не могу войти» (guide G13, G14): a diagnosis; every branch ends in something the patient can do."""

from __future__ import annotations

import reflex as rx

from medonline import routes
from medonline.components.dialog import dialog, open_button
from medonline.components.icons import icon
from medonline.dialogs.login import LOGIN, TROUBLE

WAY = "recovery-way"

_PROBLEMS: tuple[tuple[str, str], ...] = (
    ("Не помню пароль", WAY),
    ("Не помню, какой номер указан", "trouble-phone-unknown"),
    ("Номер телефона сменился", "trouble-phone-changed"),
    ("Не приходит код", "trouble-no-code"),
    ("Не получается войти через Госуслуги", "trouble-gosuslugi"),
    ("Вход временно закрыт", "trouble-closed"),
    ("Нет личного кабинета", "trouble-no-account"),
)


def trouble_dialogs() -> rx.Component:
    """The picker and what stands behind each of its lines."""
    return rx.fragment(_picker(), _way(), *_advice())


def _picker() -> rx.Component:
    return dialog(
        TROUBLE,
        "Не могу войти",
        rx.el.p("Что случилось?"),
        rx.el.ul(
            *(
                rx.el.li(open_button(rx.el.span(label), target, icon("arrow"), class_name="choice"))
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
            rx.el.li(
                rx.el.a(
                    rx.el.span(
                        rx.el.strong("Ручной ввод данных"),
                        rx.el.span(
                            "По номеру телефона: проверочный звонок или код в Telegram", class_name="choice-note"
                        ),
                    ),
                    icon("arrow"),
                    href=routes.RECOVERY,
                    class_name="choice",
                )
            ),
            rx.el.li(
                rx.el.button(
                    rx.el.span(
                        rx.el.strong("Госуслуги"),
                        rx.el.span("Появится в следующем обновлении портала", class_name="choice-note"),
                    ),
                    type="button",
                    disabled=True,
                    class_name="choice",
                )
            ),
            class_name="choices",
        ),
        back=TROUBLE,
    )


def _advice() -> list[rx.Component]:
    return [
        _advice_dialog(
            "trouble-phone-unknown",
            "Не помню, какой номер указан",
            "Попробуйте восстановить пароль по каждому из своих номеров: после кода портал скажет, привязан ли к номеру "
            "личный кабинет. Это ничего не испортит.",
            "Если не подошёл ни один, обратитесь в регистратуру своей поликлиники с паспортом: там подскажут номер.",
            action=_recover("Попробовать номер"),
        ),
        _advice_dialog(
            "trouble-phone-changed",
            "Номер телефона сменился",
            "Пока старая сим-карта у вас, восстановите пароль по старому номеру и войдите.",
            "Если старого номера больше нет, обратитесь в регистратуру своей поликлиники с паспортом: там заменят номер "
            "в личном кабинете, и вы восстановите пароль по новому.",
            action=_recover("Восстановить по старому номеру"),
        ),
        _advice_dialog(
            "trouble-no-code",
            "Не приходит код",
            "Проверьте номер, сеть и что режим полёта выключен. Звонок длится пару секунд: посмотрите пропущенные. "
            "Если телефон отсекает незнакомые номера, отключите это на минуту.",
            "Если звонок не доходит, выберите «Код в Telegram»: он приходит в канал «Коды подтверждения».",
            action=_recover("Получить код другим способом"),
        ),
        _advice_dialog(
            "trouble-gosuslugi",
            "Не получается войти через Госуслуги",
            "Вход через Госуслуги появится в следующем обновлении портала.",
            "Сейчас войдите по телефону и паролю. Если пароля нет или вы его забыли, восстановите его по телефону.",
            action=_recover("Восстановить пароль"),
        ),
        _advice_dialog(
            "trouble-closed",
            "Вход временно закрыт",
            "Портал просит подождать, если код запрашивают слишком часто. На экране написано, когда можно продолжить: "
            "обычно это одна-пять минут.",
            "Вход с правильным паролем при этом работает.",
            action=open_button("Войти с паролем", LOGIN, class_name="button primary wide"),
        ),
        _advice_dialog(
            "trouble-no-account",
            "Нет личного кабинета",
            "Личный кабинет открывают в регистратуре поликлиники: нужны паспорт, полис ОМС и номер сотового телефона.",
            "Не уверены, есть ли кабинет? Начните восстановление пароля: после кода портал скажет, привязан ли он к номеру.",
            action=_recover("Проверить по номеру"),
        ),
    ]


def _advice_dialog(dialog_id: str, title: str, *paragraphs: str, action: rx.Component) -> rx.Component:
    return dialog(dialog_id, title, *(rx.el.p(text) for text in paragraphs), action, back=TROUBLE)


def _recover(label: str) -> rx.Component:
    return rx.el.a(label, href=routes.RECOVERY, class_name="button primary wide")
