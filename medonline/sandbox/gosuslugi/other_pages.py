"""Pages of the other ways to sign in: the QR code, its confirmation on a phone, the choice of a certificate."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from starlette.responses import Response

from medonline.sandbox.gosuslugi.journeys import Journey
from medonline.sandbox.gosuslugi.layout import CLIENT, heading, page, problem
from medonline.sandbox.gosuslugi.logins import ACCOUNTS
from medonline.sandbox.gosuslugi.sessions import QrRequest
from medonline.sandbox.gosuslugi.sign_in_pages import full_name
from medonline.sandbox.gosuslugi.stand import Stand
from medonline.sandbox.people import DemoPerson

CERTIFICATES = tuple(person for person in ACCOUNTS if person.trusted)


def qr_page(stand: Stand, journey: Journey, qr: QrRequest, notice: str = "") -> Response:
    """The code for a phone to read. The script continues by itself; the button works without the script."""
    path = stand.path_of(journey)
    body = f"""{heading("Вход по QR-коду")}
<p>Наведите на код камеру телефона и подтвердите вход. Код действует 2 минуты.</p>
<p><img class="qr" src="{stand.root}/qr/{qr.id}.svg" alt="QR-код для входа" width="246" height="246"></p>
<p id="qr-notice" role="status">{escape(notice)}</p>
<form method="post" action="{path}/qr" data-qr-state="{path}/qr/state?qr={qr.id}">
<button type="submit">Проверить</button>
</form>
<p>Нет камеры — <a href="{stand.root}/qr/{qr.id}" target="_blank" rel="noopener">подтвердите в соседнем окне</a> или на
<a href="{stand.sandbox}/phone" target="_blank" rel="noopener">демо-телефоне</a>.</p>
<p class="alone"><a href="{path}">Другие способы входа</a></p>"""
    return page(stand, "Вход по QR-коду", body)


def approve_page(stand: Stand, qr: QrRequest, person: DemoPerson | None, wrong: str = "") -> Response:
    """On the phone: who signs in with this code?"""
    body = f"""{heading("Вход по QR-коду")}
<p>Кто-то входит на портал «{CLIENT}» по QR-коду. Подтвердите, если это вы.</p>
{problem(wrong)}
<form method="post" action="{stand.root}/qr/{qr.id}">
{_choice("Кто входит", ACCOUNTS, person)}
<button type="submit">Подтвердить вход</button>
</form>"""
    return page(stand, "Вход по QR-коду", body, 400 if wrong else 200)


def approved_page(stand: Stand, person: DemoPerson) -> Response:
    """On the phone: done."""
    body = f"""{heading("Вход подтверждён")}
<p role="status">Входит {escape(full_name(person))}. Вернитесь в окно, где показан QR-код.</p>"""
    return page(stand, "Вход подтверждён", body)


def qr_gone_page(stand: Stand) -> Response:
    """The code is too old, or somebody else has confirmed it."""
    body = f"""{heading("QR-код не действует")}
<p>Код устарел или уже использован. Откройте вход заново, и появится новый код.</p>"""
    return page(stand, "QR-код не действует", body, 410)


def certificate_page(stand: Stand, journey: Journey, wrong: str = "") -> Response:
    """Test certificates, one for each confirmed person."""
    path = stand.path_of(journey)
    body = f"""{heading("Вход с электронной подписью")}
<p>На учебном стенде подпись ставить нечем: выберите тестовый сертификат.</p>
{problem(wrong)}
<form method="post" action="{path}/certificate">
{_choice("Сертификат", CERTIFICATES, None)}
<button type="submit">Продолжить</button>
</form>
<p class="alone"><a href="{path}">Другие способы входа</a></p>"""
    return page(stand, "Вход с электронной подписью", body, 400 if wrong else 200)


def _choice(legend: str, people: Iterable[DemoPerson], chosen: DemoPerson | None) -> str:
    options = "\n".join(
        f'<label class="option"><input type="radio" name="oid" value="{person.oid}"'
        f"{' checked' if person is chosen else ''}> {escape(full_name(person))}</label>"
        for person in people
    )
    return f"<fieldset>\n<legend>{escape(legend)}</legend>\n{options}\n</fieldset>"
