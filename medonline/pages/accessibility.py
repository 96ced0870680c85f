"""«О доступности»: what was checked, how, the known problems, and whom to write to. Each sentence must stay true: when the facts
change, change it."""

from __future__ import annotations

import reflex as rx

from medonline.components.known import known_link, known_text, shown_if
from medonline.dialogs.desk import desk, support_phone_at_once
from medonline.pages.frame import page
from medonline.state.account import AccountState

email = AccountState.accessibility_email


def accessibility() -> rx.Component:
    """The page. It needs no session and no connection."""
    return page(
        rx.el.h1("О доступности"),
        rx.el.p(
            "Порталом должен суметь воспользоваться каждый: и тот, кто плохо видит, и тот, кто пользуется одной клавиатурой или "
            "программой экранного доступа.",
        ),
        _part(
            "Версия для слабовидящих",
            "Кнопка «Версия для слабовидящих» — первая вверху каждой страницы, до неё доходят клавишей табуляции.",
            "В этой версии можно выбрать размер текста 100, 150 или 200 процентов, одну из трёх пар цветов, расстояние между буквами и "
            "убрать изображения. Шрифт в ней без засечек.",
            "Портал хранит выбор в этом браузере один год. Кнопка «Обычная версия» возвращает прежний вид.",
            "Отсчёт до нового кода в этой версии можно остановить. Время, с которого код можно запросить, остаётся на экране. Когда вход "
            "скоро завершится, портал называет время и ничего не отсчитывает.",
        ),
        _part(
            "Что и как проверено",
            "Проверяли по ГОСТ Р 52872-2019, требования уровня АА, автоматически и в браузере, с размерами экрана компьютера и телефона.",
            "Восстановить пароль и войти можно одной клавиатурой и одним касанием. Место, где вы находитесь, обведено рамкой.",
            "Страницы помещаются по ширине на экране в 320 точек, а с текстом в 200 процентов — на экране в 360 точек.",
            "Текст в каждой паре цветов версии для слабовидящих отличается от фона не меньше чем в 7 раз, рамки полей и кнопок — не меньше "
            "чем в 3 раза.",
            "Ошибки сказаны словами рядом с полем и в начале формы.",
        ),
        _part(
            "Что известно о недостатках",
            "Люди с нарушением зрения портал ещё не испытывали. С программами экранного доступа его не проверяли: проверены только "
            "правила, на которые эти программы опираются.",
            "Без скриптов в браузере войти и сменить пароль нельзя.",
            rx.el.li(
                "Код приходит звонком или в Telegram. Кому не подходит ни то, ни другое, ",
                rx.el.span("входит через Госуслуги или ", **shown_if("gosuslugi", AccountState.gosuslugi_on)),
                "обращается лично.",
            ),
            "Страницы Госуслуг и Telegram порталу не принадлежат. Как они выглядят, портал не меняет.",
        ),
        rx.el.section(
            rx.el.h2("Кому сообщить", id="whom-to-tell"),
            rx.el.p(
                "Что-то не читается или не нажимается? Напишите: ",
                known_link(
                    known_text("accessibility_email", email),
                    "accessibility_mailto",
                    "mailto:" + email,
                    class_name="link",
                ),
                ".",
                **shown_if("accessibility_email", email != ""),
            ),
            rx.el.p(
                "Что-то не читается или не нажимается? Обратитесь в ",
                desk(),
                ".",
                support_phone_at_once(" Телефон поддержки: "),
                **shown_if("accessibility_desk", email == ""),
            ),
            aria_labelledby="whom-to-tell",
        ),
        name="narrow",
    )


def _part(title: str, *sentences: str | rx.Component) -> rx.Component:
    rows = [rx.el.li(one) if isinstance(one, str) else one for one in sentences]
    return rx.el.section(
        rx.el.h2(title),
        rx.el.ul(*rows, class_name="plain-list"),
    )
