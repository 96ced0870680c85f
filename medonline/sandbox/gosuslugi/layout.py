"""The frame of every page: the banner that this is a training stand, the headers, and one function that makes the response."""

from __future__ import annotations

import re
from html import escape

from starlette.responses import HTMLResponse

from medonline.sandbox.gosuslugi.stand import Stand

CLIENT = "Медицина-онлайн"
_HEADERS = {
    "Cache-Control": "no-store",
    # form-action is not restricted: a posted form ends in a redirect to the portal, which has another origin.
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    # With no-referrer, browsers send `Origin: null` with a form, and the portal's boundary refuses that.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
_JOURNEY = re.compile(r"[A-Za-z0-9_-]{16,64}", re.ASCII)


def page(stand: Stand, title: str, body: str, status: int = 200) -> HTMLResponse:
    """A whole page. `body` is markup, `title` is text. The title also names an error."""
    mistake = "Ошибка: " if 'role="alert"' in body else ""
    return HTMLResponse(
        f"""<!doctype html>
<html lang="ru">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>{mistake}{escape(title)} — ГОСУСЛУГИ, учебный стенд</title>
<link rel="icon" href="{stand.static}/gosuslugi.svg" type="image/svg+xml">
<link rel="stylesheet" href="{stand.static}/gosuslugi.css">
<script src="{stand.static}/gosuslugi.js" defer></script>
</head>
<body>
<aside class="banner" aria-label="Учебный стенд">Учебный стенд, не вводите настоящий пароль</aside>
<main>
{body}
</main>
</body>
</html>
""",
        status_code=status,
        headers=_HEADERS,
    )


def heading(title: str) -> str:
    """The brand above the title, for pages other than the sign-in page."""
    return f'<p class="brand">ГОСУСЛУГИ</p>\n<h1>{escape(title)}</h1>'


def problem(text: str) -> str:
    """An error, which screen readers read aloud at once. Empty if there is none."""
    return f'<p class="problem" id="problem" role="alert">{escape(text)}</p>' if text else ""


def way_back(stand: Stand, journey: str) -> str:
    """A link from a help page to the sign-in from which it was opened."""
    if not _JOURNEY.fullmatch(journey):
        return ""
    return f'<p class="alone"><a href="{stand.root}/journey/{journey}">Вернуться ко входу</a></p>'


def with_journey(address: str, journey: str) -> str:
    """The address of a help page, with the way back."""
    return f"{address}?journey={journey}" if _JOURNEY.fullmatch(journey) else address


def dialog(name: str, title: str, body: str) -> str:
    """A native dialog. gosuslugi.js opens it in place of the link marked `data-dialog`."""
    return f"""<dialog id="{name}" aria-labelledby="{name}-title">
<h2 id="{name}-title" tabindex="-1" autofocus>{escape(title)}</h2>
{body}
<form method="dialog"><button class="quiet">Закрыть</button></form>
</dialog>"""
