"""What all parts of the stand-in share: its settings, what it keeps, its keys and the cookies of its visitors."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from starlette.datastructures import ImmutableMultiDict
from starlette.requests import Request
from starlette.responses import Response

from medonline.sandbox.gosuslugi.codes import Codes
from medonline.sandbox.gosuslugi.faults import Fault, Faults
from medonline.sandbox.gosuslugi.journeys import Journey, Journeys
from medonline.sandbox.gosuslugi.sessions import SESSION_LIVES, Session, Sessions
from medonline.sandbox.gosuslugi.signing import ClientCertificate, Signer
from medonline.sandbox.settings import GosuslugiSettings, SandboxSettings
from medonline.sandbox.store import Store

Form = ImmutableMultiDict[str, str]
BROWSER, SESSION = "gosuslugi_browser", "gosuslugi_session"


@dataclass(frozen=True)
class Stand:
    """The stand-in's inside; `slow_answer` seconds is how slow the fault «slow» is."""

    settings: GosuslugiSettings
    slow_answer: float
    clock: Callable[[], float]
    journeys: Journeys
    sessions: Sessions
    codes: Codes
    faults: Faults
    signer: Signer
    certificate: ClientCertificate

    @classmethod
    def build(cls, settings: SandboxSettings, store: Store, clock: Callable[[], float] = time.time) -> Stand:
        """Create what is missing in the database and read the keys."""
        if settings.gosuslugi is None:
            raise ValueError("The sandbox has no settings of Gosuslugi.")
        return cls(
            settings.gosuslugi,
            settings.slow_answer,
            clock,
            Journeys(store, clock),
            Sessions(store, clock),
            Codes(store, clock),
            Faults(store),
            Signer(settings.gosuslugi, clock),
            ClientCertificate(settings.gosuslugi.client_certificate),
        )

    @property
    def root(self) -> str:
        """The path of the stand-in as browsers see it."""
        return urlsplit(self.settings.base_url).path.rstrip("/")

    @property
    def sandbox(self) -> str:
        """The path of the sandbox, of which the stand-in is a part."""
        return self.root.rpartition("/")[0]

    @property
    def static(self) -> str:
        """The path of the sandbox's static files."""
        return f"{self.sandbox}/static"

    def path_of(self, journey: Journey) -> str:
        """The page of a sign-in under way."""
        return f"{self.root}/journey/{journey.id}"

    async def fault(self) -> Fault:
        """Which fault is switched on."""
        return await asyncio.to_thread(self.faults.current)

    async def session(self, request: Request) -> Session | None:
        """Who is signed in in this browser."""
        secret = request.cookies.get(SESSION, "")
        return await asyncio.to_thread(self.sessions.find, secret) if secret else None

    async def sign_out(self, request: Request, response: Response, sid: str = "") -> Response:
        """End the session of this browser, and the one that a token of the client names."""
        if sid:
            await asyncio.to_thread(self.sessions.close_by_id, sid)
        await asyncio.to_thread(self.sessions.close, request.cookies.get(SESSION, ""))
        response.delete_cookie(SESSION, path=self.root or "/")
        return response

    def keep(self, response: Response, name: str, secret: str) -> None:
        """Set one of the two cookies; neither is visible outside the stand-in's own path."""
        response.set_cookie(
            name,
            secret,
            max_age=SESSION_LIVES,
            path=self.root or "/",
            httponly=True,
            samesite="lax",
            secure=self.settings.base_url.startswith("https:"),
        )


async def form(request: Request) -> Form:
    """The fields of a posted form; an unreadable body counts as an empty one."""
    try:
        fields = parse_qsl((await request.body()).decode(), keep_blank_values=True, max_num_fields=50)
    except ValueError:
        fields = []
    return Form(fields)
