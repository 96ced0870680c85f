"""Sign-in through Gosuslugi with ESIA itself: OAuth 2.0 with signed requests (`/aas/oauth2/v2/ac`, `/aas/oauth2/v3/te`).

Source: «Методические рекомендации по использованию ЕСИА». ESIA accepts only GOST signatures, which a certified tool outside the
portal makes (`providers.gosuslugi.esia.signing`). The portal reads tokens signed with RS256. It refuses GOST3410_2012_256, which would
need certified cryptography inside the portal. The error says what to configure.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

from medonline.domain.errors import IdentityProblem, IdentityRefused
from medonline.providers.gosuslugi.code_flow import journey, pkce_challenge, traded_tokens, with_query
from medonline.providers.gosuslugi.errors import transport_refusals, untrustworthy
from medonline.providers.gosuslugi.esia.errors import esia_code, esia_problem
from medonline.providers.gosuslugi.esia.person import PersonReader
from medonline.providers.gosuslugi.esia.signing import QueuedSigner, Signer
from medonline.providers.gosuslugi.esia.tokens import pinned_key, subject_of_tokens
from medonline.providers.gosuslugi.person import admitted
from medonline.providers.gosuslugi.tokens import base64url
from medonline.providers.http import MAX_TIMEOUT, JsonClient
from medonline.providers.outgoing import DIRECT, Outgoing
from medonline.providers.values import MOSCOW
from medonline.services.clock import Clock, utc_now
from medonline.services.ports import AuthorizationRequest, Departure, IdentityPerson

DEFAULT_SCOPES = ("openid", "fullname", "birthdate", "gender", "snils", "mobile", "email")


class Esia:
    """ESIA as an `IdentityProvider`.

    Args:
        base_url: `https://esia.gosuslugi.ru` or the address of the test stand.
        client_id: the system's mnemonic at ESIA.
        signer: signs requests.
        issuer: the exact `iss` of ESIA's tokens; in production `http://esia.gosuslugi.ru/`.
        keys: PEM certificates or public keys that may sign ESIA's tokens. There are several during a rotation.
        scopes: what to ask for. `openid` must be among them; `medical_doc` adds the ОМС policy.
        logout_url: where the browser signs out. The default is `/idp/ext/Logout` of `base_url`.
        pkce: whether to send a PKCE challenge (S256). An older stand of ESIA may refuse the parameter.
        outgoing: the proxy and the trusted certificates of the portal's own requests.
        timeout: seconds for one request, at most 5. A whole sign-in takes at most three times as long.
        clock: gives the current time. ESIA refuses requests with a wrong time (ESIA-007015).

    Raises:
        ValueError: the constructor got no keys, an unreadable key, or scopes without `openid`.
    """

    name = "esia"
    asks_after_sign_out = True

    def __init__(
        self,
        base_url: str,
        client_id: str,
        signer: Signer,
        *,
        issuer: str,
        keys: tuple[bytes, ...],
        scopes: tuple[str, ...] = DEFAULT_SCOPES,
        logout_url: str | None = None,
        pkce: bool = True,
        outgoing: Outgoing = DIRECT,
        timeout: float = MAX_TIMEOUT,
        clock: Clock = utc_now,
    ) -> None:
        if not keys:
            raise ValueError("no key of ESIA is pinned, so no token of it could be believed")
        if "openid" not in scopes:
            raise ValueError("without the scope openid ESIA gives no id_token")
        self._base_url = base_url.rstrip("/")
        self._client_id = client_id
        self._signer = QueuedSigner(signer)
        self._issuer = issuer
        self._keys = tuple(pinned_key(pem) for pem in keys)
        self._scopes = scopes
        self._logout_url = logout_url or f"{self._base_url}/idp/ext/Logout"
        self._pkce = pkce
        self._timeout = timeout
        self._clock = clock
        self._client = JsonClient(self._base_url, name=self.name, timeout=timeout, outgoing=outgoing, compressed=True)

    async def authorization_url(self, request: AuthorizationRequest) -> str:
        """The signed address. ESIA accepts it for a few minutes around its timestamp.

        Raises:
            IdentityRefused: the signature cannot be made.
        """
        parameters = await self._signed(request.state, request.redirect_uri)
        parameters |= {"response_type": "code", "access_type": "online"}
        if self._pkce:
            parameters |= pkce_challenge(request.code_verifier)
        return with_query(f"{self._base_url}/aas/oauth2/v2/ac", parameters)

    async def fetch_person(self, code: str, request: AuthorizationRequest) -> IdentityPerson:
        """Trade the code for tokens, check them, and read the person's record, contacts and documents.

        Raises:
            IdentityRefused: nothing else.
        """
        async with journey(self.name, code, self._timeout):
            return await self._fetch(code, request)

    async def _fetch(self, code: str, request: AuthorizationRequest) -> IdentityPerson:
        answer = await self._tokens(code, request)
        id_token, access_token = answer.get("id_token"), answer.get("access_token")
        now = self._clock()
        subject = subject_of_tokens(
            id_token,
            access_token,
            self._keys,
            issuer=self._issuer,
            client_id=self._client_id,
            now=now,
            fresh_since=request.begun_at if request.fresh else None,
        )
        reader = PersonReader(self._client, self._base_url, str(access_token), subject.oid)
        person, unreadable = await reader.person(self._issuer, subject, self._scopes, str(id_token))
        return admitted(replace(person, authenticated_at=subject.authenticated_at), now, unreadable)

    async def _tokens(self, code: str, request: AuthorizationRequest) -> dict[str, Any]:
        # ESIA wants a new state for each request and repeats it in the answer. So an answer to another request is recognised.
        state = str(uuid.uuid4())
        form = await self._signed(state, request.redirect_uri, code)
        form |= {"grant_type": "authorization_code", "code": code, "token_type": "Bearer"}
        if self._pkce:
            form["code_verifier"] = request.code_verifier
        tokens = await traded_tokens(self._client, self.name, "/aas/oauth2/v3/te", form, refusal=_refusal)
        if tokens.get("state") != state:
            raise untrustworthy("the answer with the tokens belongs to another request (state)")
        return tokens

    async def _signed(self, state: str, redirect_uri: str, code: str = "") -> dict[str, str]:
        """The parameters that both requests share.

        `client_secret` is the signature over the client's id, scope, timestamp, state and redirect_uri, in this order; in the
        token request `code` follows them.

        Raises:
            IdentityRefused: the signature cannot be made.
        """
        scope = " ".join(self._scopes)
        timestamp = self._clock().astimezone(MOSCOW).strftime("%Y.%m.%d %H:%M:%S +0300")
        message = f"{self._client_id}{scope}{timestamp}{state}{redirect_uri}{code}"
        return {
            "client_id": self._client_id,
            "client_secret": base64url(await self._signer.sign(message.encode())),
            "client_certificate_hash": self._signer.certificate_hash(),
            "scope": scope,
            "timestamp": timestamp,
            "state": state,
            "redirect_uri": redirect_uri,
        }

    async def check_return(self, issuer: str | None) -> None:
        """Check nothing: ESIA's documents define no `iss` in the return, so an `iss` there proves nothing about its origin.

        The state binds the answer, and so does the token, which only this ESIA can have signed. The portal has one provider at a time, so
        there is no other provider whose code could be brought here (RFC 9207, 1).
        """

    def problem_of(self, error: str, description: str) -> IdentityProblem:
        """The problem by ESIA's own code in the description, else by the OAuth error."""
        return esia_problem(error, description)

    async def sign_out(self, id_token: str, return_to: str) -> Departure:
        """ESIA's address of the sign-out. ESIA finds the session by the browser's cookies and needs no token."""
        return Departure(with_query(self._logout_url, {"client_id": self._client_id, "redirect_url": return_to}))

    async def check(self) -> str:
        """Check that ESIA answers and that a signature can be made.

        Raises:
            IdentityRefused: one of these fails.
        """
        await self._signer.sign(b"medonline doctor")
        with transport_refusals():
            reached = await self._client.reach()
        return f"{reached} Requests can be signed; {len(self._keys)} pinned keys."

    async def close(self) -> None:
        """Release connections."""
        await self._client.close()


def _refusal(status: int, answer: dict[str, Any]) -> IdentityRefused:
    error, description = answer["error"], answer.get("error_description")
    code = esia_code(error, description)
    return IdentityRefused(
        esia_problem(error, description), f"esia: HTTP {status}" + (f", ESIA-{code}" if code else "")
    )
