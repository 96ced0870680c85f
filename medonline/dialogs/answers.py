"""The results of a press: the marks of its answer, the bar for a missing answer, and the help for a page without a websocket."""

from __future__ import annotations

import reflex as rx

from medonline import routes
from medonline.state.account import AccountState
from medonline.state.answers import AnswersState


def answers() -> rx.Component:
    """The marks and the bar. The bar is hidden while every press is answered in time (`browser/portal/answers.js`)."""
    return rx.fragment(
        rx.el.div(
            hidden=True,
            custom_attrs={
                "data-answers": AnswersState.get_full_name(),
                "data-answered": AnswersState.answered,
                "data-probed": AnswersState.probed,
            },
        ),
        rx.el.p(role="status", hidden=True, class_name="connection-banner news", custom_attrs={"data-news": ""}),
    )


def no_socket() -> rx.Component:
    """The help for a page that gets no websocket. `browser/portal/blocked_sockets.js` fills it in and shows it."""
    return rx.el.div(
        rx.el.p("Портал не может открыть постоянное соединение, без которого страницы не работают."),
        rx.el.p(
            "Так бывает в сетях организаций. Откройте портал в другой сети, например через мобильный интернет, или в "
            "другом браузере."
        ),
        rx.el.p(
            rx.el.span(custom_attrs={"data-help": "gosuslugi"}),
            "Вход через Госуслуги в этой сети не поможет: кабинету нужно такое же соединение.",
            hidden=True,
        ),
        rx.el.p(
            "Не получается? Обратитесь в ",
            rx.el.span(AccountState.desk, custom_attrs={"data-help": "desk"}),
            " с паспортом.",
        ),
        rx.el.p("Телефон поддержки: ", rx.el.a(custom_attrs={"data-help": "phone"}), hidden=True),
        role="alert",
        hidden=True,
        class_name="connection-banner news no-socket",
        custom_attrs={"data-no-socket": routes.CONNECTION_HELP},
    )
