"""The route of «Версия для слабовидящих»: it keeps the look that the patient chose."""

from __future__ import annotations

from dataclasses import asdict
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from medonline import routes
from medonline.domain.low_vision import LowVision
from medonline.web.cookies import cookie_value, low_vision_cookie, low_vision_in
from medonline.web.routes.login import small_form

# The pages to which a browser may return. The address comes from this table, never from the request.
_PAGES = {path: path for path in routes.PAGES}
ORDINARY = "ordinary"  # the `version` that ends the low-vision look; any other form begins it or changes the settings that it names


async def choose_low_vision(request: Request) -> Response:
    """Apply a button of the header. The page's script asks for JSON and changes the page in place, so that nothing typed is lost. Without
    the script the browser posts the form, and the same page comes back in the new look."""
    wanted = await small_form(request)
    before = low_vision_in(cookie_value(request.scope)) or LowVision()
    look = None if wanted.get("version") == ORDINARY else before.choosing(wanted)
    if request.headers.get("accept", "").startswith("application/json"):
        response: Response = JSONResponse(asdict(look) if look else {})
    else:
        response = RedirectResponse(_PAGES[_page_before(request)], 303)
    response.headers.append("Set-Cookie", low_vision_cookie(look))
    return response


def _page_before(request: Request) -> str:
    """The page that the form was on; the start page when the browser names no page of the portal."""
    try:
        path = urlsplit(request.headers.get("referer", "")).path
    except ValueError:
        return routes.HOME
    return path if path in _PAGES else routes.HOME
