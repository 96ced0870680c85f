"""What «Мои карты» says after an action, and whose card it is."""

from __future__ import annotations

from medonline.services.patient_cards.rows import Whose
from medonline.services.patient_cards.service import AskedConsent, LinkedCards
from medonline.wording.regions import ANYWHERE, Help

WHOSE = {Whose.OWN: "Ваша карта", Whose.CHILD: "Карта ребёнка", Whose.OTHER: "Карта другого человека"}
REMOVED = "Карта убрана из кабинета. В поликлинике она осталась."
WITHDRAWN = "Запрос отозван."
GRANTED = "Доступ открыт. Убрать его можно в любой момент: ниже, в разделе «Кто видит ваши карты»."
REFUSED = "Вы отказали. Ваши карты никто не увидел."
ACCESS_REMOVED = "Доступ убран: этот человек больше не видит ваши карты."
NOT_ADDED = "Карта не добавлена. Исправьте:"
_ASKED = (
    "Запрос отправлен. Карта откроется, когда её владелец согласится: запрос ждёт его в его личном кабинете, в разделе «Мои "
    "карты». Есть ли такой полис, портал не говорит."
)


def _maybe_own(help: Help) -> str:
    return (
        " Если это ваш полис: портал не узнал по нему вашу карту. Проверьте номер и дату, отзовите запрос и добавьте карту ещё раз, а "
        f"если в карте другая фамилия, обратитесь в {help.desk} с паспортом."
    )


def _no_birth_date(help: Help) -> str:
    return (
        " Если это ваша карта: в кабинете не указана дата рождения, и портал не может узнать вас. "
        f"{help.gosuslugi_or('Свяжите кабинет с Госуслугами', 'обратитесь') if help.gosuslugi else 'Обратитесь'} в {help.desk} с паспортом."
    )


def added(outcome: LinkedCards | AskedConsent, help: Help = ANYWHERE) -> str:
    """The result of «Добавить карту»."""
    if isinstance(outcome, LinkedCards):
        doubt = " Обратите внимание: последняя цифра полиса не сходится с остальными, такое бывает у старых полисов."
        return "Карта добавлена." + (doubt if outcome.doubtful_policy else "")
    return (
        _ASKED
        + (_maybe_own(help) if outcome.maybe_own else "")
        + (_no_birth_date(help) if outcome.no_birth_date else "")
    )


def asked_again() -> str:
    """The result of «Спросить согласие»."""
    return _ASKED
