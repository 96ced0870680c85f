"""The standard OpenID Connect face: discovery, keys, authorisation, signing out."""

from __future__ import annotations

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from medonline.sandbox.gosuslugi.asked import Asked, returning
from medonline.sandbox.gosuslugi.faults import Fault
from medonline.sandbox.gosuslugi.message_pages import refused_page, signed_out_page
from medonline.sandbox.gosuslugi.oidc_token import OidcToken
from medonline.sandbox.gosuslugi.scopes import OIDC_SCOPES
from medonline.sandbox.gosuslugi.sign_in import SignIn
from medonline.sandbox.gosuslugi.stand import Form, Stand, form

_CLAIMS = (
    "sub given_name family_name middle_name birthdate gender phone_number phone_number_verified email email_verified"
    " snils trusted oms_policy"
)
_BASE64URL_OF_SHA256 = 43  # characters, without padding


class _OidcError(Exception):
    def __init__(self, error: str, description: str) -> None:
        super().__init__(error)
        self.error, self.description = error, description


class OidcFace:
    """The endpoints under `/oidc`. Their common address is the issuer."""

    def __init__(self, stand: Stand, sign_in: SignIn) -> None:
        self._stand = stand
        self._sign_in = sign_in

    def routes(self) -> list[Route]:
        """Routes relative to the stand-in."""
        token = OidcToken(self._stand)
        return [
            Route("/oidc/.well-known/openid-configuration", self._discovery),
            Route("/oidc/authorize", self._authorise, methods=["GET"]),
            Route("/oidc/token", token.answer, methods=["POST"]),
            Route("/oidc/userinfo", token.userinfo, methods=["GET", "POST"]),
            Route("/oidc/jwks", self._jwks),
            Route("/oidc/logout", self._logout, methods=["GET", "POST"]),
        ]

    @property
    def _issuer(self) -> str:
        return f"{self._stand.settings.base_url}/oidc"

    async def _discovery(self, request: Request) -> Response:
        issuer = self._issuer
        return JSONResponse(
            {
                "issuer": issuer,
                "authorization_endpoint": f"{issuer}/authorize",
                "token_endpoint": f"{issuer}/token",
                "userinfo_endpoint": f"{issuer}/userinfo",
                "jwks_uri": f"{issuer}/jwks",
                "end_session_endpoint": f"{issuer}/logout",
                "scopes_supported": sorted(OIDC_SCOPES),
                "claims_supported": _CLAIMS.split(),
                "response_types_supported": ["code"],
                "response_modes_supported": ["query"],
                "grant_types_supported": ["authorization_code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
                "code_challenge_methods_supported": ["S256"],
                "prompt_values_supported": ["login", "none"],
                "authorization_response_iss_parameter_supported": True,
            }
        )

    async def _jwks(self, request: Request) -> Response:
        return JSONResponse(self._stand.signer.jwks(await self._stand.fault()))

    async def _authorise(self, request: Request) -> Response:
        given, settings = request.query_params, self._stand.settings
        if given.get("client_id") != settings.client_id:
            return refused_page(self._stand, "unauthorized_client: the client is not known")
        address = given.get("redirect_uri", "")
        if address not in settings.redirect_uris:
            # Never redirect to an address that is not known to be the client's.
            return refused_page(self._stand, "invalid_request: the redirect_uri is not registered")
        try:
            asked = await self._checked(request)
        except _OidcError as error:
            state = given.get("state", "")
            back = returning(
                address, error=error.error, error_description=error.description, state=state, iss=self._issuer
            )
            return RedirectResponse(back, 302)
        return await self._sign_in.begin(request, asked, password_again=await self._asks_again(request))

    async def _asks_again(self, request: Request) -> bool:
        """Whether the client wants the password again: always, or after a number of seconds (`max_age`)."""
        given, session = request.query_params, await self._stand.session(request)
        age = given.get("max_age", "")
        too_old = age.isdecimal() and session is not None and self._stand.clock() - session.at > int(age)
        return given.get("prompt") == "login" or too_old

    async def _checked(self, request: Request) -> Asked:
        given = request.query_params
        if await self._stand.fault() is Fault.UNAVAILABLE:
            raise _OidcError("temporarily_unavailable", "Try again later")
        if any(len(given.getlist(name)) > 1 for name in given):
            raise _OidcError("invalid_request", "A parameter is repeated")
        if given.get("response_type") != "code":
            raise _OidcError("unsupported_response_type", "response_type must be code")
        scopes = set(given.get("scope", "").split())
        if "openid" not in scopes or not scopes <= OIDC_SCOPES:
            raise _OidcError("invalid_scope", "openid is missing, or a scope is not known")
        _check_challenge(given)
        if given.get("prompt") == "none" and await self._stand.session(request) is None:
            raise _OidcError("login_required", "Nobody is signed in")
        return Asked(
            "oidc",
            given["client_id"],
            given["redirect_uri"],
            given["scope"],
            given.get("state", ""),
            nonce=given.get("nonce", ""),
            challenge=given["code_challenge"],
            issuer=self._issuer,
        )

    async def _logout(self, request: Request) -> Response:
        given: QueryParams | Form = await form(request) if request.method == "POST" else request.query_params
        settings = self._stand.settings
        hint, address = given.get("id_token_hint", ""), given.get("post_logout_redirect_uri", "")
        claims = self._stand.signer.read(hint) if hint else {"aud": given.get("client_id")}
        known = claims is not None and claims.get("aud") == settings.client_id
        response: Response
        if not address and (known or not hint):
            response = signed_out_page(self._stand)
        elif not known:
            response = refused_page(self._stand, "invalid_request: id_token_hint is not a token of this client")
        elif address not in settings.logout_uris:
            response = refused_page(self._stand, "invalid_request: post_logout_redirect_uri is not registered")
        else:
            response = RedirectResponse(returning(address, state=given.get("state", "")), 302)
        return await self._stand.sign_out(request, response, str(claims.get("sid", "")) if claims and known else "")


def _check_challenge(given: QueryParams) -> None:
    challenge = given.get("code_challenge", "")
    if len(challenge) != _BASE64URL_OF_SHA256 or given.get("code_challenge_method") != "S256":
        raise _OidcError("invalid_request", "PKCE with S256 is required")
