"""The pages of a sign-in: login and password, the SMS code, the consent."""

from __future__ import annotations

from html import escape

from starlette.responses import Response

from medonline.sandbox.gosuslugi.help_texts import SIGN_IN_TITLE, SMS_TITLE, sign_in_help, sms_help
from medonline.sandbox.gosuslugi.journeys import Journey
from medonline.sandbox.gosuslugi.layout import CLIENT, dialog, heading, page, problem, with_journey
from medonline.sandbox.gosuslugi.scopes import DATA
from medonline.sandbox.gosuslugi.stand import Stand
from medonline.sandbox.people import DemoPerson


def sign_in_page(stand: Stand, journey: Journey, wrong: str = "", login: str = "") -> Response:
    """«ГОСУСЛУГИ»: who are you? The page never shows the password again, but it shows the login."""
    path = stand.path_of(journey)
    state = 'aria-invalid="true" aria-describedby="problem"' if wrong else ""
    people = with_journey(f"{stand.root}/people", journey.id)
    body = f"""<h1 class="brand">ГОСУСЛУГИ</h1>
<p class="client">Вход на портал «{CLIENT}»</p>
{problem(wrong)}
<form method="post" action="{path}/password">
<label for="login">Телефон / Email / СНИЛС</label>
<input id="login" name="login" type="text" autocomplete="off" autocapitalize="off" spellcheck="false" maxlength="100"
 value="{escape(login)}" {state}>
<label for="password">Пароль</label>
<input id="password" name="password" type="password" autocomplete="off" maxlength="200" {state}>
<p class="alone"><a href="{with_journey(f"{stand.root}/restore", journey.id)}">Восстановить</a></p>
<button type="submit">Войти</button>
</form>
<section aria-labelledby="other-ways">
<h2 id="other-ways">Войти другим способом</h2>
<p class="ways"><a class="button quiet" href="{path}/qr">QR-код</a>
<a class="button quiet" href="{path}/certificate">Эл. подпись</a></p>
</section>
<p class="alone"><a href="{with_journey(f"{stand.root}/help/sign-in", journey.id)}"
 data-dialog="help-sign-in">{SIGN_IN_TITLE}</a></p>
<p class="alone hint"><a href="{people}">Тестовые люди и учебный пароль</a></p>
{dialog("help-sign-in", SIGN_IN_TITLE, sign_in_help(stand, journey.id))}"""
    return page(stand, "Вход", body, 400 if wrong else 200)


def code_page(stand: Stand, journey: Journey, wrong: str = "") -> Response:
    """«Подтвердите вход»: the code from the SMS."""
    state = 'aria-invalid="true" aria-describedby="problem"' if wrong else ""
    body = f"""{heading("Подтвердите вход")}
<p>Код подтверждения отправлен на номер +7 ***_***_**_**</p>
{problem(wrong)}
<form method="post" action="{stand.path_of(journey)}/code">
<label for="code">Код подтверждения</label>
<input id="code" name="code" type="text" inputmode="numeric" autocomplete="one-time-code" autofocus {state}>
<button type="submit">Продолжить</button>
</form>
<p class="alone"><a href="{with_journey(f"{stand.root}/help/sms", journey.id)}" data-dialog="help-sms">{SMS_TITLE}</a></p>
<p class="hint">На стенде сообщения приходят на <a href="{stand.sandbox}/phone" target="_blank"
 rel="noopener">демо-телефон</a>.</p>
{dialog("help-sms", SMS_TITLE, sms_help(stand, journey.id))}"""
    return page(stand, "Подтвердите вход", body, 400 if wrong else 200)


def consent_page(stand: Stand, journey: Journey, person: DemoPerson) -> Response:
    """The data that the portal asks for. Nothing is shared before the button is pressed."""
    asked = "\n".join(f"<li>{text}</li>" for name, text in DATA.items() if name in journey.asked.data)
    body = f"""{heading("Передача данных")}
<p>Вы вошли как {escape(full_name(person))}.</p>
<p>Портал «{CLIENT}» просит предоставить ему:</p>
<ul>
{asked}
</ul>
<form method="post" action="{stand.path_of(journey)}/consent" class="ways">
<button name="decision" value="grant">Предоставить</button>
<button name="decision" value="refuse" class="quiet">Отказаться</button>
</form>"""
    return page(stand, "Передача данных", body)


def full_name(person: DemoPerson) -> str:
    """Фамилия Имя Отчество."""
    return f"{person.last_name} {person.first_name} {person.patronymic}".strip()
