"""The two help texts of the sign-in, shown as dialogs or, without scripts, as pages."""

from __future__ import annotations

from medonline.sandbox.gosuslugi.layout import with_journey
from medonline.sandbox.gosuslugi.stand import Stand

SIGN_IN_TITLE = "Не удаётся войти?"
SMS_TITLE = "Не приходит смс"


def sign_in_help(stand: Stand, journey: str) -> str:
    """What to try when the login or the password is refused."""
    restore, support, centres = (
        with_journey(f"{stand.root}/{page}", journey) for page in ("restore", "support", "service-centres")
    )
    return f"""<ol>
<li>Проверьте, что вы ввели. Телефон и СНИЛС пишите подряд, без дефисов и пробелов. Посмотрите, тот ли язык
включён на клавиатуре и не нажата ли клавиша Caps Lock.</li>
<li>Не помните пароль — воспользуйтесь <a href="{restore}">восстановлением пароля</a>.</li>
<li>Пароль восстановить не получилось — напишите <a href="{support}">в службу поддержки</a>.</li>
<li>Можно прийти в любой <a href="{centres}">центр обслуживания</a>. Возьмите с собой документ, удостоверяющий
личность, и СНИЛС.</li>
</ol>"""


def sms_help(stand: Stand, journey: str) -> str:
    """What to try when the SMS code does not arrive."""
    support = with_journey(f"{stand.root}/support", journey)
    return f"""<h3>Номер телефона изменился</h3>
<p>Укажите нынешний номер в своей учётной записи на Госуслугах. Если войти в неё нельзя, номер поменяют в центре
обслуживания или через банк.</p>
<h3>Номер прежний</h3>
<p>Обновите страницу и попробуйте ещё раз: возможно, у оператора идут технические работы.</p>
<h3>Настройки связи</h3>
<ul>
<li>Недавно сменили сим-карту или оператора: сообщения могут не приходить сутки. Попробуйте через 24 часа.</li>
<li>Проверьте, что номер телефона указан правильно.</li>
<li>Проверьте, ловит ли телефон сеть и не включён ли режим полёта.</li>
<li>Если баланс отрицательный, пополните его.</li>
<li>Спросите оператора, не блокирует ли он сообщения от Госуслуг.</li>
</ul>
<p>Ничего не помогло — напишите <a href="{support}">в службу поддержки</a>.</p>"""
