"""«Мои карты» (guide G10): where every sign-in lands."""

from __future__ import annotations

from collections.abc import Callable

import reflex as rx

from medonline import routes
from medonline.components.forms import answered_form, checkbox, error_list, field, submit, text_input
from medonline.components.icons import icon
from medonline.components.passkeys import passkey_button, passkey_place
from medonline.components.row_buttons import asked_first, row_button
from medonline.pages.frame import page
from medonline.state.account import AccountState
from medonline.state.patient_cards import CardsState

state = CardsState


def cards() -> rx.Component:
    """The cards of the account, and adding one more."""
    return page(
        rx.el.h1("Мои карты"),
        rx.cond(AccountState.greeting != "", rx.el.p("Здравствуйте, ", AccountState.greeting, "!", class_name="lead")),
        rx.cond(state.notice != "", rx.el.div(state.notice, class_name="notice", role="status")),
        rx.cond(AccountState.signed_in, _passkey_offer()),
        rx.cond(state.to_answer.length() > 0, _to_answer()),
        rx.cond(
            state.ready,
            rx.cond(
                state.cards.length() > 0,
                rx.el.ul(rx.foreach(state.cards, _card), class_name="card-list"),
                rx.cond(
                    state.registry_down | state.incomplete | (state.waiting.length() + state.closed.length() > 0),
                    rx.fragment(),
                    _empty(),
                ),
            ),
            rx.el.p("Загружаем карты…", class_name="hint", role="status"),
        ),
        rx.cond(state.closed.length() > 0, _closed()),
        rx.cond(state.waiting.length() > 0, _waiting()),
        # Below the cards, beside «Обновить»: there the patient who pressed it sees it.
        rx.cond(state.registry_down, _registry_down()),
        rx.cond(state.incomplete, _incomplete()),
        rx.cond(state.registry_on & AccountState.signed_in, rx.fragment(_fetched(), _link())),
        rx.cond(state.readers.length() > 0, _readers()),
        name="cards",
    )


def _passkey_offer() -> rx.Component:
    """Shown by `browser/passkeys/offer.js`, once, where the device can look who holds it."""
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


def _card(card: rx.Var) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.h2(card.clinic_name),
            rx.el.span(card.status, class_name=rx.cond(card.active, "badge good", "badge")),
            class_name="card-head",
        ),
        rx.el.p(card.whose, class_name="hint"),
        rx.el.dl(
            _fact("Пациент", card.holder),
            _fact("Дата рождения", card.birth_date),
            _fact("Номер карты", card.number),
            _fact("Полис ОМС", card.policy),
            _fact("Прикреплена", card.attached_since),
            _fact("Адрес", card.clinic_address),
            _fact("Телефон", card.clinic_phone),
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


def _to_answer() -> rx.Component:
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
    )


def _who(one: rx.Var) -> rx.Component:
    return rx.el.p(
        rx.el.strong(one.name),
        rx.cond(one.phone_tail != "", rx.fragment(", номер телефона оканчивается на ", one.phone_tail)),
    )


def _waiting() -> rx.Component:
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
            _fact("Полис ОМС", one.policy),
            _fact("Дата рождения", one.birth_date),
            _fact("Запрос отправлен", one.asked),
            _fact("Ждёт до", one.until),
            class_name="facts",
        ),
        row_button(
            "Отозвать запрос", "Отозвать запрос: полис " + one.policy.to(str), state.withdraw(one.id), class_name="link"
        ),
        class_name="card",
    )


def _closed() -> rx.Component:
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
        rx.el.dl(_fact("Полис ОМС", one.policy), _fact("Дата рождения", one.birth_date), class_name="facts"),
        rx.cond(
            one.may_ask,
            row_button("Спросить согласие", "Спросить согласие: полис " + one.policy.to(str), state.ask_again(one.id)),
            rx.cond(state.registry_on, rx.el.p("Чтобы открыть её, добавьте карту ещё раз по номеру полиса.")),
        ),
        row_button(
            "Убрать", "Убрать закрытую карту: полис " + one.policy.to(str), state.unlink(one.id), class_name="link"
        ),
        class_name="card",
    )


def _readers() -> rx.Component:
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
    )


def _fact(name: str, value: rx.Var[str]) -> rx.Component:
    return rx.cond(value != "", rx.el.div(rx.el.dt(name), rx.el.dd(value)))


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


def _of(name: str) -> rx.Var[str]:
    return state.errors.get(name, "").to(str)


def _link() -> rx.Component:
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
