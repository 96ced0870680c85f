"""«Мои карты» (guide G10): where every sign-in lands."""

from __future__ import annotations

import reflex as rx

from medonline import routes
from medonline.components.icons import icon
from medonline.components.passkeys import passkey_button, passkey_place
from medonline.pages.frame import page
from medonline.pages.patient_cards.card import card_item
from medonline.pages.patient_cards.consent import closed, readers, to_answer, waiting
from medonline.pages.patient_cards.link import link_form
from medonline.state.account import AccountState
from medonline.state.patient_cards import CardsState

state = CardsState


def cards() -> rx.Component:
    """The cards of the account, and the form that adds a card."""
    return page(
        rx.el.h1("Мои карты"),
        rx.cond(AccountState.greeting != "", rx.el.p("Здравствуйте, ", AccountState.greeting, "!", class_name="lead")),
        rx.cond(state.notice != "", rx.el.div(state.notice, class_name="notice", role="status")),
        rx.cond(AccountState.signed_in, _passkey_offer()),
        rx.cond(state.to_answer.length() > 0, to_answer()),
        rx.cond(
            state.ready,
            rx.cond(
                state.cards.length() > 0,
                rx.el.ul(rx.foreach(state.cards, card_item), class_name="card-list"),
                rx.cond(
                    state.registry_down | state.incomplete | (state.waiting.length() + state.closed.length() > 0),
                    rx.fragment(),
                    _empty(),
                ),
            ),
            rx.el.p("Загружаем карты…", class_name="hint", role="status"),
        ),
        rx.cond(state.closed.length() > 0, closed()),
        rx.cond(state.waiting.length() > 0, waiting()),
        # Below the cards, beside «Обновить», where the patient who pressed it sees it.
        rx.cond(state.registry_down, _registry_down()),
        rx.cond(state.incomplete, _incomplete()),
        rx.cond(state.registry_on & AccountState.signed_in, rx.fragment(_fetched(), link_form())),
        rx.cond(state.readers.length() > 0, readers()),
        name="cards",
    )


def _passkey_offer() -> rx.Component:
    """The offer to add a passkey. `browser/passkeys/offer.js` shows it once, if the device can check who holds it."""
    return passkey_place(
        rx.el.h2("Вход по отпечатку, лицу или PIN телефона"),
        rx.el.p(
            "В следующий раз можно войти без пароля: так же, как вы разблокируете это устройство. Добавить или убрать такой вход "
            "можно и позже, в ",
            rx.el.a("настройках", href=routes.SETTINGS, class_name="link"),
            ".",
        ),
        rx.el.div(
            passkey_button("add", "Добавить", class_name="button primary"),
            passkey_button("later", "Не сейчас", class_name="button secondary"),
            class_name="button-row",
        ),
        adds=True,
        prove="С вашего входа прошло много времени. Добавьте такой вход в настройках: там вы подтвердите, что это вы.",
        class_name="notice passkey-offer",
        custom_attrs={"data-passkey-offer": ""},
    )


def _registry_down() -> rx.Component:
    return rx.el.div(
        rx.el.p("Реестр медицинских карт сейчас не отвечает."),
        rx.cond(
            state.fetched != "",
            rx.el.p("Показываем то, что он сообщил ", state.fetched, "."),
            rx.el.p("Карты появятся, когда он заработает. Попробуйте через несколько минут."),
        ),
        class_name="notice warning",
        role="status",
    )


def _incomplete() -> rx.Component:
    return rx.el.div(
        rx.el.p("Показаны не все карты: часть ответа реестра портал прочитать не смог."),
        rx.el.p(
            "Ошибка не ваша, исправлять ничего не нужно. О карте, которой здесь нет, спросите ", AccountState.desk, "."
        ),
        class_name="notice warning",
        role="status",
    )


def _empty() -> rx.Component:
    return rx.el.div(
        icon("card"),
        rx.el.h2("Карт пока нет"),
        rx.el.p(
            rx.cond(
                state.registry_on,
                "Добавьте карту по номеру полиса ОМС и дате рождения. Если карты в поликлинике ещё нет, обратитесь в ",
                "Портал не связан с реестром медицинских карт и показать их не может. Чтобы узнать о своей карте, обратитесь в ",
            ),
            AccountState.desk,
            " с паспортом и полисом ОМС.",
        ),
        class_name="empty",
    )


def _fetched() -> rx.Component:
    return rx.el.p(
        rx.cond(state.fetched != "", rx.fragment("Данные реестра: ", state.fetched, ". ")),
        rx.el.button(
            rx.cond(state.refreshing, "Обновляем…", "Обновить"),
            type="button",
            on_click=state.refresh,
            disabled=state.refreshing,
            class_name="link",
        ),
        rx.cond(state.too_soon != "", rx.el.span(" ", state.too_soon, role="status")),
        class_name="hint",
    )
