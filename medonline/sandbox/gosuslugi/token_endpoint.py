"""The token endpoints of both faces: how a request is read, and what is answered while a fault is switched on."""

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
    """Answers at once where a fault asks for it; otherwise the face does."""

    def __init__(self, stand: Stand) -> None:
        self._stand = stand

    async def answer(self, request: Request) -> Response:
        """One request."""
        given = await form(request)  # before any answer: a server resets a connection whose request it has not read
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
        """Tokens, or a refusal in the words of the face."""

    @staticmethod
    def _issued(tokens: dict[str, Any], fault: Fault) -> Response:
        """The tokens; with members that say nothing beside them while that fault is on."""
        nothing = {"error": None, "error_description": "", "error_uri": None, "scope": None}
        told = nothing | tokens | {"error": None} if fault is Fault.NULLS else tokens
        return JSONResponse(told, headers=NO_STORE)
