"""The settings of the account (guide G12)."""

from __future__ import annotations

import reflex as rx

from medonline import routes
from medonline.components.codes import channel_choice
from medonline.components.forms import (
    answered_form,
    error_list,
    field,
    password_input,
    password_rules,
    submit,
    suggested_password,
    text_input,
)
from medonline.dialogs.codes import no_codes
from medonline.pages.account_settings.email import email_code_panel, email_note
from medonline.pages.account_settings.identities import identities_section
from medonline.pages.account_settings.passkeys import passkeys_section
from medonline.pages.account_settings.phone import new_phone_panel, prove_again_panel
from medonline.pages.frame import page
from medonline.state.account import AccountState
from medonline.state.account_settings import SettingsState
from medonline.state.reauthentication import ReauthenticationState

state = SettingsState
_LABELS = {
    "phone": "Телефон:",
    "email": "Электронная почта:",
    "last_name": "Фамилия:",
    "first_name": "Имя:",
    "password": "Пароль:",
    "password_confirmation": "Повторите пароль:",
}


def settings() -> rx.Component:
    """One form with one «Сохранить». Above it are the code to a new phone and the proof of identity."""
    return page(
        rx.el.h1("Отредактируйте настройки и сохраните изменения", id="step-title", tab_index=-1),
        rx.cond((state.saved != "") & ~ReauthenticationState.asked, _saved()),
        rx.cond(state.waiting_code, new_phone_panel()),
        rx.cond(ReauthenticationState.asked, prove_again_panel()),
        email_code_panel(),
        rx.cond(
            state.ready,
            rx.fragment(_form(), identities_section(), passkeys_section()),
            rx.el.p("Загружаем…", class_name="hint", role="status"),
        ),
        name="narrow",
    )


def _saved() -> rx.Component:
    """The notice of what was saved. It takes the focus, because on a phone «Сохранить» is far below it. Each save makes a new notice."""
    return rx.el.div(
        state.saved,
        id="settings-saved",
        tab_index=-1,
        class_name="notice saved",
        role="status",
        key=state.form_no.to(str),
        custom_attrs={"data-reveal-focus": "settings-saved"},
    )


def _form() -> rx.Component:
    return answered_form(
        error_list(state.error, state.error_no, [(f"settings-{name}", _of(name)) for name in _LABELS]),
        _text("phone", state.phone, type="tel", auto_complete="tel", input_mode="tel"),
        rx.cond(
            state.phone == "",
            rx.el.p("Номер нужен, чтобы входить по телефону и паролю и восстанавливать пароль.", class_name="hint"),
        ),
        rx.el.details(
            rx.el.summary("Меняете номер? Выберите, как получить код на новый"),
            rx.cond(
                state.ways.length() > 0,
                channel_choice(state),
                no_codes(state.channels_off),
            ),
            class_name="help",
            open=state.channel_refused,
        ),
        _text("email", state.email, type="email", auto_complete="email", input_mode="email"),
        email_note(),
        _text("last_name", state.last_name, type="text", auto_complete="family-name"),
        _text("first_name", state.first_name, type="text", auto_complete="given-name"),
        rx.cond(
            state.password_wanted,
            rx.el.p("Придумайте новый пароль, введите его два раза и нажмите «Сохранить».", class_name="notice"),
        ),
        _password("password", on_blur=state.rate_password),
        rx.cond(
            state.strength != "",
            rx.el.p(
                state.strength,
                class_name="strength",
                role="status",
                custom_attrs={"data-score": state.strength_score},
            ),
        ),
        _password("password_confirmation"),
        submit("Сохранить"),
        on_submit=state.save,
        action=routes.SETTINGS,
        class_name="form panel",
        # A new key after each save draws the form again, so that the fields show what is on record and no password.
        key=state.form_no.to(str),
        custom_attrs={
            "data-draft": AccountState.owner_mark,
            "data-send-again": state.proofs.to(str),
            "data-draft-saved": rx.cond((state.saved != "") | state.waiting_code, state.form_no.to(str), ""),
            "data-focus": rx.cond(state.password_wanted, "settings-password", ""),
        },
    )


def _of(name: str) -> rx.Var[str]:
    return state.errors.get(name, "").to(str)


def _text(name: str, value: rx.Var[str], **props: object) -> rx.Component:
    field_id = f"settings-{name}"
    control = text_input(field_id, name, _of(name), default_value=value, **props)
    return field(_LABELS[name], control, field_id=field_id, error=_of(name))


def _password(name: str, **props: object) -> rx.Component:
    field_id = f"settings-{name}"
    noun = {"password": "пароль", "password_confirmation": "повтор пароля"}[name]
    control = password_input(
        field_id,
        name,
        _of(name),
        new=True,
        noun=noun,
        hint=name == "password",
        custom_attrs=password_rules(state.min_length),
        **props,
    )
    hint = rx.fragment(
        rx.cond(
            state.signs_allowed,
            "Пароль может содержать буквы латинского алфавита, цифры и знаки. Минимальная длина - ",
            "Пароль может содержать заглавные и строчные буквы латинского алфавита и цифры. Минимальная длина - ",
        ),
        state.min_length,
        " символов",
    )
    if name != "password":
        return field(_LABELS[name], control, field_id=field_id, error=_of(name))
    both = suggested_password(_of(name), "settings-password", "settings-password_confirmation")
    return field(_LABELS[name], control, field_id=field_id, error=_of(name), hint=hint, below=both)
