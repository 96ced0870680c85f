"""One card of the account, and a line with a fact about a card."""

from __future__ import annotations

import reflex as rx

from medonline.components.row_buttons import asked_first
from medonline.state.patient_cards import CardsState

state = CardsState


def card_item(card: rx.Var) -> rx.Component:
    """A card in words, and a button to remove it."""
    return rx.el.li(
        rx.el.div(
            rx.el.h2(card.clinic_name),
            rx.el.span(card.status, class_name=rx.cond(card.active, "badge good", "badge")),
            class_name="card-head",
        ),
        rx.el.p(card.whose, class_name="hint"),
        rx.el.dl(
            fact("Пациент", card.holder),
            fact("Дата рождения", card.birth_date),
            fact("Номер карты", card.number),
            fact("Полис ОМС", card.policy),
            fact("Прикреплена", card.attached_since),
            fact("Адрес", card.clinic_address),
            fact("Телефон", card.clinic_phone),
            class_name="facts",
        ),
        asked_first(
            state.unlinking == card.id,
            label="Убрать",
            spoken="Убрать карту " + card.number.to(str),
            ask=state.ask_unlink(card.id),
            title="Убрать карту",
            question=rx.el.p("Убрать карту из кабинета? В поликлинике она останется."),
            yes="Да, убрать",
            act=state.unlink(card.id),
            leave=state.ask_unlink(""),
        ),
        class_name="card",
        key=card.id,
    )


def fact(name: str, value: rx.Var[str]) -> rx.Component:
    """A name and its value. Nothing if the value is empty."""
    return rx.cond(value != "", rx.el.div(rx.el.dt(name), rx.el.dd(value)))
