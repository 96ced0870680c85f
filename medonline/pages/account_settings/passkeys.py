"""Below the settings: sign-in by fingerprint, face or PIN. It lists the devices, and adds, renames and removes a passkey."""

from __future__ import annotations

import reflex as rx

from medonline import routes
from medonline.components.forms import answered_form, error_summary, field, text_input
from medonline.components.passkeys import passkey_button, passkey_place
from medonline.components.row_buttons import asked_first
from medonline.state.passkeys import PasskeysState

state = PasskeysState


def passkeys_section() -> rx.Component:
    """Each passkey with its date and last use, and the button that adds one if the browser supports it."""
    return rx.cond(
        state.on,
        rx.el.section(
            rx.el.h2("Вход по отпечатку, лицу или PIN", id="passkeys", tab_index=-1),
            rx.cond(state.said != "", rx.el.div(state.said, class_name="notice saved", role="status")),
            error_summary(state.error, state.error_no, ""),
            rx.el.p(
                "Телефон или компьютер узнаёт вас так же, как при разблокировке, и пароль вводить не нужно. Отпечаток, лицо и PIN "
                "остаются в устройстве: портал их не получает. Входить по паролю можно по-прежнему."
            ),
            rx.cond(
                state.passkeys.length() > 0,
                rx.el.ul(rx.foreach(state.passkeys, _passkey), class_name="session-list"),
                rx.el.p("Пока ни на одном устройстве такого входа нет.", class_name="hint"),
            ),
            passkey_place(passkey_button("add", "Добавить вход на этом устройстве"), adds=True),
            rx.el.p(
                "В этом браузере или по этому адресу портала так войти нельзя. Откройте настройки на телефоне или в другом браузере.",
                class_name="hint without-passkeys",
            ),
            # `browser/passkeys.js` presses these: the record has changed, or the patient must first prove who they are.
            rx.el.button(type="button", hidden=True, id="passkeys-changed", on_click=state.show_added),
            rx.el.button(type="button", hidden=True, id="passkeys-prove", on_click=state.ask_proof),
            aria_labelledby="passkeys",
            class_name="stack",
        ),
    )


def _passkey(one: rx.Var) -> rx.Component:
    return rx.el.li(
        rx.el.p(rx.el.strong(one.name)),
        rx.el.p(one.added, rx.cond(one.in_cloud, ". Есть и на других ваших устройствах с той же учётной записью", "")),
        rx.el.p(one.used, class_name="hint"),
        rx.el.details(
            rx.el.summary("Переименовать", aria_label="Переименовать " + one.name.to(str)),
            _name_form(one),
            class_name="help",
        ),
        asked_first(
            state.removing == one.number,
            label="Убрать",
            spoken="Убрать вход " + one.name.to(str),
            ask=state.ask_remove(one.number),
            title="Убрать вход",
            question=rx.el.span("Убрать? Войти так с этого устройства будет нельзя."),
            yes="Да, убрать",
            act=state.remove(one.number),
            leave=state.ask_remove(""),
        ),
        class_name="session",
        key=one.number,
    )


def _name_form(one: rx.Var) -> rx.Component:
    field_id = "passkey-" + one.number.to(str)
    return answered_form(
        rx.el.input(type="hidden", name="number", value=one.number),
        field("Название", text_input(field_id, "name", default_value=one.name, max_length=40), field_id=field_id),
        rx.el.button("Сохранить название", type="submit", class_name="button secondary"),
        on_submit=state.rename,
        action=routes.SETTINGS,
    )
