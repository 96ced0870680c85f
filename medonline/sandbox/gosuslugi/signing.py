"""What the stand-in signs, and how a fault that is switched on spoils it."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Callable
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, RSAKey
from joserfc.jws import JWSRegistry

from medonline.sandbox.gosuslugi.faults import Fault
from medonline.sandbox.settings import GosuslugiSettings

Claims = dict[str, Any]
_ESIA_HEADERS = JWSRegistry(strict_check_header=False)  # ESIA has its own header fields: ver, sbt
_CODE_CLAIMS = 600  # characters; makes a code as long as ESIA's codes, 1 to 1.4 kB


class Signer:
    """The stand-in's keys; `clock` gives Unix time."""

    def __init__(self, settings: GosuslugiSettings, clock: Callable[[], float]) -> None:
        self._key = _key(settings.signing_key)
        self._rotated = _key(settings.rotated_key)
        self._clock = clock

    def token(self, claims: Claims, lives: int, fault: Fault, header: dict[str, Any] | None = None) -> str:
        """A JWT that lives `lives` seconds, unless the fault says otherwise."""
        now = int(self._clock()) - (lives + 3600 if fault is Fault.EXPIRED_TOKEN else 0)
        claims = claims | {"iat": now, "nbf": now, "exp": now + lives}
        if fault is Fault.WRONG_ISSUER:
            claims["iss"] = "http://somebody-else.example/"
        if fault is Fault.WRONG_AUDIENCE and "aud" in claims:
            claims["aud"] = "SOMEBODY_ELSE"
        if fault is Fault.UNSIGNED:
            return f"{_part({'alg': 'none', 'typ': 'JWT'} | (header or {}))}.{_part(claims)}."
        key = self._rotated if fault is Fault.ROTATED_KEY else self._key
        return jwt.encode({"alg": "RS256"} | (header or {}), claims, key, registry=_ESIA_HEADERS)

    def kid(self, fault: Fault) -> str:
        """The id of the published key that signs."""
        return str((self._rotated if fault is Fault.ROTATED_KEY else self._key).kid)

    def code(self, code_id: str, claims: Claims, lives: int) -> str:
        """An authorisation code. It is a JWT, as at ESIA, and opaque to the client."""
        claims = claims | {"jti": code_id}
        padding = secrets.token_urlsafe(_CODE_CLAIMS)[: max(0, _CODE_CLAIMS - len(json.dumps(claims)))]
        header = {"ver": 1, "sbt": "authorization_code"}
        return self.token(claims | {"padding": padding}, lives, Fault.NONE, header)

    def read(self, token: str) -> Claims | None:
        """The claims of a token that this stand-in signed. The token's age does not matter."""
        try:
            keys = KeySet([self._key, self._rotated])
            for key in keys.keys:
                try:
                    return dict(jwt.decode(token, key, algorithms=["RS256"], registry=_ESIA_HEADERS).claims)
                except JoseError:
                    continue
        except (ValueError, RecursionError):
            pass
        return None

    def jwks(self, fault: Fault) -> dict[str, Any]:
        """The published keys. The rotated key is added when it signs."""
        keys = [self._key, self._rotated] if fault is Fault.ROTATED_KEY else [self._key]
        return {"keys": [key.as_dict(private=False) for key in keys]}


class ClientCertificate:
    """The portal's certificate, which checks its `client_secret` signatures."""

    def __init__(self, pem: bytes) -> None:
        certificate = load_pem_x509_certificate(pem)
        key = certificate.public_key()
        if not isinstance(key, RSAPublicKey):
            raise ValueError("The stand-in of Gosuslugi takes a certificate with an RSA key only.")
        self._key = key
        self.hash = hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest().upper()

    def signed(self, text: str, signature: str) -> bool:
        """Whether `signature` (base64url without padding) is the signature of this text."""
        if not signature.replace("-", "").replace("_", "").isalnum() or not signature.isascii():
            return False
        try:
            raw = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
            self._key.verify(raw, text.encode(), PKCS1v15(), SHA256())
        except (ValueError, InvalidSignature):
            return False
        return True


def s256(verifier: str) -> str:
    """The PKCE challenge of a verifier (RFC 7636)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _key(pem: bytes) -> RSAKey:
    key = RSAKey.import_key(pem, {"use": "sig", "alg": "RS256"})
    key.ensure_kid()
    return key


def _part(value: Claims) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
