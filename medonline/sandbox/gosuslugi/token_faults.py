"""What the token endpoints of both faces answer while a fault is switched on."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.responses import HTMLResponse, JSONResponse, Response

from medonline.sandbox.gosuslugi.faults import Fault
from medonline.sandbox.gosuslugi.stand import Stand

_OVERSIZED = 2_000_000  # characters


def with_nulls(fault: Fault, answer: dict[str, Any]) -> dict[str, Any]:
    """The answer, with members that say nothing beside it while that fault is on."""
    nothing = {"error": None, "error_description": "", "error_uri": None, "scope": None}
    return nothing | answer | {"error": None} if fault is Fault.NULLS else answer


async def broken_answer(stand: Stand, fault: Fault) -> Response | None:
    """An answer instead of tokens, or None, perhaps after a long while."""
    if fault is Fault.HTML_500:
        return HTMLResponse("<html><body><h1>500 Internal Server Error</h1></body></html>", status_code=500)
    if fault is Fault.OVERSIZED:
        return JSONResponse({"padding": "0" * _OVERSIZED})
    if fault is Fault.SLOW:
        await asyncio.sleep(stand.slow_answer)
    return None
