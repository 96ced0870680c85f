"""A person from Gosuslugi seems to have an account by phone already. They prove it, or go on as a new patient."""

from __future__ import annotations

import reflex as rx

from medonline import routes
from medonline.components.codes import channel_choice
from medonline.components.forms import answered_form, error_summary, field, password_input, phone_input, submit
from medonline.components.proof import page_mark, ticket_attributes
from medonline.dialogs.codes import code_entry, code_form, code_hint, delivery, no_codes, resend_block
from medonline.pages.frame import page
from medonline.state.gosuslugi.link_account import LinkAccountState

state = LinkAccountState


def link_account() -> rx.Component:
    """The choice of proofs, or the code once it was sent."""
    return page(
        rx.cond(
            state.ready,
            rx.cond(state.step == "code", _code(), _proofs()),
            rx.el.p("Загружаем…", class_name="hint", role="status"),
        ),
        name="narrow",
    )


def _proofs() -> rx.Component:
    return rx.el.section(
        rx.el.h1("Это ваш личный кабинет?", id="step-title", tab_index=-1),
        rx.el.p(
            "Здравствуйте, ",
            rx.el.strong(state.full_name),
            "! Похоже, личный кабинет у вас уже есть. Подтвердите, что он ваш, и дальше Госуслуги будут открывать его сразу.",
        ),
        rx.cond(state.phone != "", rx.el.p("Номер на Госуслугах: ", rx.el.strong(state.phone, class_name="phone"))),
        error_summary(state.error, state.error_no, _target()),
        _by_password(),
        _by_code(),
        _not_mine(),
        class_name="panel stack",
        custom_attrs={"data-step": "proof"},
    )


def _target() -> rx.Var[str]:
    return rx.match(
        state.error_field, ("phone", "old-phone"), ("password", "old-password"), ("code-phone", "code-phone"), ""
    ).to(str)


def _of(name: str) -> rx.Var[str]:
    return rx.cond(state.error_field == name, state.error, "").to(str)


def _by_password() -> rx.Component:
    return answered_form(
        rx.el.h2("Пароль от кабинета"),
        field("Телефон кабинета", phone_input("old-phone", _of("phone")), field_id="old-phone", error=_of("phone")),
        field(
            "Пароль кабинета",
            password_input("old-password", "password", _of("password"), new=False, noun="пароль"),
            field_id="old-password",
            error=_of("password"),
        ),
        page_mark(),
        submit("Подтвердить паролем"),
        on_submit=state.prove_by_password,
        action=routes.LINK_ACCOUNT,
        custom_attrs=ticket_attributes(state.ticket, state.ticket_page),
    )


def _by_code() -> rx.Component:
    return rx.el.details(
        rx.el.summary("Не помню пароль, подтвердить кодом"),
        answered_form(
            field(
                "Номер сотового телефона кабинета",
                phone_input("code-phone", _of("code-phone")),
                field_id="code-phone",
                error=_of("code-phone"),
            ),
            rx.cond(
                state.ways.length() > 0,
                rx.fragment(
                    channel_choice(state, _of("channel")),
                    submit("Получить код"),
                ),
                no_codes(state.channels_off),
            ),
            on_submit=state.send_code,
            action=routes.LINK_ACCOUNT,
        ),
        class_name="help",
        open=(state.error_field == "code-phone") | (state.error_field == "channel"),
    )


def _not_mine() -> rx.Component:
    return rx.el.form(
        page_mark(),
        rx.el.p("Номер раньше был у другого человека или кабинета у вас никогда не было?"),
        rx.el.button("Это не мой кабинет, открыть новый", type="submit", class_name="button secondary wide"),
        on_submit=state.not_mine,
        method="post",
        action=routes.LINK_ACCOUNT,
        custom_attrs=ticket_attributes(state.ticket, state.ticket_page),
    )


def _code() -> rx.Component:
    error = _of("code")
    form = code_form(
        state.code,
        error,
        state.confirm_code,
        routes.LINK_ACCOUNT,
        page_mark(),
        custom_attrs=ticket_attributes(state.ticket, state.ticket_page),
    )
    return rx.el.section(
        rx.el.button("Назад", type="button", on_click=state.other_way, class_name="back"),
        rx.el.h1("Введите проверочный код", id="step-title", tab_index=-1),
        rx.el.p("Номер: ", rx.el.strong(state.code.phone, class_name="phone"), class_name="phone-line"),
        code_hint(state.code),
        error_summary(state.error, state.error_no, rx.cond((error != "") & state.code.code_alive, "code", "")),
        delivery(state.code, state.resend),
        # The form posts the ticket, so it must stay after a right code, although that code is then used up.
        code_entry(state.code, state.error, form, stays=state.ticket != ""),
        resend_block(state.code, state.resend),
        class_name="panel wizard",
        custom_attrs={"data-step": "code"},
    )
