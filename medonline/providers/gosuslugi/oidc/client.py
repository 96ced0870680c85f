"""Sign-in through any standard OpenID provider, or a gateway to Gosuslugi that speaks like one.

Sources: OpenID Connect Core 1.0 (code flow), RFC 7636 (PKCE), RFC 9207 (`iss` in the return), RFC 9700 (what a client must
require), RP-Initiated Logout 1.0.
"""

from __future__ import annotations

import base64
import logging
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote_plus

from medonline.domain.errors import IdentityProblem, IdentityRefused
from medonline.providers.gosuslugi.code_flow import journey, pkce_challenge, traded_tokens, with_query
from medonline.providers.gosuslugi.errors import (
    OAUTH_PROBLEMS,
    json_object,
    status_problem,
    transport_refusals,
    untrustworthy,
)
from medonline.providers.gosuslugi.oidc.discovery import Discovery, Metadata, usable_address
from medonline.providers.gosuslugi.oidc.person import ClaimNames, person_of_claims
from medonline.providers.gosuslugi.person import admitted
from medonline.providers.gosuslugi.tokens import (
    authenticated_at,
    check_at_hash,
    check_audience,
    check_issuer,
    check_times,
    subject_of,
    token_header,
    verified_claims,
)
from medonline.providers.http import MAX_TIMEOUT, JsonClient, parse_json
from medonline.providers.outgoing import DIRECT, Outgoing
from medonline.providers.values import error_code, is_told, told
from medonline.services.clock import Clock, utc_now
from medonline.services.ports import AuthorizationRequest, Departure, IdentityPerson

__all__ = ["ClaimNames", "Oidc"]

DEFAULT_SCOPES = ("openid", "profile", "email", "phone")
# Never `none`, and never HS*, because a public key could then pass for the secret (RFC 8725, 2.1).
ALGORITHMS = ("RS256", "PS256", "ES256")
# `max_age` makes a provider tell when it last asked the person (`auth_time`). A fresh proof also has `prompt=login`. 0 is not used,
# because some providers read it as «no limit». A month is longer than any provider remembers: it only makes the provider tell the time.
FRESH_AGE = 60  # seconds
ANY_AGE = 30 * 24 * 3600
_TOKEN = re.compile(rb"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]*)+")
_PARTS_OF_SIGNED, _PARTS_OF_ENCRYPTED = 2, 4  # dots (RFC 7515, 3.1; RFC 7516, 3.1)

log = logging.getLogger(__name__)


