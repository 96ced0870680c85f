"""The token endpoints of both faces: how they read a request, and what they answer while a fault is switched on."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from medonline.sandbox.gosuslugi.faults import Fault
from medonline.sandbox.gosuslugi.stand import Form, Stand, form

NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_OVERSIZED = 2_000_000  # characters


class TokenEndpoint(ABC):
    """Answers at once if a fault demands it. Otherwise the face answers."""

    def __init__(self, stand: Stand) -> None:
        self._stand = stand

    async def answer(self, request: Request) -> Response:
        """Answer one request."""
        given = await form(request)  # first: a server resets a connection whose request is unread
        fault = await self._stand.fault()
        if fault is Fault.HTML_500:
            return HTMLResponse("<html><body><h1>500 Internal Server Error</h1></body></html>", status_code=500)
        if fault is Fault.OVERSIZED:
            return JSONResponse({"padding": "0" * _OVERSIZED})
        if fault is Fault.SLOW:
            await asyncio.sleep(self._stand.slow_answer)
        return await self._trade(request, given, fault)

    @abstractmethod
    async def _trade(self, request: Request, given: Form, fault: Fault) -> Response:
        """Tokens, or a refusal in the form that the face uses."""

    @staticmethod
    def _issued(tokens: dict[str, Any], fault: Fault) -> Response:
        """The tokens. While that fault is on, meaningless members are added."""
        nothing = {"error": None, "error_description": "", "error_uri": None, "scope": None}
        told = nothing | tokens | {"error": None} if fault is Fault.NULLS else tokens
        return JSONResponse(told, headers=NO_STORE)
