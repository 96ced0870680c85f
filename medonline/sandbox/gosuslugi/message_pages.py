"""Final pages: a refused request, an ended sign-in, a sign-out."""

from __future__ import annotations

from html import escape
from urllib.parse import urlsplit

from starlette.responses import Response

from medonline.sandbox.gosuslugi.asked import Asked
from medonline.sandbox.gosuslugi.layout import heading, page
from medonline.sandbox.gosuslugi.stand import Stand


def refused_page(stand: Stand, description: str) -> Response:
    """The client's request has an error that forbids sending anybody back to it."""
    body = f"""{heading("Запрос не принят")}
<p class="problem" role="alert">{escape(description)}</p>
<p>Портал обратился к Госуслугам неправильно. Вернитесь на портал и попробуйте ещё раз.</p>"""
    return page(stand, "Запрос не принят", body, 400)


def gone_page(stand: Stand, asked: Asked | None = None) -> Response:
    """The sign-in has ended, is too old, or began in another browser."""
    back = ""
    if asked is not None:
        portal = urlsplit(asked.redirect_uri)
        back = f'<p class="alone"><a class="button" href="{portal.scheme}://{escape(portal.netloc)}/">Вернуться на портал</a></p>'
    body = f"""{heading("Этот вход завершён")}
<p>Он уже закончен, устарел или начат в другом браузере. Вернитесь на портал и начните вход снова.</p>
{back}"""
    return page(stand, "Этот вход завершён", body, 410)


def signed_out_page(stand: Stand) -> Response:
    """The person is signed out, and there is no address to return to."""
    return page(stand, "Вы вышли", f"{heading('Вы вышли')}\n<p>Сеанс на Госуслугах закончен.</p>")
