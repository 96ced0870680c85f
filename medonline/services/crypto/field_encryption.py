"""Personal data at rest: sealed texts, and indexes that find an equal value without opening any text.

A master key (a setting) gives one key per use by keyed BLAKE2b, so a text that is sealed for one use cannot be opened for another. A sealed
text begins with its format and the id of its master key. Keys are changed one after the other (`medonline keys`), and the older ones open
what they sealed until everything is sealed again.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Sequence

from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

_FORMAT = "s2"
_FORMAT_WITHOUT_KEY_ID = "s1"


class SealBroken(Exception):
    """The text was sealed with an unknown key or for another use, or was changed."""


def key_id(key: bytes) -> str:
    """8 hex characters that name a master key and say nothing about it."""
    return hashlib.blake2b(b"key id", key=hashlib.sha256(key).digest(), digest_size=4).hexdigest()


def key_id_of(sealed: str) -> str:
    """The id of the key that sealed a text. Empty for the format that names none."""
    name, _, rest = sealed.partition(".")
    return rest.partition(".")[0] if name == _FORMAT else ""


class Sealer:
    """Seals for one use: `Sealer(key, "snils")` opens nothing of `Sealer(key, "person")`.

    others: keys that only open and find: the former ones and the next one.
    """

    def __init__(self, key: bytes, use: str, others: Sequence[bytes] = ()) -> None:
        self._id = key_id(key)
        self._boxes = {key_id(one): SecretBox(_derived(one, f"seal:{use}")) for one in (key, *others)}
        self._index_keys = {key_id(one): _derived(one, f"index:{use}") for one in (key, *others)}

    def seal(self, text: str) -> str:
        """The sealed form (XSalsa20-Poly1305 with a random nonce). An empty text stays empty."""
        if not text:
            return ""
        return f"{_FORMAT}.{self._id}.{urlsafe_b64encode(self._boxes[self._id].encrypt(text.encode())).decode()}"

    def open(self, sealed: str) -> str:
        """Open a sealed text.

        Raises:
            SealBroken: no known key sealed it for this use.
        """
        if not sealed:
            return ""
        name, _, rest = sealed.partition(".")
        if name == _FORMAT_WITHOUT_KEY_ID:
            return self._opened_by_any(rest)
        owner, _, body = rest.partition(".")
        if name != _FORMAT or owner not in self._boxes:
            raise SealBroken
        return _opened(self._boxes[owner], body)

    def is_current(self, sealed: str) -> bool:
        """Whether this text needs nothing when an older key is removed."""
        return not sealed or key_id_of(sealed) == self._id

    @property
    def key_id(self) -> str:
        """The id of the key that seals and indexes."""
        return self._id

    @property
    def key_ids(self) -> frozenset[str]:
        """The ids of every key that is known."""
        return frozenset(self._boxes)

    def is_index(self, owner: str, index: str, text: str) -> bool:
        """Whether the key with this id made this index of a text. The comparison takes constant time."""
        key = self._index_keys.get(owner)
        return key is not None and hmac.compare_digest(index.encode(), _mac(key, text).encode())

    def index(self, text: str, owner: str = "") -> str:
        """HMAC-SHA256 in 64 hex characters. It is equal for equal texts, and useless without the key.

        owner: the id of the key that makes it; the current key by default.

        Raises:
            KeyError: no key with this id is known.
        """
        return _mac(self._index_keys[owner or self._id], text)

    def indexes(self, text: str) -> list[str]:
        """The index under each key, the current key first. So values that were indexed before a change of keys are found, too."""
        return [_mac(key, text) for key in self._index_keys.values()]

    def _opened_by_any(self, body: str) -> str:
        for box in self._boxes.values():
            try:
                return _opened(box, body)
            except SealBroken:
                continue
        raise SealBroken


def _derived(key: bytes, use: str) -> bytes:
    return hashlib.blake2b(use.encode(), key=hashlib.sha256(key).digest(), digest_size=32).digest()


def _mac(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _opened(box: SecretBox, body: str) -> str:
    try:
        return box.decrypt(urlsafe_b64decode(body)).decode()
    except (CryptoError, NotBase64, ValueError):
        raise SealBroken from None
