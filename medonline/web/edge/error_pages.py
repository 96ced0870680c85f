"""The Russian pages for addresses and requests that the portal refuses before any page of the app."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from medonline import routes
from medonline.web.small_page import SmallPage

_TITLES = {
    HTTPStatus.NOT_FOUND: "Такой страницы нет",
    HTTPStatus.METHOD_NOT_ALLOWED: "Такой страницы нет",
    HTTPStatus.REQUEST_TIMEOUT: "Запрос не пришёл целиком",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Слишком большой запрос",
    HTTPStatus.FORBIDDEN: "Запрос с чужой страницы отклонён",
    HTTPStatus.SERVICE_UNAVAILABLE: "Портал временно не отвечает",
}
_OTHERWISE = "Что-то пошло не так"
_CHECK_ADDRESS = "Проверьте адрес или начните с главной страницы."
_HINTS = {
    HTTPStatus.REQUEST_TIMEOUT: "Связь прервалась или слишком медленная. Попробуйте ещё раз.",
    HTTPStatus.SERVICE_UNAVAILABLE: "Подождите минуту и попробуйте ещё раз: обновите страницу или начните с главной.",
    HTTPStatus.NOT_FOUND: _CHECK_ADDRESS,
    HTTPStatus.METHOD_NOT_ALLOWED: _CHECK_ADDRESS,
    HTTPStatus.FORBIDDEN: "Ничего не изменилось. Откройте главную страницу и повторите то, что хотели сделать.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Портал ничего не получил. Начните с главной страницы и введите меньше текста.",
}
_HINT_OTHERWISE = "Подождите минуту и попробуйте ещё раз или начните с главной страницы."


def error_page(status: int, headers: Mapping[str, str] | None = None) -> SmallPage:
    """A small page with a link back. It needs no script."""
    title = next((text for code, text in _TITLES.items() if code == status), _OTHERWISE)
    hint = next((text for code, text in _HINTS.items() if code == status), _HINT_OTHERWISE)
    return _page(status, title, f"<p>{hint}</p>", _link(routes.HOME, "На главную"), headers)


def other_host(origin: str) -> SmallPage:
    """The page for a request that names another host than the portal's. `origin`: the portal's own.

    The page repeats nothing of the request: neither its path nor its host, which anybody can choose.
    """
    text = f"<p>Портал открывается по адресу {origin}.</p>"
    return _page(HTTPStatus.MISDIRECTED_REQUEST, "Это не адрес портала", text, _link(origin, "Открыть портал"))


def form_not_taken(path: str) -> SmallPage:
    """The page for a form that a browser posted without the page's scripts. `path`: the address of the form's page.

    Danger: after a successful status, password managers would believe that the typed password is in force.
    """
    text = (
        "<p>Портал ничего из неё не получил и ничего не изменил: страница не успела загрузиться целиком, или в браузере выключен "
        "JavaScript.</p>"
        "<ol><li>Откройте страницу снова и подождите несколько секунд, пока она загрузится.</li>"
        "<li>Введите всё ещё раз и отправьте.</li>"
        "<li>Если не помогло, включите JavaScript в настройках браузера или откройте портал в другом браузере.</li></ol>"
    )
    again = _link(path, "Открыть страницу снова")
    return _page(HTTPStatus.UNPROCESSABLE_ENTITY, "Форма не отправлена", text, again)


def _link(path: str, text: str) -> str:
    return f'<a class="button primary" href="{path}">{text}</a>'


def _page(status: int, title: str, text: str, link: str, headers: Mapping[str, str] | None = None) -> SmallPage:
    return SmallPage(
        f"""<!doctype html>
<html lang="ru"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} — Медицина-онлайн</title><link rel="stylesheet" href="/portal.css"></head>
<body><main class="main narrow"><h1>{title}</h1>{text}
{link}</main></body></html>
""",
        status,
        headers,
    )
