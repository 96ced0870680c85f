"""What `medonline serve` prints when it is ready: the address and, in the demo, what to try."""

from __future__ import annotations

import click

from medonline import routes
from medonline.bootstrap import DEMO_ACCOUNTS
from medonline.config.mail import MailProvider
from medonline.config.settings import Config

_DEMO = """
Телефон-стенд (звонки, Telegram, SMS): {phone}

Демо-пациенты (телефон, пароль, дата рождения):
{patients}

Люди на учебных Госуслугах (пароль у всех {password}): {people}

Что попробовать:
  1. Забытый пароль: «Войти» → «ЛОГИН/ПАРОЛЬ» → «Не могу войти» → «Не помню пароль» → «Ручной ввод данных».
     Код покажет телефон-стенд во втором окне.
  2. Новый пациент: «Зарегистрироваться» → «Да, я согласен» → на Госуслугах +7 900 000-10-11 (Соколов), SMS придёт
     на телефон-стенд → «Мои карты» → имя вверху → «Настройки» → пароль → «Выйти» → вход по телефону и паролю.
  3. Прежний кабинет через Госуслуги: +7 900 000-10-02 (Смирнов, сразу), +7 900 000-10-01 (Иванова, докажет, что он её).
  4. Вход по отпечатку, лицу или PIN: войти, «Настройки» → «Добавить вход на этом устройстве» → «Выйти» → «Войти»{passkeys}.
  5. Код не приходит: номер, который кончается на 0020 (ни звонка, ни Telegram): «Получить код в Telegram» → «Получить код
     в SMS». Сразу: шаг 1 → «Другие способы» → «Код в SMS», «Код в MAX» (чат откроет ссылка на шаге 2) или «Позвоните нам»
     (телефон-стенд → «Позвонить на номер…», потом дата рождения).
  6. Почта: «Настройки» → «Электронная почта» → код из письма; о каждой перемене входа напишут и туда{mail}:
     {inbox}
  7. Неполадки: {faults} (Госуслуги), {registry_faults} (реестр карт),
     {code_faults} (звонки и сообщения: здесь можно выключить и uCaller, и Telegram).

Остановить: Ctrl+C.
"""

_NO_PASSKEYS = "MEDONLINE_PASSKEYS=false, или адрес портала без имени: откройте его по имени localhost"
_NO_MAIL = "имя папки данных слишком длинное, или MEDONLINE_MAIL_PROVIDER=none"


def greet(config: Config) -> None:
    """Print the greeting. Everything in the demo is made up."""
    click.echo(f"\nМедицина-онлайн: {config.origin}")
    if not config.demo:
        return
    from medonline.sandbox.people import PASSWORD

    stand_in = f"{config.origin}{routes.SANDBOX}"
    click.echo(
        _DEMO.format(
            phone=f"{config.origin}{routes.DEMO_PHONE}",
            patients="\n".join(
                f"  {one.phone}  {one.password:<14} {one.birth_date:%d.%m.%Y}  {one.last_name} {one.first_name} {one.patronymic}"
                for one in DEMO_ACCOUNTS
            ),
            passkeys="" if config.passkey_host else f" (здесь выключен: {_NO_PASSKEYS})",
            password=PASSWORD,
            people=f"{stand_in}/gosuslugi/people",
            faults=f"{stand_in}/gosuslugi/faults",
            registry_faults=f"{stand_in}/fhir-faults",
            code_faults=f"{stand_in}/code-faults",
            inbox=f"{stand_in}/inbox",
            mail="" if config.mail_provider is not MailProvider.NONE else f" (здесь выключена: {_NO_MAIL})",
        )
    )
