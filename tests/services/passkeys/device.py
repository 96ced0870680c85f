"""A device with passkeys, in software: it makes P-256 keys and signs as Web Authentication, level 3, says (6.1, 7.1, 7.2)."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import bytes_to_base64url, encode_cbor

from medonline.bootstrap import Portal
from medonline.domain.client import Client
from medonline.domain.passkeys import PasskeyPurpose
from medonline.services.passkeys.own_passkeys import PasskeyView

_PRESENT, _VERIFIED, _MAY_BE_COPIED, _IS_COPIED, _HAS_KEY = 0x01, 0x04, 0x08, 0x10, 0x40


@dataclass
class Device:
    """One that its owner holds. `looks`: it checks a fingerprint, a face or the PIN. `framed`: the page that asks lies in one of a
    foreign site. `count`: of its last signature; None: it does
    not count, as those whose keys are in a cloud."""

    origin: str = "http://localhost:8000"
    host: str = "localhost"
    looks: bool = True
    framed: bool = False
    count: int | None = 0
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    handle: str = ""
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def make(self, options: dict[str, Any]) -> dict[str, Any]:
        """What a page gets that asks for a new key."""
        self.handle = options["user"]["id"]
        numbers = self.key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        length = len(self.credential_id).to_bytes(2, "big")
        made = self._about(_HAS_KEY) + bytes(16) + length + self.credential_id + encode_cbor(cose)
        attested = encode_cbor({"fmt": "none", "attStmt": {}, "authData": made})
        said = self._said("webauthn.create", options["challenge"])
        return self._answer(clientDataJSON=said, attestationObject=attested) | {
            "clientExtensionResults": {},
            "authenticatorAttachment": "platform",
        }

    def sign(self, options: dict[str, Any], handle: str | None = None) -> dict[str, Any]:
        """What a page gets that asks for a sign-in."""
        about, said = self._about(), self._said("webauthn.get", options["challenge"])
        signature = self.key.sign(about + hashlib.sha256(said).digest(), ec.ECDSA(SHA256()))
        answer = self._answer(clientDataJSON=said, authenticatorData=about, signature=signature)
        answer["response"]["userHandle"] = self.handle if handle is None else handle
        return answer

    def _about(self, more: int = 0) -> bytes:
        flags = _PRESENT | more | (_VERIFIED if self.looks else 0)
        if self.count is None:
            flags |= _MAY_BE_COPIED | _IS_COPIED
        else:
            self.count += 1
        return hashlib.sha256(self.host.encode()).digest() + bytes([flags]) + (self.count or 0).to_bytes(4, "big")

    def _said(self, what: str, challenge: str) -> bytes:
        said = {"type": what, "challenge": challenge, "origin": self.origin, "crossOrigin": self.framed}
        return json.dumps(said).encode()

    def _answer(self, **response: bytes) -> dict[str, Any]:
        name = bytes_to_base64url(self.credential_id)
        return {
            "id": name,
            "rawId": name,
            "type": "public-key",
            "response": {part: bytes_to_base64url(value) for part, value in response.items()}
            | {"transports": ["internal"]},
        }


async def add(portal: Portal, client: Client, device: Device, name: str = "") -> PasskeyView:
    """The signed-in client adds a passkey of this device."""
    await portal.passkeys.own.add(client, device.make(await portal.passkeys.own.begin(client)), name)
    return (await portal.passkeys.own.all(client.session_key))[-1]


async def log_in(
    portal: Portal, client: Client, device: Device, purpose: PasskeyPurpose = PasskeyPurpose.SIGN_IN
) -> str:
    """A ticket."""
    return await portal.passkeys.login.log_in(
        client, purpose, device.sign(await portal.passkeys.login.begin(client, purpose))
    )
