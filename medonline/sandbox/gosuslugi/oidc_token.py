"""The OpenID Connect face: it exchanges a code for tokens, and returns the person's claims."""

from __future__ import annotations

import asyncio
import base64
import secrets
from typing import Any
from urllib.parse import unquote_plus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from medonline.sandbox.gosuslugi.codes import Grant
from medonline.sandbox.gosuslugi.faults import Fault
from medonline.sandbox.gosuslugi.signing import Claims, s256
from medonline.sandbox.gosuslugi.stand import Form
from medonline.sandbox.gosuslugi.token_endpoint import NO_STORE, TokenEndpoint
from medonline.sandbox.people import DemoPerson, person_by_oid
from medonline.sandbox.requests import bearer, same

_LIVES = 3600  # seconds
_WHO = ("family_name", "given_name", "birthdate", "trusted")


class OidcToken(TokenEndpoint):
    """The token endpoint and userinfo."""

    async def _trade(self, request: Request, given: Form, fault: Fault) -> Response:
        """Exchange a code. The client authenticates with client_secret_basic or client_secret_post, not with both."""
        if any(len(given.getlist(name)) > 1 for name in given):
            return _refused("invalid_request")
        if not self._is_client(request, given):
            return _refused("invalid_client", 401)
        if given.get("grant_type") != "authorization_code":
            return _refused("unsupported_grant_type")
        grant = None if fault is Fault.CODE_USED else await self._traded(given)
        if grant is None:
            return _refused("invalid_grant")
        access = secrets.token_urlsafe(32)
        await asyncio.to_thread(self._stand.codes.keep_token, access, "access", grant.id, _LIVES)
        tokens = {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": _LIVES,
            "scope": grant.asked.scope,
            "id_token": self._id_token(grant, fault),
        }
        return self._issued(tokens, fault)

    async def userinfo(self, request: Request) -> Response:
        """The claims for the granted scopes."""
        grant = await asyncio.to_thread(self._stand.codes.token, bearer(request), "access", "oidc")
        person = person_by_oid(grant.oid) if grant is not None else None
        if grant is None or person is None:
            headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
            return JSONResponse({"error": "invalid_token"}, status_code=401, headers=headers)
        claims, fault = _claims(person, grant.asked.data), await self._stand.fault()
        if fault is Fault.DETAILS_DOWN:
            return JSONResponse({"error": "server_error"}, status_code=503)
        if fault is Fault.DETAILS_ENCRYPTED:
            return Response("e30.ZW5j.cnlwdA.ZWQ.dGFn", media_type="application/jwt", headers=NO_STORE)
        if fault is Fault.DETAILS_SIGNED:
            claims |= {"iss": f"{self._stand.settings.base_url}/oidc", "aud": grant.asked.client_id}
            signed = self._stand.signer.token(claims, _LIVES, fault, {"kid": self._stand.signer.kid(fault)})
            return Response(signed, media_type="application/jwt", headers=NO_STORE)
        if fault is Fault.NULLS:
            claims = {"nickname": None, "phone_number": None, "middle_name": ""} | claims
        return JSONResponse(claims, headers=NO_STORE)

    def _is_client(self, request: Request, given: Form) -> bool:
        settings = self._stand.settings
        name, secret = given.get("client_id", ""), given.get("client_secret", "")
        header = request.headers.get("Authorization", "")
        if header:
            if "client_secret" in given:
                return False
            name, secret = _basic(header)
        return same(secret, settings.client_secret) and same(name, settings.client_id)

    async def _traded(self, given: Form) -> Grant | None:
        claims = self._stand.signer.read(given.get("code", ""))
        grant = None
        if claims is not None:
            grant = await asyncio.to_thread(self._stand.codes.look, str(claims.get("jti")), "oidc")
        if grant is None or given.get("redirect_uri") != grant.asked.redirect_uri:
            return None
        if s256(given.get("code_verifier", "")) != grant.asked.challenge:
            return None
        return grant if await asyncio.to_thread(self._stand.codes.use, grant.id, "oidc") else None

    def _id_token(self, grant: Grant, fault: Fault) -> str:
        claims: Claims = {
            "iss": f"{self._stand.settings.base_url}/oidc",
            "aud": grant.asked.client_id,
            "sub": str(grant.oid),
            "auth_time": int(grant.signed_in_at),
            "amr": [grant.amr],
            "sid": grant.sid,
        }
        if grant.asked.nonce:
            claims["nonce"] = grant.asked.nonce
        person = person_by_oid(grant.oid)
        if fault in (Fault.DETAILS_DOWN, Fault.DETAILS_ENCRYPTED) and person is not None:
            told = _claims(person, grant.asked.data)
            claims |= {name: told[name] for name in _WHO if name in told}
        return self._stand.signer.token(claims, _LIVES, fault, {"kid": self._stand.signer.kid(fault)})


def _claims(person: DemoPerson, data: frozenset[str]) -> dict[str, Any]:
    claims: dict[str, Any] = {"sub": str(person.oid)}
    if "fullname" in data:
        claims |= {
            "family_name": person.last_name,
            "given_name": person.first_name,
            "middle_name": person.patronymic,
            "birthdate": person.birth_date.isoformat(),
            "gender": "male" if person.gender == "M" else "female",
            "trusted": person.trusted,
        }
    if "mobile" in data and person.phone:
        claims |= {"phone_number": person.phone, "phone_number_verified": person.phone_verified}
    if "email" in data and person.email:
        claims |= {"email": person.email, "email_verified": True}
    if "snils" in data and person.snils:
        claims["snils"] = person.snils
    if "medical_doc" in data and person.policy:
        claims["oms_policy"] = person.policy
    return claims


def _basic(header: str) -> tuple[str, str]:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        name, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return unquote_plus(name), unquote_plus(secret)  # RFC 6749, 2.3.1: both are form-encoded first


def _refused(error: str, status: int = 400) -> Response:
    headers = NO_STORE | ({"WWW-Authenticate": 'Basic realm="gosuslugi"'} if status == 401 else {})
    return JSONResponse({"error": error}, status_code=status, headers=headers)
