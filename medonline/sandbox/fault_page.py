"""Switches of faults that hold for everyone: a page with a form, and the same as JSON."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from html import escape
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from medonline.sandbox.pages import FAULTS, HEADERS

_LONGEST_BODY = 1_000


class FaultPage(ABC):
    """`path` is the page, relative to the sandbox; the JSON is at `path.json`. `banner` says what is not real here."""

    path: str
    title: str
    banner: str

    def routes(self) -> list[Route]:
        """Routes relative to the sandbox."""
        return [
            Route(f"/{self.path}", self._show, methods=["GET"]),
            Route(f"/{self.path}", self._submit, methods=["POST"]),
            Route(f"/{self.path}.json", self._tell, methods=["GET"]),
            Route(f"/{self.path}.json", self._put, methods=["PUT"]),
        ]

    @abstractmethod
    async def _groups(self) -> list[str]:
        """The choices (`group`), one for each switch."""

    @abstractmethod
    async def _on(self) -> Mapping[str, str]:
        """The fault of each switch, by the switch's name."""

    @abstractmethod
    async def _switched(self, sent: Mapping[str, object]) -> bool:
        """Set the switches that were sent. If any value is invalid, change nothing and return False."""

    @abstractmethod
    def _wanted(self) -> str:
        """The valid values, for the error that refuses an invalid one."""

    async def _show(self, request: Request) -> Response:
        groups = "\n".join(await self._groups())
        page = FAULTS.substitute(title=self.title, banner=self.banner, path=self.path, groups=groups)
        return HTMLResponse(page, headers=HEADERS)

    async def _submit(self, request: Request) -> Response:
        form = parse_qsl((await request.body())[:_LONGEST_BODY].decode(errors="replace"))
        if not await self._switched(dict(form)):
            return HTMLResponse("Такой неполадки нет.", status_code=400, headers=HEADERS)
        return RedirectResponse(self.path, status_code=303, headers=HEADERS)

    async def _tell(self, request: Request) -> Response:
        return JSONResponse(await self._on(), headers=HEADERS)

    async def _put(self, request: Request) -> Response:
        try:
            sent = json.loads((await request.body())[:_LONGEST_BODY])
        except (ValueError, RecursionError):
            sent = None
        if not isinstance(sent, dict) or not await self._switched(sent):
            return JSONResponse({"error": self._wanted()}, status_code=400, headers=HEADERS)
        return await self._tell(request)


def group(legend: str, name: str, choices: Sequence[tuple[str, str]], current: str) -> str:
    """The choices of one switch. Each is a pair (fault, label)."""
    radios = "\n".join(
        f'<label><input type="radio" name="{name}" value="{fault}"{" checked" if fault == current else ""}> '
        f"{escape(label)}</label>"
        for fault, label in choices
    )
    return f"<fieldset>\n<legend>{escape(legend)}</legend>\n{radios}\n</fieldset>"
