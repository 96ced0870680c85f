"""ESIA's own face: authorisation (`/aas/oauth2/v2/ac`) and signing out (`/idp/ext/Logout`)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from medonline.sandbox.gosuslugi import esia_checks as check
from medonline.sandbox.gosuslugi.asked import Asked, returning
from medonline.sandbox.gosuslugi.esia_checks import EsiaError
from medonline.sandbox.gosuslugi.esia_person import EsiaPerson
from medonline.sandbox.gosuslugi.esia_token import EsiaToken
from medonline.sandbox.gosuslugi.faults import Fault
from medonline.sandbox.gosuslugi.message_pages import refused_page, signed_out_page
from medonline.sandbox.gosuslugi.sign_in import SignIn
from medonline.sandbox.gosuslugi.stand import Form, Stand

_BASE64URL_OF_SHA256 = 43  # characters, without padding


class EsiaFace:
    """The addresses of ESIA in production, relative to the stand-in."""

    def __init__(self, stand: Stand, sign_in: SignIn) -> None:
        self._stand = stand
        self._sign_in = sign_in

    def routes(self) -> list[Route]:
        """All routes of ESIA's face."""
        return [
            Route("/aas/oauth2/v2/ac", self._authorise, methods=["GET"]),
            Route("/aas/oauth2/v3/te", EsiaToken(self._stand).answer, methods=["POST"]),
            Route("/idp/ext/Logout", self._logout, methods=["GET"]),
            *EsiaPerson(self._stand).routes(),
        ]

    async def _authorise(self, request: Request) -> Response:
        given = request.query_params
        try:
            check.check_client(given, self._stand)
            address = check.check_redirect(given, self._stand)
        except EsiaError as error:
            # Never redirect to an address that is not known to be the client's.
            return refused_page(self._stand, error.description)
        try:
            if await self._stand.fault() is Fault.UNAVAILABLE:
                raise EsiaError("007008")
            asked = self._checked(given)
        except EsiaError as error:
            state = given.get("state", "")
            back = returning(address, error=error.error, error_description=error.description, state=state)
            return RedirectResponse(back, 302)
        return await self._sign_in.begin(request, asked)

    def _checked(self, given: Form) -> Asked:
        check.chosen(given, "response_type", ("code",), wrong="007009")
        access = check.chosen(given, "access_type", ("online", "offline"))
        scope, state = check.check_scope(given), check.check_state(given)
        challenge = ""
        if "code_challenge" in given:
            challenge = check.required(given, "code_challenge")
            check.chosen(given, "code_challenge_method", ("S256",))
            if len(challenge) != _BASE64URL_OF_SHA256:
                raise EsiaError("007003", "code_challenge")
        check.check_signature(given, self._stand)
        return Asked(
            "esia",
            given["client_id"],
            given["redirect_uri"],
            scope,
            state,
            challenge=challenge,
            offline=access == "offline",
        )

    async def _logout(self, request: Request) -> Response:
        given, settings = request.query_params, self._stand.settings
        address = given.get("redirect_url", "")
        if given.get("client_id") != settings.client_id:
            response = refused_page(self._stand, EsiaError("007005").description)
        elif not address:
            response = signed_out_page(self._stand)
        elif address not in settings.logout_uris:
            response = refused_page(self._stand, EsiaError("007023", "redirect_url").description)
        else:
            response = RedirectResponse(returning(address, state=given.get("state", "")), 302)
        return await self._stand.sign_out(request, response)
