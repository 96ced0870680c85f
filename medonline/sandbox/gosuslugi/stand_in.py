"""Puts the stand-in of Gosuslugi together from its parts."""

from __future__ import annotations

import time
from collections.abc import Callable

from starlette.routing import Route

from medonline.sandbox.gosuslugi.esia import EsiaFace
from medonline.sandbox.gosuslugi.help_pages import HelpPages
from medonline.sandbox.gosuslugi.oidc import OidcFace
from medonline.sandbox.gosuslugi.other_ways import OtherWays
from medonline.sandbox.gosuslugi.sign_in import SignIn
from medonline.sandbox.gosuslugi.stand import Stand
from medonline.sandbox.settings import SandboxSettings
from medonline.sandbox.store import Store


class GosuslugiStandIn:
    """Both faces, the sign-in pages and the help pages. `clock` gives Unix time."""

    def __init__(self, settings: SandboxSettings, store: Store, clock: Callable[[], float] = time.time) -> None:
        self.stand = Stand.build(settings, store, clock)

    def routes(self) -> list[Route]:
        """Routes relative to the stand-in."""
        sign_in = SignIn(self.stand)
        return [
            *EsiaFace(self.stand, sign_in).routes(),
            *OidcFace(self.stand, sign_in).routes(),
            *sign_in.routes(),
            *OtherWays(self.stand, sign_in).routes(),
            *HelpPages(self.stand).routes(),
        ]

    def pending_qr(self) -> list[str]:
        """QR codes that wait for a phone, newest first. Blocks for one small transaction."""
        return self.stand.sessions.pending_qr()
