"""ESIA that plays by the rules, until a test changes a part of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from medonline.domain.errors import IdentityProblem
from medonline.providers.gosuslugi.esia.client import Esia
from medonline.providers.gosuslugi.esia.signing import RsaSigner
from medonline.services.ports import AuthorizationRequest, IdentityPerson
from tests.patience import PATIENCE
from tests.providers.gosuslugi.world import (
    CLIENT_ID,
    CODE,
    OID,
    Answer,
    Scripted,
    Seen,
    as_json,
    certificate_pem,
    journey,
    private_pem,
    public_pem,
    rsa_key,
    times,
    token,
)

ISSUER = "http://esia.gosuslugi.ru/"
TOKEN_PATH = "/aas/oauth2/v3/te"
SCOPES = ("openid", "fullname", "birthdate", "snils", "mobile", "email")
PROBLEM = IdentityProblem


@dataclass
class EsiaScript:
    """ESIA that plays by the rules, until a test changes a part of it."""

    server: Scripted
    elsewhere: Scripted
    key: Any = field(default_factory=lambda: rsa_key("esia"))
    identity: dict[str, Any] = field(default_factory=dict)
    access: dict[str, Any] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    make_identity: Callable[[dict[str, Any]], str] | None = None
    make_access: Callable[[dict[str, Any]], str] | None = None
    answer: dict[str, Any] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    single_use: bool = False
    person: dict[str, Any] = field(default_factory=dict)
    contacts: list[Any] = field(
        default_factory=lambda: [
            {"type": "EML", "value": "agrippina@mail.test", "vrfStu": "VERIFIED"},
            {"type": "PHN", "value": "+7(495)1234567", "vrfStu": "VERIFIED"},
            {"type": "MBT", "value": "+7(926)1234567", "vrfStu": "VERIFIED"},
        ]
    )

    def __post_init__(self) -> None:
        prns = f"/rs/prns/{OID}"
        self.server.answers |= {
            TOKEN_PATH: self.tokens,
            prns: lambda _: as_json(self.record()),
            f"{prns}/ctts": lambda _: as_json({"size": len(self.contacts), "elements": self.contacts}),
        }

    def identity_claims(self) -> dict[str, Any]:
        person = {"urn:esia:sbj:oid": OID, "urn:esia:sbj:nam": "OID.1", "urn:esia:sbj:is_tru": True}
        claims = {"iss": ISSUER, "aud": CLIENT_ID, "sub": str(OID), "amr": "PWD", "urn:esia:sbj": person}
        return {k: v for k, v in (claims | times() | self.identity).items() if k not in self.without}

    def access_claims(self) -> dict[str, Any]:
        return {"iss": ISSUER, "urn:esia:sbj_id": OID, "urn:esia:sid": "s", "scope": "openid"} | times() | self.access

    def record(self) -> dict[str, Any]:
        return {
            "firstName": "Агриппина",
            "lastName": "Безымянная",
            "middleName": "",
            "birthDate": "09.05.1971",
            "gender": "F",
            "trusted": True,
            "snils": "112-233-445 95",
            "status": "REGISTERED",
        } | self.person

    def tokens(self, request: Seen) -> Answer:
        form = request.form
        if self.single_use and form["code"] in self.used:
            return as_json({"error": "invalid_grant", "error_description": "ESIA-007011: код Агриппина"}, 400)
        self.used.add(form["code"])
        identity, access = self.identity_claims(), self.access_claims()
        return as_json(
            {
                "id_token": self.make_identity(identity) if self.make_identity else token(identity, self.key),
                "access_token": self.make_access(access) if self.make_access else token(access, self.key, sbt="access"),
                "state": form["state"],
                "token_type": "Bearer",
                "expires_in": 3600,
            }
            | self.answer
        )


def esia(url: str, **options: Any) -> Esia:
    key = public_pem(rsa_key("esia"))
    chosen: dict[str, Any] = {"issuer": ISSUER, "keys": (key,), "scopes": SCOPES, "timeout": PATIENCE} | options
    signer = chosen.pop("signer", None) or RsaSigner(private_pem(rsa_key("client")), certificate_pem("client"))
    return Esia(url, CLIENT_ID, signer, **chosen)


async def fetch(
    script: EsiaScript, request: AuthorizationRequest | None = None, code: str = CODE, **options: Any
) -> IdentityPerson:
    adapter = esia(script.server.url, **options)
    try:
        return await adapter.fetch_person(code, request or journey())
    finally:
        await adapter.close()
