"""The portal's cookies, both HttpOnly, SameSite=Lax, `__Host-` and Secure on https.

visitor: names a browser, so that a recovery survives reload and restart; 30 days.
region:  the region the visitor chose, where the installation serves several; a year.
session: a signed-in browser; ends with the browser or with the session on the server.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import cookie_parser

from medonline.bootstrap import portal
from medonline.services.crypto.tokens import token_hash

VISITOR = "medonline_visitor"
SESSION = "medonline_session"
REGION = "medonline_region"
REGION_MAX_AGE_S = 365 * 24 * 3600
VISITOR_MAX_AGE_S = 30 * 24 * 3600
TOKEN_LENGTH = 43


def cookie_name(name: str, https: bool) -> str:
    """The name under which a cookie is set."""
    return f"__Host-{name}" if https else name


def set_cookie(name: str, value: str, *, https: bool, max_age: int | None = None) -> str:
    """The Set-Cookie header."""
    parts = [f"{cookie_name(name, https)}={value}", "Path=/", "HttpOnly", "SameSite=Lax"]
    parts += [f"Max-Age={max_age}"] if max_age is not None else []
    return "; ".join([*parts, "Secure"] if https else parts)


def cookie_value(scope: Mapping[str, Any]) -> dict[str, str]:
    """The cookies of an ASGI scope. Split as browsers split: one odd cookie of another site must not hide ours."""
    cookies: dict[str, str] = {}
    for name, value in scope.get("headers", []):
        if name == b"cookie":
            cookies |= cookie_parser(value.decode("latin-1"))
    return cookies


def _read(cookies: Mapping[str, str], name: str) -> str:
    # On https only the prefixed name counts: the bare one could have been planted by another host of the domain.
    return cookies.get(cookie_name(name, portal().config.https), "")


def _key_in(cookies: Mapping[str, str], name: str) -> str:
    token = _read(cookies, name)
    return token_hash(token) if len(token) == TOKEN_LENGTH else ""


def visitor_key_in(cookies: Mapping[str, str]) -> str:
    """SHA-256 of the visitor cookie; empty when there is none."""
    return _key_in(cookies, VISITOR)


def session_key_in(cookies: Mapping[str, str]) -> str:
    """SHA-256 of the session cookie; empty when there is none."""
    return _key_in(cookies, SESSION)


def region_code_in(cookies: Mapping[str, str]) -> str:
    """The code of the region that was chosen, unchecked; empty when there is no such cookie."""
    return _read(cookies, REGION)
