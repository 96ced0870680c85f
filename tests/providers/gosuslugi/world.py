"""A scripted server on a loopback socket, tokens made by hand, and a person whose data must show up nowhere."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import parse_qs

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID

from medonline.services.ports import AuthorizationRequest

CLIENT_ID = "MEDONLINE"
CLIENT_SECRET = "s e+c/r:et"
REDIRECT_URI = "https://portal.test/вход?from=gosuslugi"
CODE = "the-code-" + "c" * 1200
OID = 1000299654
PERSONAL = ("Безымянная", "Агриппина", "79261234567", "9261234567", "926)123", "agrippina@mail.test", "11223344595")


@dataclass(frozen=True)
class Seen:
    """One request as it came over the socket."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body.decode()).items()}


@dataclass(frozen=True)
class Answer:
    """What to answer; `never` keeps the caller waiting."""

    body: bytes = b""
    status: int = 200
    kind: str = "application/json"
    location: str = ""
    never: bool = False


def as_json(body: object, status: int = 200) -> Answer:
    return Answer(json.dumps(body).encode(), status)


@dataclass
class Scripted:
    """Answers by path; what is not scripted is a 404."""

    url: str = ""
    answers: dict[str, Callable[[Seen], Answer]] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)

    def always(self, path: str, answer: Answer) -> None:
        self.answers[path] = lambda _: answer

    def count(self, path: str) -> int:
        return sum(one.path == path for one in self.seen)


@asynccontextmanager
async def scripted() -> AsyncIterator[Scripted]:
    """A server that answers what its script says; its connections end with it."""
    script = Scripted()
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            first, *lines = head.rstrip("\r\n").split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            method, target, _ = first.split(" ")
            request = Seen(method, target, headers, body)
            script.seen.append(request)
            answer = script.answers.get(request.path, lambda _: as_json({"error": "not_found"}, 404))(request)
            if answer.never:
                await asyncio.Event().wait()
            location = f"Location: {answer.location}\r\n" if answer.location else ""
            writer.write(
                f"HTTP/1.1 {answer.status} X\r\nContent-Type: {answer.kind}\r\nContent-Length: {len(answer.body)}\r\n"
                f"{location}Set-Cookie: stranger=1; Path=/\r\nConnection: close\r\n\r\n".encode()
                + answer.body
            )
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            tasks.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    script.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield script
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@cache
def rsa_key(name: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    """The same key for the same name, made once in a run of the tests."""
    return rsa.generate_private_key(65537, bits)


@cache
def ec_key(name: str) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def private_pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def public_pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@cache
def certificate_pem(name: str) -> bytes:
    key = rsa_key(name)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - timedelta(days=400))
        .not_valid_after(now - timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(Encoding.PEM)


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def token(claims: dict[str, Any], key: Any, alg: str = "RS256", **header: Any) -> str:
    """A signed JSON Web Token, made without the library that the adapters read it with.

    `key`: a private key; for HS256 the secret's bytes.
    """
    head = {"ver": 1, "typ": "JWT", "alg": alg} | header
    signed = f"{b64(json.dumps(head).encode())}.{b64(json.dumps(claims).encode())}".encode()
    if alg == "none":
        signature = b""
    elif alg == "HS256":
        signature = hmac.new(key, signed, hashlib.sha256).digest()
    elif alg == "PS256":
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
        signature = key.sign(signed, pss, hashes.SHA256())
    elif alg == "ES256":
        r, s = decode_dss_signature(key.sign(signed, ec.ECDSA(hashes.SHA256())))
        signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    else:
        signature = key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
    return f"{signed.decode()}.{b64(signature)}"


def times(**changes: float) -> dict[str, Any]:
    now = int(time.time())
    return {"iat": now, "nbf": now, "exp": now + 600} | changes


def journey(begun_at: datetime | None = None, *, fresh: bool = False) -> AuthorizationRequest:
    return AuthorizationRequest(
        state=str(uuid.uuid4()),
        nonce=secrets.token_urlsafe(32),
        code_verifier=secrets.token_urlsafe(32),
        redirect_uri=REDIRECT_URI,
        begun_at=begun_at or datetime.now(UTC),
        fresh=fresh,
    )
