"""A token that leads somebody outside back to one code: in a link on the screen, or in the address that a vendor reports to."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence

_TOKEN = re.compile(r"(?P<code_id>[0-9a-f]{32})-(?P<proof>[0-9a-f]{64})")


def code_token(key: bytes, use: str, code_id: str) -> str:
    """A token that only a holder of `key` can make: 97 characters of a-z, 0-9 and «-», with the id of a code and 256 bits of proof.

    use: the purpose of the token. A token of one use is not valid for another.
    """
    return f"{code_id}-{_proof(key, use, code_id)}"


def code_of_token(keys: Sequence[bytes], use: str, token: str) -> str | None:
    """The id of the code whose token was made with one of `keys`. None for any other text."""
    found = _TOKEN.fullmatch(token)
    if found is None:
        return None
    known = any(hmac.compare_digest(found["proof"], _proof(key, use, found["code_id"])) for key in keys)
    return found["code_id"] if known else None


def _proof(key: bytes, use: str, code_id: str) -> str:
    return hmac.new(key, f"{use}|{code_id}".encode(), hashlib.sha256).hexdigest()
