"""Routes about passwords that browsers ask for by themselves, and one that the page's script asks for."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from medonline import routes
from medonline.bootstrap import portal
from medonline.services.passwords.suggestion import suggested_password
from medonline.web.edge.error_pages import error_page


async def change_password(_request: Request) -> Response:
    """Where a password manager's «change password» leads (W3C, A Well-Known URL for Changing Passwords)."""
    return RedirectResponse(f"{routes.SETTINGS}?focus=password", 303)


async def nothing_well_known(_request: Request) -> Response:
    """Password managers ask for an address that no site has before they believe a site's other answers: it must be a 404."""
    return error_page(404)


async def suggestion(_request: Request) -> Response:
    """A password that fits, never the same one; nothing of it is kept."""
    config = portal().config
    return JSONResponse({"password": suggested_password(config.longest_password_minimum)})
