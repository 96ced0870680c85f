"""The help for a page that gets no websocket. The page's state, which knows the region, never reaches it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from medonline.bootstrap import portal
from medonline.web.cookies import cookie_value, region_code_in


async def connection_help(request: Request) -> Response:
    """Whom to contact in the visitor's region (empty before the region is chosen), and whether the portal offers Gosuslugi."""
    region = portal().config.region(region_code_in(cookie_value(request.scope)))
    return JSONResponse(
        {
            "desk": region.desk if region else "",
            "phone": region.support_phone if region else "",
            "tel": region.support_tel if region else "",
            "gosuslugi": portal().outside.identity is not None,
        }
    )
