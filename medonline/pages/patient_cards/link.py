"""Adding a card."""

from __future__ import annotations

import reflex as rx

from medonline import routes
from medonline.components.forms import answered_form, checkbox, error_list, field, submit, text_input
from medonline.state.account import AccountState
from medonline.state.patient_cards import CardsState

state = CardsState


def link_form() -> rx.Component:
    """The policy and its owner's birth date. For a child, also the statement that the patient is the legal representative."""
    return rx.el.details(
        rx.el.summary("Добавить карту: свою, ребёнка или родственника"),
        answered_form(
            rx.el.p(
                "Свою карту и карту ребёнка до 15 лет портал покажет сразу. Карту любого другого человека — только с его согласия: он "
                "увидит ваше имя и последние две цифры вашего телефона и ответит в своём личном кабинете.",
            ),
            error_list(
                state.error,
                state.error_no,
                [(name, _of(name)) for name in ("policy", "birth_date", "representative")],
            ),
            field(
                "Номер полиса ОМС",
                text_input("policy", "policy", _of("policy"), type="text", input_mode="numeric", hint=True),
                field_id="policy",
                hint="16 цифр, пробелы не важны",
                error=_of("policy"),
            ),
            field(
                "Дата рождения владельца полиса",
                text_input("birth_date", "birth_date", _of("birth_date"), type="text", hint=True),
                field_id="birth_date",
                hint="Например, 14.03.1985",
                error=_of("birth_date"),
            ),
            checkbox(
                "Я законный представитель ребёнка",
                "representative",
                hint="Отметьте, если владельцу полиса нет 15 лет: вы его родитель, усыновитель, опекун или попечитель. Портал сохранит "
                "это заявление и время.",
                error=_of("representative"),
            ),
            submit("Добавить карту"),
            on_submit=state.link,
            action=routes.CARDS,
            key=state.link_no.to(str),
            custom_attrs={
                "data-draft": AccountState.owner_mark,
                "data-draft-saved": rx.cond(state.link_no > 0, state.link_no.to(str), ""),
            },
        ),
        class_name="help panel",
    )


def _of(name: str) -> rx.Var[str]:
    return state.errors.get(name, "").to(str)
