"""«Это не я»: a patient who got a notice of a change that they did not make closes the account here, with one button."""

from __future__ import annotations

import reflex as rx

from medonline import routes
from medonline.components.forms import answered_form, error_summary
from medonline.components.gosuslugi import gosuslugi_form
from medonline.dialogs.desk import support_phone_after
from medonline.pages.frame import page
from medonline.state.account import AccountState
from medonline.state.account_dispute import NotMeState

state = NotMeState


def not_me() -> rx.Component:
    """First what the button does. After the press, what to do next."""
    # Once the link is used or refused, `browser/portal/dispute.js` forgets it.
    over = rx.cond(state.done | (state.error != ""), "yes", "no")
    return page(
        rx.el.div(rx.cond(state.done, _closed(), _question()), custom_attrs={"data-dispute-over": over}), name="narrow"
    )


def _question() -> rx.Component:
    return rx.el.section(
        rx.el.h1("В личный кабинет вошли или изменили его не вы?", id="step-title", tab_index=-1),
        error_summary(state.error, state.error_no, ""),
        rx.cond(
            state.refused,
            rx.el.a("На главную", href=routes.HOME, class_name="button primary wide"),
            rx.fragment(*_offer()),
        ),
        class_name="panel stack",
    )


def _offer() -> list[rx.Component]:
    return [
        rx.el.p("Если это были вы, ничего делать не нужно: закройте страницу."),
        rx.el.p("Если это были не вы, нажмите кнопку. Мы сразу закроем личный кабинет от постороннего:"),
        rx.el.ul(
            rx.el.li("завершим вход на всех устройствах;"),
            rx.el.li("пароль перестанет действовать;"),
            rx.el.li(
                "новый номер, о котором сказано в сообщении или который указали позже, больше не откроет кабинет;"
            ),
            rx.el.li("недавно подтверждённый адрес почты уберём, если сообщение пришло не на него;"),
            rx.el.li("вход по отпечатку, лицу или PIN уберём на всех устройствах;"),
            rx.el.li("отвяжем учётные записи Госуслуг, связанные с кабинетом по паролю или по коду;"),
            rx.el.li("восстановить пароль по телефону некоторое время не сможет никто."),
            class_name="plain-list",
        ),
        answered_form(
            rx.el.input(type="hidden", name="token", custom_attrs={"data-fill": "dispute"}),
            rx.el.button("Это не я, закрыть кабинет", type="submit", class_name="button primary wide"),
            on_submit=state.dispute,
            action=routes.NOT_ME,
        ),
    ]


def _closed() -> rx.Component:
    return rx.el.section(
        rx.el.h1("Личный кабинет закрыт от посторонних", id="step-title", tab_index=-1),
        rx.el.p(
            "Вход завершён на всех устройствах, пароль больше не действует. До ",
            rx.el.strong(state.stopped_clock),
            " восстановить пароль по телефону не сможет никто. Вход по отпечатку, лицу или PIN убран. Учётные записи Госуслуг, которые "
            "были связаны с кабинетом по паролю или по коду, его больше не открывают.",
            role="status",
        ),
        rx.el.h2("Что сделать сейчас"),
        rx.el.ol(
            rx.cond(
                AccountState.gosuslugi_on,
                rx.el.li(
                    "Если в сообщении сказано, что вошли через Госуслуги, сначала смените пароль на Госуслугах и завершите там чужие "
                    "входы: ваша учётная запись Госуслуг по-прежнему открывает кабинет."
                ),
            ),
            rx.cond(
                AccountState.gosuslugi_on,
                rx.el.li(
                    "Попробуйте войти через Госуслуги. Если откроется ваш кабинет, проверьте в настройках номер телефона: если он "
                    "не ваш, укажите свой. Потом задайте новый пароль."
                ),
            ),
            rx.el.li(
                "Обратитесь в ",
                AccountState.desk,
                " с паспортом: там проверят номер телефона и помогут вернуть кабинет.",
            ),
            rx.cond(AccountState.support_phone != "", rx.el.li(support_phone_after("Телефон поддержки: "))),
            class_name="plain-list",
        ),
        rx.cond(
            AccountState.gosuslugi_on,
            gosuslugi_form("Войти через Госуслуги", "recovery", class_name="button primary wide"),
        ),
        class_name="panel stack",
    )
