"""A portal and a person for the stand-in of Gosuslugi: requests signed as ESIA wants them, and a browser without scripts."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from joserfc.jwk import RSAKey

from medonline.sandbox.people import PASSWORD, PEOPLE, DemoPerson
from medonline.sandbox.settings import GosuslugiSettings, SandboxSettings
from medonline.services.ports import Departure
from tests.patience import PATIENCE
from tests.sandbox.server import free_port, running_sandbox, settings

AC, TE = "/gosuslugi/aas/oauth2/v2/ac", "/gosuslugi/aas/oauth2/v3/te"
CLIENT_ID, CLIENT_SECRET, ISSUER = "MEDONLINE", "oidc secret: +/&", "http://esia.sandbox.example/"
RETURN, LOGOUT = "https://portal.test/gosuslugi/return?from=esia", "https://portal.test/"
SCOPES = "openid fullname birthdate gender snils mobile email medical_doc"
BY_NAME: dict[str, DemoPerson] = {person.last_name: person for person in PEOPLE if person.oid}
NEW, NO_PHONE, UNCONFIRMED = BY_NAME["Соколов"], BY_NAME["Фёдоров"], BY_NAME["Новикова"]
SMIRNOV, IVANOVA, VOLKOV = BY_NAME["Смирнов"], BY_NAME["Иванова"], BY_NAME["Волков"]
DENIES, DELETED, UNVERIFIED = BY_NAME["Орлова"], BY_NAME["Павлов"], BY_NAME["Морозова"]


@cache
def private_key(name: str) -> rsa.RSAPrivateKey:
    """One key for each name, made once: making them takes long."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(name: str) -> bytes:
    return private_key(name).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@cache
def certificate() -> x509.Certificate:
    """The portal's, self-signed."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, CLIENT_ID)])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private_key("client").public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(private_key("client"), hashes.SHA256())
    )


def certificate_hash() -> str:
    return certificate().fingerprint(hashes.SHA256()).hex().upper()


def gosuslugi_settings(base_url: str, **changes: object) -> GosuslugiSettings:
    chosen: dict[str, Any] = {
        "base_url": base_url,
        "issuer": ISSUER,
        "signing_key": pem("signing"),
        "rotated_key": pem("rotated"),
        "client_id": CLIENT_ID,
        "client_certificate": certificate().public_bytes(serialization.Encoding.PEM),
        "client_secret": CLIENT_SECRET,
        "redirect_uris": (RETURN,),
        "logout_uris": (LOGOUT,),
    }
    return GosuslugiSettings(**(chosen | changes))


def settings_at(url: str, **changes: object) -> SandboxSettings:
    return settings(gosuslugi=gosuslugi_settings(f"{url}/gosuslugi"), **changes)


@contextmanager
def running_gosuslugi(**changes: object) -> Iterator[str]:
    """The sandbox with Gosuslugi in it; yields the sandbox's base URL."""
    port = free_port()
    with running_sandbox(settings_at(f"http://127.0.0.1:{port}", **changes), port) as url:
        yield url


