"""The route of «Версия для слабовидящих»: it keeps how the pages shall look."""

from __future__ import annotations

from dataclasses import asdict
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from medonline import routes
from medonline.domain.low_vision import LowVision
from medonline.web.cookies import cookie_value, low_vision_cookie, low_vision_in
from medonline.web.routes.login import small_form

# Where a browser may be sent back to: the portal's own words, never the request's.
_PAGES = {path: path for path in routes.PAGES}
ORDINARY = "ordinary"  # the `version` that ends it; any other form begins it, or changes what it names


async def choose_low_vision(request: Request) -> Response:
    """A button of the header was pressed. The page's script asks for JSON and changes the page in place, so that nothing typed is
    lost; without it the browser posts the form, and the same page comes again in the other look."""
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
    """The page whose form it was; the start page when the browser does not say, or says something else."""
    try:
        path = urlsplit(request.headers.get("referer", "")).path
    except ValueError:
        return routes.HOME
    return path if path in _PAGES else routes.HOME
