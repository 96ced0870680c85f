"""Fields, buttons and error summaries. The app reads values when the form is submitted, never at each keystroke."""

from __future__ import annotations

from typing import Any, TypeAlias

import reflex as rx

from medonline import routes
from medonline.components.icons import icon

Text: TypeAlias = str | rx.Var[str]


def answered_form(
    *children: rx.Component, on_submit: Any, action: str, class_name: str = "form", **props: Any
) -> rx.Component:
    """A form that a handler of the page answers. Only the server checks it, and what was typed stays in it.

    It uses POST, so that nothing typed gets into an address when the browser itself sends the form. `action`: the page's path.
    """
    return rx.el.form(
        *children,
        on_submit=on_submit,
        reset_on_submit=False,
        method="post",
        action=action,
        no_validate=True,
        class_name=class_name,
        **props,
    )


def error_summary(error: rx.Var[str], error_no: rx.Var[int], field_id: Text) -> rx.Component:
    """One sentence above the form, with a link to the field. It gets the focus (`browser/portal/focus.js`)."""
    target = rx.Var.create(field_id).to(str)
    return rx.cond(
        error != "",
        rx.el.div(
            icon("alert"),
            rx.cond(target != "", rx.el.a(error, href="#" + target, class_name="error-link"), rx.el.span(error)),
            role="alert",
            tab_index=-1,
            class_name="error-summary",
            custom_attrs={"data-error-no": error_no},
        ),
    )


def error_list(error: rx.Var[str], error_no: rx.Var[int], links: list[tuple[str, rx.Var[str]]]) -> rx.Component:
    """A sentence above a form of several fields, and a link to each refused one (field id, its sentence)."""
    return rx.cond(
        error != "",
        rx.el.div(
            icon("alert"),
            rx.el.div(
                rx.el.p(error),
                rx.el.ul(
                    *(
                        rx.cond(text != "", rx.el.li(rx.el.a(text, href=f"#{field_id}", class_name="error-link")))
                        for field_id, text in links
                    ),
                    class_name="error-list",
                ),
            ),
            role="alert",
            tab_index=-1,
            class_name="error-summary",
            custom_attrs={"data-error-no": error_no},
        ),
    )


def field(
    label: str,
    control: rx.Component,
    *,
    field_id: str,
    hint: Text | rx.Component = "",
    error: Text = "",
    below: rx.Component | None = None,
) -> rx.Component:
    """A field with its label, hint, error, control and `below`, in this order."""
    return rx.el.div(
        rx.el.label(label, html_for=field_id, class_name="label"),
        rx.el.p(hint, id=f"{field_id}-hint", class_name="hint") if hint is not None and not _is_blank(hint) else None,
        rx.cond(error != "", rx.el.p(error, id=f"{field_id}-error", class_name="field-error")),
        control,
        *([below] if below else []),
        class_name=rx.cond(error != "", "field invalid", "field"),
    )


def _is_blank(hint: Text | rx.Component) -> bool:
    return isinstance(hint, str) and hint == ""


def text_input(field_id: str, name: str, error: Text = "", *, hint: bool = False, **props: Any) -> rx.Component:
    """An input that keeps what was typed. Its hint and error describe it to a screen reader."""
    described = f"{field_id}-hint {field_id}-error" if hint else f"{field_id}-error"
    return rx.el.input(
        id=field_id,
        name=name,
        class_name="input",
        aria_invalid=rx.cond(error != "", "true", "false"),
        aria_describedby=described,
        spell_check=False,
        auto_capitalize="off",
        **props,
    )


def checkbox(label: str, field_id: str, *, hint: str, error: Text = "") -> rx.Component:
    """A checkbox with its label beside it, and the hint and error above it, as for a field."""
    return rx.el.div(
        rx.el.p(hint, id=f"{field_id}-hint", class_name="hint"),
        rx.cond(error != "", rx.el.p(error, id=f"{field_id}-error", class_name="field-error")),
        rx.el.label(
            rx.el.input(
                id=field_id,
                name=field_id,
                type="checkbox",
                aria_invalid=rx.cond(error != "", "true", "false"),
                aria_describedby=f"{field_id}-hint {field_id}-error",
            ),
            rx.el.span(label),
            class_name="tick",
        ),
        class_name=rx.cond(error != "", "field invalid", "field"),
    )


def phone_input(field_id: str, error: Text = "", *, auto_complete: str = "tel") -> rx.Component:
    """A phone field. It accepts any spelling of a number, and rewrites nothing while the patient types."""
    return text_input(
        field_id,
        "phone",
        error,
        type="tel",
        auto_complete=auto_complete,
        input_mode="tel",
        custom_attrs={"data-fill": "phone"},
    )


def password_input(
    field_id: str, name: str, error: Text, *, new: bool, noun: str, hint: bool = False, **props: Any
) -> rx.Component:
    """A password field with a button to show and hide the text. `noun` names what the button shows: «пароль»."""
    return rx.el.div(
        text_input(
            field_id,
            name,
            error,
            hint=hint,
            type="password",
            auto_complete="new-password" if new else "current-password",
            **props,
        ),
        rx.el.button(
            rx.el.span("Показать", class_name="when-hidden"),
            rx.el.span("Скрыть", class_name="when-shown"),
            rx.el.span(f" {noun}", class_name="visually-hidden"),
            type="button",
            class_name="reveal",
            aria_pressed="false",
            custom_attrs={"data-reveal": field_id},
        ),
        class_name="password",
    )


def password_rules(min_length: rx.Var[int]) -> dict[str, Any]:
    """Attributes that tell a browser how to generate a password: `passwordrules`, and `minlength` for browsers that do not know rules."""
    rules = "minlength: " + min_length.to(str) + "; required: lower; required: upper; required: digit;"
    return {"passwordrules": rules}


def suggested_password(error: Text, *field_ids: str) -> rx.Component:
    """A button beside a refused password. It fills the fields with a password that fits (`browser/portal/suggested_passwords.js`)."""
    return rx.cond(
        error != "",
        rx.el.div(
            rx.el.button(
                "Подставить надёжный пароль",
                type="button",
                class_name="button secondary",
                custom_attrs={
                    "data-suggest": " ".join(field_ids),
                    "data-suggest-from": routes.PASSWORD_SUGGESTION,
                    "data-filled": "Пароль подставлен и показан. Сохраните его в браузере или запишите.",
                    "data-failed": "Не получилось: нет связи с порталом. Попробуйте ещё раз.",
                },
            ),
            rx.el.p(role="status", class_name="hint"),
            class_name="suggestion",
        ),
    )


def loads_the_page() -> dict[str, Any]:
    """Attributes of a link that loads the start page from the server. Each link needs a new dict, because the framework writes into it.

    Danger: without them the app follows the link without a request to the server. Only that request ends a recovery's proof
    (`web.routes.visitors`). On a shared computer the next person would find step 3.
    """
    return {"reloadDocument": True}


def submit(label: str) -> rx.Component:
    """The main button of a form."""
    return rx.el.button(label, type="submit", class_name="button primary wide")


def back_and_close(back: rx.Component, close_href: str) -> rx.Component:
    """The top row of a step: «Назад» and «×»."""
    return rx.el.div(
        back,
        rx.el.a("×", href=close_href, class_name="close", aria_label="Закрыть", custom_attrs=loads_the_page()),
        class_name="panel-top",
    )