class Oidc:
    """An OpenID provider as an `IdentityProvider`.

    Args:
        issuer: exactly as the provider writes it in its tokens. Discovery is read below this address.
        client_id: the portal's id there.
        client_secret: sent by HTTP Basic or in the form, as discovery says. Empty for a public client.
        scopes: what to ask for. A gateway may have its own scope for the СНИЛС and the policy.
        claims: which claim is which.
        token_leaves_by_post: whether the sign-out takes the id_token in a POST. Otherwise the token is left out: it holds a name and
            more, and histories and logs keep addresses.
        outgoing: the proxy and the trusted certificates of the portal's own requests.
        timeout: seconds for one request, at most 5. A whole sign-in takes at most three times as long.
        clock: gives the current time, for the times in tokens.

    Raises:
        ValueError: the constructor got an issuer that is no address, or scopes without `openid`.
    """

    name = "oidc"
    asks_after_sign_out = False

    def __init__(
        self,
        issuer: str,
        client_id: str,
        client_secret: str,
        *,
        scopes: tuple[str, ...] = DEFAULT_SCOPES,
        claims: ClaimNames = ClaimNames(),  # noqa: B008 - frozen
        token_leaves_by_post: bool = True,
        outgoing: Outgoing = DIRECT,
        timeout: float = MAX_TIMEOUT,
        clock: Clock = utc_now,
    ) -> None:
        if not usable_address(issuer, secure=False):
            raise ValueError("the issuer is no address")
        if "openid" not in scopes:
            raise ValueError("without the scope openid there is no id_token")
        self._issuer = issuer
        self._client_id = client_id
        self._client_secret = client_secret
        self._scopes = scopes
        self._claims = claims
        self._token_leaves_by_post = token_leaves_by_post
        self._timeout = timeout
        self._clock = clock
        self._client = JsonClient("", name=self.name, timeout=timeout, outgoing=outgoing, compressed=True)
        self._discovery = Discovery(issuer, self._client)

    async def authorization_url(self, request: AuthorizationRequest) -> str:
        """The provider's sign-in address with state, nonce and PKCE, which bind the answer to this browser.

        Raises:
            IdentityRefused: the provider's metadata cannot be fetched or trusted.
        """
        return with_query(
            (await self._discovery.metadata()).authorization_endpoint,
            {
                "response_type": "code",
                "client_id": self._client_id,
                "redirect_uri": request.redirect_uri,
                "scope": " ".join(self._scopes),
                "state": request.state,
                "nonce": request.nonce,
                **pkce_challenge(request.code_verifier),
                "max_age": str(FRESH_AGE if request.fresh else ANY_AGE),
                **({"prompt": "login"} if request.fresh else {}),
            },
        )

    async def fetch_person(self, code: str, request: AuthorizationRequest) -> IdentityPerson:
        """Trade the code for tokens, check the id_token, and ask userinfo for what the id_token does not say.

        Raises:
            IdentityRefused: nothing else.
        """
        async with journey(self.name, code, self._timeout):
            return await self._fetch(code, request)

    async def _fetch(self, code: str, request: AuthorizationRequest) -> IdentityPerson:
        metadata = await self._discovery.metadata()
        tokens = await self._tokens(metadata, code, request)
        id_token, access_token = tokens.get("id_token"), tokens.get("access_token")
        claims = await self._identity(id_token, request.nonce)
        proved_at = self._proved_at(claims, request)
        subject = subject_of(claims, "the id_token")
        if isinstance(access_token, str) and access_token:
            check_at_hash(claims, access_token)
            if metadata.userinfo_endpoint and not self._claims.all_in(claims):
                more = await self._more(metadata.userinfo_endpoint, access_token, subject, claims)
                # The signed token takes precedence over userinfo.
                claims = told(more) | told(claims)
        person, unreadable = person_of_claims(claims, self._claims, self._issuer, subject, str(id_token))
        return admitted(replace(person, authenticated_at=proved_at), self._clock().astimezone(UTC), unreadable)

    async def _more(self, address: str, access_token: str, subject: str, claims: dict[str, Any]) -> dict[str, Any]:
        """The claims that userinfo adds. If the id_token already says who it is, userinfo may fail. Then only an untrustworthy answer ends
        the sign-in."""
        is_enough = self._claims.enough_in(claims)
        try:
            found = await self._userinfo(address, access_token)
        except IdentityRefused as refused:
            if refused.problem is IdentityProblem.UNTRUSTWORTHY or not is_enough:
                raise
            log.warning("The sign-in goes on with what the id_token says: %s", refused)
            return {}
        if is_enough and not is_told(found.get("sub")):
            log.warning(
                "The sign-in goes on with what the id_token says: oidc: userinfo does not say of whom it is (sub)"
            )
            return {}
        if subject_of(found, "userinfo") != subject:
            raise untrustworthy("userinfo is of another person than the id_token")
        return found

    def _proved_at(self, claims: dict[str, Any], request: AuthorizationRequest) -> datetime | None:
        """When the person last proved who they are (Core, 3.1.3.7, rules 12 and 13). After `max_age` a gateway must send `auth_time`. A
        gateway that does not is tolerated where nothing depends on it."""
        now = self._clock()
        since = request.begun_at if request.fresh else now - timedelta(seconds=ANY_AGE)
        return authenticated_at(claims, "the id_token", now, fresh_since=since, needed=request.fresh)

    async def _tokens(self, metadata: Metadata, code: str, request: AuthorizationRequest) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": request.redirect_uri,
            "code_verifier": request.code_verifier,
        }
        headers: dict[str, str] = {}
        if not self._client_secret:
            form["client_id"] = self._client_id
        elif "client_secret_basic" in metadata.token_auth_methods:
            # The id and the secret are each form-encoded before they are joined (RFC 6749, 2.3.1).
            pair = f"{quote_plus(self._client_id)}:{quote_plus(self._client_secret)}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode('ascii')).decode('ascii')}"
        elif "client_secret_post" in metadata.token_auth_methods:
            form |= {"client_id": self._client_id, "client_secret": self._client_secret}
        else:
            detail = "oidc: the token endpoint takes neither client_secret_basic nor client_secret_post"
            raise IdentityRefused(IdentityProblem.MISCONFIGURED, detail)
        return await traded_tokens(
            self._client, self.name, metadata.token_endpoint, form, headers=headers, refusal=self._refusal
        )

    def _refusal(self, status: int, answer: dict[str, Any]) -> IdentityRefused:
        code = error_code(answer["error"])
        detail = f"oidc: the token endpoint refused, HTTP {status}" + (f", {code}" if code else "")
        return IdentityRefused(self.problem_of(str(answer["error"]), ""), detail)

    async def _identity(self, id_token: object, nonce: str) -> dict[str, Any]:
        which = "the id_token"
        header = token_header(id_token, which)
        # Checked first, so that a token that no key can verify costs no request for keys.
        if header.get("alg") not in ALGORITHMS:
            raise untrustworthy(f"{which} is signed by an algorithm that is not allowed")
        claims = verified_claims(str(id_token), which, await self._discovery.keys_for(header), ALGORITHMS)
        check_issuer(claims, which, self._issuer)
        check_audience(claims, which, self._client_id)
        check_times(claims, which, self._clock())
        if claims.get("nonce") != nonce:
            raise untrustworthy(f"{which} belongs to another sign-in (nonce)")
        return claims

    async def _userinfo(self, address: str, access_token: str) -> dict[str, Any]:
        which = "oidc: userinfo"
        with transport_refusals():
            status, body = await self._client.get_bytes(address, headers={"Authorization": f"Bearer {access_token}"})
        written = body.strip()
        parts = written.count(b".") if _TOKEN.fullmatch(written) else 0
        if status == 200 and parts == _PARTS_OF_ENCRYPTED:
            raise IdentityRefused(
                IdentityProblem.MISCONFIGURED,
                f"{which} is encrypted: have the gateway send this client plain JSON (userinfo_encrypted_response_alg)",
            )
        if status == 200 and parts == _PARTS_OF_SIGNED:
            return await self._signed_userinfo(written.decode("ascii"))
        try:
            answer = parse_json(written)
        except ValueError:
            problem = IdentityProblem.UNAVAILABLE if status == 200 else status_problem(status)
            raise IdentityRefused(problem, f"{which}: HTTP {status} without JSON") from None
        code = error_code(answer.get("error")) if isinstance(answer, dict) else ""
        if status != 200 and code:
            raise IdentityRefused(status_problem(status), f"{which}: HTTP {status}, {code}")
        return json_object(which, status, answer)

    async def _signed_userinfo(self, written: str) -> dict[str, Any]:
        """The claims of a userinfo answer that is signed like an id_token (OpenID Connect Core 5.3.2). Issuer and audience are checked if
        it has them."""
        which = "userinfo"
        header = token_header(written, which)
        if header.get("alg") not in ALGORITHMS:
            raise IdentityRefused(
                IdentityProblem.MISCONFIGURED,
                "oidc: userinfo is signed by an algorithm that is not allowed: have the gateway send this client plain JSON, or "
                f"sign it by one of {', '.join(ALGORITHMS)} (userinfo_signed_response_alg)",
            )
        claims = verified_claims(written, which, await self._discovery.keys_for(header), ALGORITHMS)
        if is_told(claims.get("iss")):
            check_issuer(claims, which, self._issuer)
        if is_told(claims.get("aud")):
            check_audience(claims, which, self._client_id)
        log.info("oidc: userinfo is signed (userinfo_signed_response_alg); its signature is right")
        return claims

    async def check_return(self, issuer: str | None) -> None:
        """Refuse a code that another provider issued: it must not reach this provider's token endpoint (RFC 9207).

        Raises:
            IdentityRefused: `iss` names another issuer, or is missing although discovery promises it.
        """
        if issuer is not None:
            if issuer != self._issuer:
                raise untrustworthy("oidc: the browser came back from another issuer (iss)")
        elif (await self._discovery.metadata()).issuer_in_returns:
            raise untrustworthy("oidc: the browser came back without the iss that the provider promises")

    def problem_of(self, error: str, description: str) -> IdentityProblem:
        """The problem by the error alone, because descriptions are free text."""
        return OAUTH_PROBLEMS.get(error, IdentityProblem.OTHER)

    async def sign_out(self, id_token: str, return_to: str) -> Departure | None:
        """The way to the provider's end_session_endpoint; None when it has none. A token goes there only by POST, which every provider must
        accept (RP-Initiated Logout, 2).

        Raises:
            IdentityRefused: the provider's metadata cannot be fetched or trusted.
        """
        address = (await self._discovery.metadata()).end_session_endpoint
        if not address:
            return None
        parameters = {"client_id": self._client_id, "post_logout_redirect_uri": return_to}
        if not id_token or not self._token_leaves_by_post:
            return Departure(with_query(address, parameters))
        return Departure(address, {"id_token_hint": id_token, **parameters})

    async def check(self) -> str:
        """Whether the provider's metadata and keys can be had and believed.

        Raises:
            IdentityRefused: when not.
        """
        await self._discovery.metadata()
        keys = await self._discovery.count_keys()
        return f"oidc: {self._issuer} answers; {keys} keys for signatures."

    async def close(self) -> None:
        """Release connections."""
        await self._client.close()
