"""Cards that are shown with consent: who asks, which requests wait, which cards are closed, and who sees this account's cards."""

from __future__ import annotations

from collections.abc import Callable

import reflex as rx

from medonline.components.row_buttons import asked_first, row_button
from medonline.pages.patient_cards.card import fact
from medonline.state.patient_cards import CardsState

state = CardsState


def to_answer() -> rx.Component:
    """People who ask to see the cards of this account."""
    return _rows(
        "Вас просят показать карты",
        "to-answer",
        state.to_answer,
        _question,
        "Если вы разрешите, этот человек увидит в своём кабинете ваши фамилию, имя, отчество и дату рождения, поликлинику, номер "
        "карты и последние цифры полиса. Записи врачей он не увидит. Не знаете, кто это, — откажите.",
    )


def _question(one: rx.Var) -> rx.Component:
    return rx.el.li(
        _who(one),
        rx.el.p("Просит с ", one.at, class_name="hint"),
        rx.el.div(
            row_button("Разрешить", "Разрешить: " + one.name.to(str), state.grant(one.id)),
            row_button("Отказать", "Отказать: " + one.name.to(str), state.refuse(one.id)),
            class_name="card-question",
        ),
        class_name="card",
        key=one.id,
    )


def _who(one: rx.Var) -> rx.Component:
    return rx.el.p(
        rx.el.strong(one.name),
        rx.cond(one.phone_tail != "", rx.fragment(", номер телефона оканчивается на ", one.phone_tail)),
    )


def waiting() -> rx.Component:
    """Cards whose owners have not answered yet."""
    return _rows(
        "Ждут согласия",
        "waiting",
        state.waiting,
        _request,
        "Карта откроется, когда её владелец согласится в своём личном кабинете, в разделе «Мои карты». Нет ответа — спросите его "
        "сами: портал не говорит, есть ли у него кабинет.",
    )


def _request(one: rx.Var) -> rx.Component:
    return rx.el.li(
        rx.el.dl(
            fact("Полис ОМС", one.policy),
            fact("Дата рождения", one.birth_date),
            fact("Запрос отправлен", one.asked),
            fact("Ждёт до", one.until),
            class_name="facts",
        ),
        row_button(
            "Отозвать запрос", "Отозвать запрос: полис " + one.policy.to(str), state.withdraw(one.id), class_name="link"
        ),
        class_name="card",
        key=one.id,
    )


def closed() -> rx.Component:
    """Cards that were added before the portal asked for consent."""
    return _rows(
        "Закрытые карты",
        "closed",
        state.closed,
        _closed_card,
        "Карту человека от 15 лет можно видеть только с его согласия, карту ребёнка добавляет законный представитель. Поэтому эти "
        "карты, добавленные раньше, закрыты.",
    )


def _closed_card(one: rx.Var) -> rx.Component:
    return rx.el.li(
        rx.el.dl(fact("Полис ОМС", one.policy), fact("Дата рождения", one.birth_date), class_name="facts"),
        rx.cond(
            one.may_ask,
            row_button("Спросить согласие", "Спросить согласие: полис " + one.policy.to(str), state.ask_again(one.id)),
            rx.cond(state.registry_on, rx.el.p("Чтобы открыть её, добавьте карту ещё раз по номеру полиса.")),
        ),
        row_button(
            "Убрать", "Убрать закрытую карту: полис " + one.policy.to(str), state.unlink(one.id), class_name="link"
        ),
        class_name="card",
        key=one.id,
    )


def readers() -> rx.Component:
    """People who see the cards of this account."""
    return _rows("Кто видит ваши карты", "readers", state.readers, _reader)


def _reader(one: rx.Var) -> rx.Component:
    return rx.el.li(
        _who(one),
        rx.el.p("Видит с ", one.at, class_name="hint"),
        asked_first(
            state.removing == one.id,
            label="Убрать доступ",
            spoken="Убрать доступ: " + one.name.to(str),
            ask=state.ask_remove(one.id),
            title="Убрать доступ",
            question=rx.el.p("Убрать доступ? Карты исчезнут из кабинета этого человека сразу."),
            yes="Да, убрать доступ",
            act=state.remove(one.id),
            leave=state.ask_remove(""),
        ),
        class_name="card",
        key=one.id,
    )


def _rows(
    title: str, section_id: str, rows: rx.Var, row: Callable[[rx.Var], rx.Component], explanation: str = ""
) -> rx.Component:
    return rx.el.section(
        rx.el.h2(title, id=section_id),
        *([rx.el.p(explanation)] if explanation else []),
        rx.el.ul(rx.foreach(rows, row), class_name="card-list"),
        aria_labelledby=section_id,
    )
