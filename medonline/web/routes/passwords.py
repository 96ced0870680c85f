"""Routes about passwords. Browsers ask for two of them by themselves, and the page's script asks for the third."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from medonline import routes
from medonline.bootstrap import portal
from medonline.services.passwords.suggestion import suggested_password
from medonline.web.edge.error_pages import error_page


async def change_password(_request: Request) -> Response:
    """The target of a password manager's «change password» (W3C, A Well-Known URL for Changing Passwords)."""
    return RedirectResponse(f"{routes.SETTINGS}?focus=password", 303)


async def nothing_well_known(_request: Request) -> Response:
    """Password managers first ask for an address that no site has. Only after a 404 there do they believe a site's other answers."""
    return error_page(404)


async def suggestion(_request: Request) -> Response:
    """A new random password that meets the rules. The server does not keep it."""
    config = portal().config
    return JSONResponse({"password": suggested_password(config.longest_password_minimum)})
