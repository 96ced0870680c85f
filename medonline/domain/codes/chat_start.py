"""The start of a chat with a bot: a token in the link on the screen, which leads the chat to the code that waits for it."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import timedelta

# A link that lies about is of no use: it opens one chat, and only so long after the code was asked for.
START_WITHIN = timedelta(minutes=5)
_TOKEN = re.compile(r"(?P<code_id>[0-9a-f]{32})-(?P<proof>[0-9a-f]{64})")


def start_token(key: bytes, code_id: str) -> str:
    """97 characters of a-z, 0-9 and «-» that only a holder of `key` can make: the id of a code and 256 bits."""
    return f"{code_id}-{_proof(key, code_id)}"


def code_of_start(keys: Sequence[bytes], token: str) -> str | None:
    """The id of the code that a token was made for by one of `keys`; None for any other text."""
    found = _TOKEN.fullmatch(token)
    if found is None:
        return None
    known = any(hmac.compare_digest(found["proof"], _proof(key, found["code_id"])) for key in keys)
    return found["code_id"] if known else None


def _proof(key: bytes, code_id: str) -> str:
    return hmac.new(key, f"chat-start|{code_id}".encode(), hashlib.sha256).hexdigest()
