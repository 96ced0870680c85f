"""Random tokens: 256 bits, kept only as SHA-256."""

from __future__ import annotations

import hashlib
import secrets


def new_token() -> str:
    """43 URL-safe characters with 256 random bits."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """The stored form of a token: 64 hex characters. 256 random bits need no salt."""
    return hashlib.sha256(token.encode()).hexdigest()
