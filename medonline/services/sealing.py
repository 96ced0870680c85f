"""Personal data at rest: sealed texts, and indexes by which an equal value is found again without opening any.

One master key (a setting) gives a key per use by keyed BLAKE2b, so that a text sealed for one use opens for no other.
A sealed text begins with its format's name, so that a later format can stand beside this one.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64

from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

_FORMAT = "s1"


class SealBroken(Exception):
    """The text was sealed with another key or for another use, or was changed."""


class Sealer:
    """Seals for one use: `Sealer(key, "snils")` opens nothing of `Sealer(key, "person")`."""

    def __init__(self, key: bytes, use: str) -> None:
        secret = hashlib.sha256(key).digest()
        self._box = SecretBox(hashlib.blake2b(f"seal:{use}".encode(), key=secret, digest_size=32).digest())
        self._index_key = hashlib.blake2b(f"index:{use}".encode(), key=secret, digest_size=32).digest()

    def seal(self, text: str) -> str:
        """The sealed form (XSalsa20-Poly1305 under a random nonce); an empty text stays empty."""
        if not text:
            return ""
        return f"{_FORMAT}.{urlsafe_b64encode(self._box.encrypt(text.encode())).decode()}"

    def open(self, sealed: str) -> str:
        """The text again.

        Raises:
            SealBroken: not sealed with this key for this use.
        """
        if not sealed:
            return ""
        name, _, body = sealed.partition(".")
        try:
            if name != _FORMAT:
                raise SealBroken
            return self._box.decrypt(urlsafe_b64decode(body)).decode()
        except (CryptoError, NotBase64, ValueError):
            raise SealBroken from None

    def index(self, text: str) -> str:
        """HMAC-SHA256 in 64 hex characters: equal for equal texts, useless without the key."""
        return hmac.new(self._index_key, text.encode(), hashlib.sha256).hexdigest()
