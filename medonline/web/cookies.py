"""The portal's cookies, HttpOnly, SameSite=Lax, `__Host-` and Secure on https.

visitor: names a browser for 30 days, so that a recovery survives a reload and a restart. A random token and the portal's mark (an
         HMAC of it). A cookie without a good mark was made up by the client: all such browsers of a network share a few sockets.
         The cookie changes on the way to Gosuslugi, at a sign-in and at a sign-out (services.login.visitors).
sitting: names a browser until it is closed. After the proof of the phone a recovery goes on in its sitting only, so the next
         person at a shared computer cannot finish it. Changes at a sign-in and a sign-out.
region:  the region that the visitor chose, for a year; only where the installation serves several.
low_vision: how the pages look for a patient who sees badly, for a year (domain.low_vision). No name and no secret: it outlives a sign-out.
browser: marks of the accounts that signed in in this browser (services.login.known_browsers), for 180 days. A mark signs no one
         in. It survives a sign-out on purpose; a new password makes it worthless.
tab:     the tab of the sign-in that was chosen last, for a year. Set and read by the page's script (`browser/early/tabs.js`), so
         neither HttpOnly nor `__Host-`; the server does not look at it.
left:    this browser signed out by way of Gosuslugi, which leads back to the bare start page: that page says it, once.
session: the signed-in browser. Ends with the browser, or with the session on the server.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import cookie_parser

from medonline.bootstrap import portal
from medonline.domain.low_vision import LowVision
from medonline.services.crypto.tokens import new_token, token_hash
from medonline.services.login.known_browsers import LIFE, MAX_MARKS_LENGTH

VISITOR = "medonline_visitor"
SITTING = "medonline_sitting"
SESSION = "medonline_session"
BROWSER = "medonline_browser"
REGION = "medonline_region"
LOW_VISION = "medonline_low_vision"
LEFT = "medonline_left"
LEFT_MAX_AGE_S = 10 * 60
REGION_MAX_AGE_S = 365 * 24 * 3600
LOW_VISION_MAX_AGE_S = 365 * 24 * 3600
VISITOR_MAX_AGE_S = 30 * 24 * 3600
MARK_LENGTH = 32  # of the 64 hex characters of an HMAC: 128 bits
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


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


def _key_of(token: str) -> str:
    return token_hash(token) if _TOKEN.fullmatch(token) else ""


def visitor_key_in(cookies: Mapping[str, str]) -> str:
    """SHA-256 of the visitor cookie's token; empty when there is none.

    The mark is not checked: it decides how many sockets a browser may open (`web.sockets.gate`), not what it may see. A token
    that somebody made up names no recovery and no journey.
    """
    return _key_of(_visitor_in(cookies)[0])


def issued_visitor_key_in(cookies: Mapping[str, str]) -> str:
    """The same, if the cookie has the portal's mark; empty for a token that the portal did not issue."""
    token, mark = _visitor_in(cookies)
    issued = any(hmac.compare_digest(mark.encode(), one.encode()) for one in _marks(token)) if mark else False
    return _key_of(token) if issued else ""


def visitor_to_set(cookies: Mapping[str, str]) -> str:
    """The value of the visitor cookie to set with a document; empty when the browser has a good one.

    A token without a mark gets one and stays the same token, so that its recovery goes on: the portal once issued such cookies.
    """
    if issued_visitor_key_in(cookies):
        return ""
    token = _visitor_in(cookies)[0]
    return f"{token}.{_marks(token)[0]}" if _key_of(token) else new_visitor().value


@dataclass(frozen=True, slots=True)
class VisitorName:
    """A browser's visitor cookie: its value, and the visitor key under which the record knows the browser."""

    value: str
    key: str


def new_visitor() -> VisitorName:
    """A cookie that no browser had before."""
    token = new_token()
    return VisitorName(f"{token}.{_marks(token)[0]}", token_hash(token))


def visitor_cookie(value: str) -> str:
    """The Set-Cookie header of the visitor cookie."""
    return set_cookie(VISITOR, value, https=portal().config.https, max_age=VISITOR_MAX_AGE_S)


def new_sitting_cookie() -> str:
    """The Set-Cookie header of another sitting."""
    return set_cookie(SITTING, new_token(), https=portal().config.https)


def sitting_key_in(cookies: Mapping[str, str]) -> str:
    """SHA-256 of the sitting cookie; empty when there is none."""
    return _key_of(_read(cookies, SITTING))


def cookies_of_a_document(cookies: Mapping[str, str], already: Sequence[str]) -> list[str]:
    """The Set-Cookie headers to add to a document: the visitor and the sitting cookie, each if the browser has no good one and
    it is not `already` among the document's headers."""
    visitor = "" if _is_set(VISITOR, already) else visitor_to_set(cookies)
    needed = [visitor_cookie(visitor)] if visitor else []
    return needed if sitting_key_in(cookies) or _is_set(SITTING, already) else [*needed, new_sitting_cookie()]


def _is_set(name: str, headers: Sequence[str]) -> bool:
    return any(header.startswith(f"{cookie_name(name, portal().config.https)}=") for header in headers)


def session_key_in(cookies: Mapping[str, str]) -> str:
    """SHA-256 of the session cookie; empty when there is none."""
    return _key_of(_read(cookies, SESSION))


def _visitor_in(cookies: Mapping[str, str]) -> tuple[str, str]:
    token, _, mark = _read(cookies, VISITOR).partition(".")
    return token, mark


def _marks(token: str) -> list[str]:
    """The mark of a token under each key, the current one first: after a change of keys the older cookies stay good."""
    return [mark[:MARK_LENGTH] for mark in portal().visitor_marks.indexes(token)]


def marks_in(cookies: Mapping[str, str]) -> str:
    """The marks of accounts, unchecked; empty when there are none, or more than the portal gives."""
    marks = _read(cookies, BROWSER)
    return marks if len(marks) <= MAX_MARKS_LENGTH else ""


def browser_cookie(marks: str) -> str:
    """The Set-Cookie header of a browser that is known by these marks."""
    return set_cookie(BROWSER, marks, https=portal().config.https, max_age=int(LIFE.total_seconds()))


def has_just_left(cookies: Mapping[str, str]) -> bool:
    """Whether it comes back from a sign-out."""
    return _read(cookies, LEFT) != ""


def region_code_in(cookies: Mapping[str, str]) -> str:
    """The code of the region that was chosen, unchecked; empty when there is no such cookie."""
    return _read(cookies, REGION)


def low_vision_in(cookies: Mapping[str, str]) -> LowVision | None:
    """How the pages shall look; None for the ordinary version, and for a cookie that the portal did not write."""
    return LowVision.read(_read(cookies, LOW_VISION))


def low_vision_cookie(look: LowVision | None) -> str:
    """The Set-Cookie header of a look; without one it is forgotten."""
    https = portal().config.https
    if look is None:
        return set_cookie(LOW_VISION, "", https=https, max_age=0)
    return set_cookie(LOW_VISION, look.text, https=https, max_age=LOW_VISION_MAX_AGE_S)
