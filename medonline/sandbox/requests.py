"""Reads query, form and JSON parameters of a request alike, as the vendors do."""

from __future__ import annotations

import hmac
import json
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request


async def parameters(request: Request) -> dict[str, Any]:
    """All parameters of a request. An unreadable body counts as an empty one."""
    found: dict[str, Any] = dict(request.query_params)
    body = await request.body()
    if "json" in request.headers.get("Content-Type", ""):
        try:
            sent = json.loads(body)
        except (ValueError, RecursionError):
            sent = None
        if isinstance(sent, dict):
            found |= sent
    else:
        found |= dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
    return found


def bearer(request: Request) -> str:
    """The token of the Authorization header, or an empty string."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def same(given: object, secret: str) -> bool:
    """Compare a credential in constant time."""
    return hmac.compare_digest(str(given).encode(errors="replace"), secret.encode())


def digits(value: object) -> str:
    """A parameter that may be a number or a string of digits. Empty if it is neither."""
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return text if text.isascii() and text.isdigit() and len(text) <= 20 else ""
