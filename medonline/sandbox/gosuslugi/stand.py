"""What all parts of the stand-in share: settings, tables, keys and the visitors' cookies."""

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
    """The shared parts of the stand-in. The fault «slow» delays an answer by `slow_answer` seconds."""

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
        """Create missing tables in the database and read the keys."""
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
        """The path of the stand-in, as browsers see it."""
        return urlsplit(self.settings.base_url).path.rstrip("/")

    @property
    def sandbox(self) -> str:
        """The path of the sandbox that contains the stand-in."""
        return self.root.rpartition("/")[0]

    @property
    def static(self) -> str:
        """The path of the sandbox's static files."""
        return f"{self.sandbox}/static"

    def path_of(self, journey: Journey) -> str:
        """The page of a sign-in in progress."""
        return f"{self.root}/journey/{journey.id}"

    async def fault(self) -> Fault:
        """The fault that is switched on."""
        return await asyncio.to_thread(self.faults.current)

    async def session(self, request: Request) -> Session | None:
        """The session of the person who is signed in in this browser."""
        secret = request.cookies.get(SESSION, "")
        return await asyncio.to_thread(self.sessions.find, secret) if secret else None

    async def sign_out(self, request: Request, response: Response, sid: str = "") -> Response:
        """End the session of this browser, and the session that a token of the client names."""
        if sid:
            await asyncio.to_thread(self.sessions.close_by_id, sid)
        await asyncio.to_thread(self.sessions.close, request.cookies.get(SESSION, ""))
        response.delete_cookie(SESSION, path=self.root or "/")
        return response

    def keep(self, response: Response, name: str, secret: str) -> None:
        """Set one of the two cookies. Neither is sent outside the stand-in's own path."""
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
    """The fields of a posted form. An unreadable body counts as an empty one."""
    try:
        fields = parse_qsl((await request.body()).decode(), keep_blank_values=True, max_num_fields=50)
    except ValueError:
        fields = []
    return Form(fields)
