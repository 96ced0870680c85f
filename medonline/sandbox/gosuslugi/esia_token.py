"""ESIA's token endpoint (`/aas/oauth2/v3/te`): it exchanges a code or a refresh token for tokens."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from medonline.sandbox.gosuslugi import esia_checks as check
from medonline.sandbox.gosuslugi.codes import Grant
from medonline.sandbox.gosuslugi.esia_checks import EsiaError
from medonline.sandbox.gosuslugi.faults import Fault
from medonline.sandbox.gosuslugi.signing import Claims, s256
from medonline.sandbox.gosuslugi.stand import Form
from medonline.sandbox.gosuslugi.token_endpoint import NO_STORE, TokenEndpoint
from medonline.sandbox.people import person_by_oid

_ACCESS_LIVES = 3600  # seconds
_ID_LIVES = 3600
_REFRESH_LIVES = 30 * 24 * 3600


class EsiaToken(TokenEndpoint):
    """Checks a request and answers with JSON. Errors are HTTP 400 with `error`, `error_description`, `state`."""

    async def _trade(self, request: Request, given: Form, fault: Fault) -> Response:
        try:
            tokens = await self._tokens(given, fault)
        except EsiaError as error:
            body = {"error": error.error, "error_description": error.description, "state": given.get("state", "")}
            return JSONResponse(body, status_code=400, headers=NO_STORE)
        return self._issued(tokens, fault)

    async def _tokens(self, given: Form, fault: Fault) -> dict[str, Any]:
        check.check_client(given, self._stand)
        kind = check.chosen(given, "grant_type", ("authorization_code", "refresh_token"), wrong="007012")
        check.check_redirect(given, self._stand)
        check.check_scope(given)
        check.check_state(given)
        if "token_type" in given:
            check.chosen(given, "token_type", ("Bearer",))
        grant = await (self._by_code(given, fault) if kind == "authorization_code" else self._by_refresh(given))
        access = self._access_token(grant, fault)
        await asyncio.to_thread(self._stand.codes.keep_token, access, "access", grant.id, _ACCESS_LIVES)
        tokens: dict[str, Any] = {
            "access_token": access,
            "state": given["state"],
            "token_type": "Bearer",
            "expires_in": _ACCESS_LIVES,
        }
        if "openid" in grant.asked.scope.split():
            tokens["id_token"] = self._id_token(grant, fault)
        if grant.asked.offline:
            tokens["refresh_token"] = refresh = str(uuid.uuid4())
            await asyncio.to_thread(self._stand.codes.keep_token, refresh, "refresh", grant.id, _REFRESH_LIVES)
        return tokens

    async def _by_code(self, given: Form, fault: Fault) -> Grant:
        code = check.required(given, "code")
        check.check_signature(given, self._stand, code)
        claims = self._stand.signer.read(code)
        if claims is None or fault is Fault.CODE_USED:
            raise EsiaError("007011")
        grant = await asyncio.to_thread(self._stand.codes.look, str(claims.get("jti")), "esia")
        if grant is None or not _same_request(given, grant):
            raise EsiaError("007011")
        if given["state"] == grant.asked.state:
            raise EsiaError("007003", "state must be a new one")
        if grant.asked.challenge and s256(check.required(given, "code_verifier")) != grant.asked.challenge:
            raise EsiaError("007011", "code_verifier")
        if not await asyncio.to_thread(self._stand.codes.use, grant.id, "esia"):
            raise EsiaError("007011")
        return grant

    async def _by_refresh(self, given: Form) -> Grant:
        token = check.required(given, "refresh_token")
        check.check_signature(given, self._stand)
        grant = await asyncio.to_thread(self._stand.codes.token, token, "refresh", "esia")
        if grant is None or not _same_request(given, grant):
            raise EsiaError("007011")
        if not await asyncio.to_thread(self._stand.codes.revoke, token):
            raise EsiaError("007011")
        return grant

    def _access_token(self, grant: Grant, fault: Fault) -> str:
        claims: Claims = {
            "iss": self._stand.settings.issuer,
            "client_id": grant.asked.client_id,
            "scope": " ".join(
                name if name == "openid" else f"{name}?oid={grant.oid}" for name in grant.asked.scope.split()
            ),
            "urn:esia:sid": grant.sid,
            "urn:esia:sbj_id": grant.oid,
            "jti": str(uuid.uuid4()),
        }
        return self._stand.signer.token(claims, _ACCESS_LIVES, fault, {"ver": 1, "sbt": "access"})

    def _id_token(self, grant: Grant, fault: Fault) -> str:
        person = person_by_oid(grant.oid)
        subject: Claims = {
            "urn:esia:sbj:typ": "P",
            "urn:esia:sbj:oid": grant.oid,
            "urn:esia:sbj:nam": f"OID.{grant.oid}",
        }
        if person is not None and person.trusted:
            subject["urn:esia:sbj:is_tru"] = True
        claims: Claims = {
            "iss": self._stand.settings.issuer,
            "aud": grant.asked.client_id,
            "sub": grant.oid,
            "auth_time": int(grant.signed_in_at),
            "amr": grant.amr,
            "urn:esia:amd": grant.amr,
            "urn:esia:sid": grant.sid,
            "urn:esia:sbj": subject,
        }
        return self._stand.signer.token(claims, _ID_LIVES, fault, {"ver": 1, "sbt": "id"})


def _same_request(given: Form, grant: Grant) -> bool:
    asked = grant.asked
    return (
        given["client_id"] == asked.client_id
        and given["redirect_uri"] == asked.redirect_uri
        and set(given["scope"].split()) == set(asked.scope.split())
    )
