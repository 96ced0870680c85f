"""What a browser shows for an address or a request that is refused before any page: in Russian, like everything else."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from starlette.responses import HTMLResponse

from medonline import routes

_TITLES = {
    HTTPStatus.NOT_FOUND: "Такой страницы нет",
    HTTPStatus.METHOD_NOT_ALLOWED: "Такой страницы нет",
    HTTPStatus.REQUEST_TIMEOUT: "Запрос не пришёл целиком",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Слишком большой запрос",
    HTTPStatus.FORBIDDEN: "Запрос с чужой страницы отклонён",
    HTTPStatus.SERVICE_UNAVAILABLE: "Портал временно не отвечает",
}
_OTHERWISE = "Что-то пошло не так"
_HINTS = {
    HTTPStatus.REQUEST_TIMEOUT: "Связь прервалась или слишком медленная. Попробуйте ещё раз.",
    HTTPStatus.SERVICE_UNAVAILABLE: "Подождите минуту и попробуйте ещё раз: обновите страницу или начните с главной.",
}
_HINT_OTHERWISE = "Проверьте адрес или начните с главной страницы."


def error_page(status: int, headers: Mapping[str, str] | None = None) -> HTMLResponse:
    """A small page with the way back; needs no script."""
    title = next((text for code, text in _TITLES.items() if code == status), _OTHERWISE)
    hint = next((text for code, text in _HINTS.items() if code == status), _HINT_OTHERWISE)
    return HTMLResponse(
        f"""<!doctype html>
<html lang="ru"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} — Медицина-онлайн</title><link rel="stylesheet" href="/portal.css"></head>
<body><main class="main narrow"><h1>{title}</h1><p>{hint}</p>
<a class="button primary" href="{routes.HOME}">На главную</a></main></body></html>
""",
        status,
        headers,
    )
