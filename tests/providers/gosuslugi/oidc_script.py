"""An OpenID provider that plays by the rules, until a test changes a part of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from medonline.domain.errors import IdentityProblem
from medonline.providers.gosuslugi.oidc.client import Oidc
from medonline.services.ports import AuthorizationRequest, IdentityPerson
from tests.patience import PATIENCE
from tests.providers.gosuslugi.world import (
    CLIENT_ID,
    CLIENT_SECRET,
    CODE,
    Answer,
    Scripted,
    Seen,
    as_json,
    b64,
    journey,
    rsa_key,
    times,
    token,
)

DISCOVERY = "/.well-known/openid-configuration"
PROBLEM = IdentityProblem
SUBJECT = "a3b9-subject"


def jwk(key: Any, kid: str | None, **more: Any) -> dict[str, Any]:
    numbers = key.public_key().public_numbers()
    named = {} if kid is None else {"kid": kid}
    if hasattr(numbers, "x"):
        point = {name: b64(getattr(numbers, name).to_bytes(32, "big")) for name in ("x", "y")}
        return {"kty": "EC", "crv": "P-256", **point, **named, **more}
    return {"kty": "RSA", "n": b64(numbers.n.to_bytes(key.key_size // 8, "big")), "e": "AQAB", **named, **more}


@dataclass
class OidcScript:
    """A provider that plays by the rules, until a test changes a part of it."""

    server: Scripted
    elsewhere: Scripted
    key: Any = field(default_factory=lambda: rsa_key("oidc"))
    kid: str | None = "k1"
    alg: str = "RS256"
    published: list[Any] = field(default_factory=lambda: [jwk(rsa_key("oidc"), "k1", use="sig", alg="RS256")])
    metadata: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    make: Callable[[dict[str, Any]], str] | None = None
    answer: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    single_use: bool = False
    nonce: str = ""

    def __post_init__(self) -> None:
        self.server.answers |= {
            DISCOVERY: lambda _: as_json(self.document()),
            "/keys": lambda _: as_json({"keys": self.published}),
            "/token": self.tokens,
            "/userinfo": lambda _: as_json(self.person()),
        }

    def document(self) -> dict[str, Any]:
        url = self.server.url
        return {
            "issuer": url,
            "authorization_endpoint": f"{url}/authorize?tenant=1",
            "token_endpoint": f"{url}/token",
            "jwks_uri": f"{url}/keys",
            "userinfo_endpoint": f"{url}/userinfo",
            "end_session_endpoint": f"{url}/logout",
        } | self.metadata

    def tokens(self, request: Seen) -> Answer:
        form = request.form
        if self.single_use and form["code"] in self.used:
            return as_json({"error": "invalid_grant", "error_description": "used by Агриппина"}, 400)
        self.used.add(form["code"])
        claims = {"iss": self.server.url, "aud": CLIENT_ID, "sub": SUBJECT, "nonce": self.nonce}
        claims = {k: v for k, v in (claims | times() | self.claims).items() if k not in self.without}
        header = {} if self.kid is None else {"kid": self.kid}
        signed = self.make(claims) if self.make else token(claims, self.key, self.alg, **header)
        return as_json({"access_token": "opaque", "token_type": "bearer", "id_token": signed} | self.answer)

    def person(self) -> dict[str, Any]:
        return {
            "sub": SUBJECT,
            "given_name": "Агриппина",
            "family_name": "Безымянная",
            "birthdate": "1971-05-09",
            "snils": "11223344595",
            "phone_number": "+79261234567",
            "phone_number_verified": True,
            "email": "agrippina@mail.test",
            "email_verified": "true",
            "trusted": True,
        } | self.userinfo

    async def fetch(
        self,
        adapter: Oidc | None = None,
        code: str = CODE,
        request: AuthorizationRequest | None = None,
        **options: Any,
    ) -> IdentityPerson:
        request = request or journey()
        self.nonce = request.nonce
        own = adapter or self.adapter(**options)
        try:
            return await own.fetch_person(code, request)
        finally:
            if adapter is None:
                await own.close()

    def adapter(self, **options: Any) -> Oidc:
        secret = options.pop("secret", CLIENT_SECRET)
        return Oidc(options.pop("issuer", self.server.url), CLIENT_ID, secret, **{"timeout": PATIENCE} | options)