def verifying_key(name: str = "signing") -> RSAKey:
    public = private_key(name).public_key()
    return RSAKey.import_key(
        public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def challenge_of(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def timestamp(at: datetime | None = None) -> str:
    moment = (at or datetime.now(UTC)).astimezone(timezone(timedelta(hours=3)))
    return moment.strftime("%Y.%m.%d %H:%M:%S %z")


def sign(text: str, key: str = "client") -> str:
    raw = private_key(key).sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(parameters: dict[str, str], more: str = "") -> dict[str, str]:
    names = ("client_id", "scope", "timestamp", "state", "redirect_uri")
    return parameters | {"client_secret": sign("".join(parameters.get(name, "") for name in names) + more)}


def common(**changes: str) -> dict[str, str]:
    return {
        "client_id": CLIENT_ID,
        "client_certificate_hash": certificate_hash(),
        "scope": SCOPES,
        "timestamp": timestamp(),
        "state": str(uuid.uuid4()),
        "redirect_uri": RETURN,
    } | changes


def ac(**changes: str) -> dict[str, str]:
    """Parameters of `/v2/ac`, signed; an empty value leaves the parameter out."""
    given = common(response_type="code", access_type="online") | changes
    given = signed(given) if "client_secret" not in changes else given
    return {name: value for name, value in given.items() if value}


def te(code: str, **changes: str) -> dict[str, str]:
    """Parameters of `/v3/te` for a code, signed; an empty value leaves the parameter out."""
    given = common(grant_type="authorization_code", code=code, token_type="Bearer") | changes
    given = signed(given, given["code"]) if "client_secret" not in changes else given
    return {name: value for name, value in given.items() if value}


def oidc(verifier: str, **changes: str) -> dict[str, str]:
    """Parameters of `/oidc/authorize`; an empty value leaves the parameter out."""
    given = {
        "client_id": CLIENT_ID,
        "response_type": "code",
        "scope": "openid profile phone email snils oms",
        "redirect_uri": RETURN,
        "state": secrets.token_urlsafe(16),
        "nonce": "n-1",
        "code_challenge": challenge_of(verifier),
        "code_challenge_method": "S256",
    } | changes
    return {name: value for name, value in given.items() if value}


@dataclass(frozen=True)
class Returned:
    """What the browser brought back to the portal."""

    address: str

    @property
    def query(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(self.address).query).items()}

    @property
    def code(self) -> str:
        return self.query["code"]


class Person:
    """Somebody at a browser without scripts; keeps cookies, follows redirects within the stand-in only."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx.AsyncClient(base_url=url, trust_env=False, timeout=PATIENCE)
        self.page = httpx.Response(200)

    async def __aenter__(self) -> Person:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()

    async def open(self, path: str, **parameters: str) -> Returned | None:
        """Open an address; None when a page of the stand-in is shown, otherwise what goes back to the portal."""
        return await self._follow(await self.http.get(path, params=parameters or None))

    async def leave(self, away: Departure) -> Returned | None:
        """Where the portal sends the browser: by a link, or by a form that goes by itself."""
        if not away.fields:
            return await self.open(away.url)
        return await self._follow(await self.http.post(away.url, data=dict(away.fields)))

    async def press(self, action: str, **fields: str) -> Returned | None:
        """Post the form of the page whose action ends so."""
        found = re.search(rf'action="([^"]*{re.escape(action)})"', self.page.text)
        assert found, f"no form {action} on the page: {self.page.text}"
        return await self._follow(await self.http.post(found[1], data=fields))

    async def sign_in(self, person: DemoPerson, login: str = "") -> Returned:
        """From the sign-in page back to the portal, with consent."""
        back = await self.press("/password", login=login or person.phone or person.email, password=PASSWORD)
        if back is None and "Подтвердите вход" in self.page.text:
            back = await self.press("/code", code=await self.sms_code(person.phone))
        return back or await self.consent()

    async def consent(self, decision: str = "grant") -> Returned:
        back = await self.press("/consent", decision=decision)
        assert back is not None
        return back

    async def sms_code(self, phone: str) -> str:
        sms = [event for event in (await self.http.get(f"/phone/{phone}/events")).json() if event["kind"] == "sms"]
        return re.search(r"\d{6}", sms[-1]["text"])[0]

    async def _follow(self, answer: httpx.Response) -> Returned | None:
        while answer.is_redirect:
            target = str(answer.url.join(answer.headers["Location"]))
            if not target.startswith(self.url):
                return Returned(target)
            answer = await self.http.get(target)
        self.page = answer
        return None


async def switch(http: httpx.AsyncClient, fault: str) -> None:
    answer = await http.put("/gosuslugi/faults.json", json={"fault": fault})
    assert answer.json() == {"fault": fault}


async def at_sign_in(visitor: Person, **asked: str) -> dict[str, str]:
    request = ac(**asked)
    assert await visitor.open(AC, **request) is None
    return request


async def password(visitor: Person, person: DemoPerson, login: str = "", typed: str = PASSWORD) -> object:
    return await visitor.press("/password", login=login or person.phone or person.email, password=typed)
