"""The portal's cookies. All are HttpOnly and SameSite=Lax, and on https also `__Host-` and Secure, unless the list says otherwise.

visitor: names a browser for 30 days, so that a recovery survives a reload and a restart. It holds a random token and the portal's
         mark (an HMAC of the token). A cookie without a good mark was made up by the client: all such browsers of a network share
         a few sockets. The cookie changes on the way to Gosuslugi, at a sign-in and at a sign-out (services.login.visitors).
sitting: names a browser until it is closed. After the proof of the phone a recovery continues only in its own sitting, so the next
         person at a shared computer cannot finish it. The cookie changes at a sign-in and a sign-out.
region:  the region that the visitor chose, for a year. It exists only where the installation serves several regions.
low_vision: the look of the pages for a patient who sees badly, for a year (domain.low_vision). It names nobody and is no secret, so
         it outlives a sign-out.
browser: marks of the accounts that have signed in from this browser (services.login.known_browsers), for 180 days. A mark signs
         nobody in. It survives a sign-out on purpose. A new password makes it worthless.
tab:     the tab of the sign-in dialog that was chosen last, for a year. The page's script sets and reads it
         (`browser/early/tabs.js`), so it is neither HttpOnly nor `__Host-`. The server does not look at it.
left:    says that this browser signed out by way of Gosuslugi, which can only lead back to the bare start page. That page then shows
         once that the patient has signed out.
session: the signed-in browser. It ends when the browser is closed or when the session ends on the server.
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
    """The cookies of an ASGI scope by name. It splits as browsers do: one odd cookie of another site must not hide the portal's."""
    cookies: dict[str, str] = {}
    for name, value in scope.get("headers", []):
        if name == b"cookie":
            cookies |= cookie_parser(value.decode("latin-1"))
    return cookies


def _read(cookies: Mapping[str, str], name: str) -> str:
    # On https only the prefixed name counts: another host of the domain could have planted a cookie with the bare name.
    return cookies.get(cookie_name(name, portal().config.https), "")


def _key_of(token: str) -> str:
    return token_hash(token) if _TOKEN.fullmatch(token) else ""


def visitor_key_in(cookies: Mapping[str, str]) -> str:
    """SHA-256 of the visitor cookie's token; empty when the cookie is missing.

    This does not check the mark. The mark decides how many sockets a browser may open (`web.sockets.gate`), not what it may see. A
    token that somebody made up belongs to no recovery and no journey.
    """
    return _key_of(_visitor_in(cookies)[0])


def issued_visitor_key_in(cookies: Mapping[str, str]) -> str:
    """The key of `visitor_key_in` if the cookie has the portal's mark; empty for a token that the portal did not issue."""
    token, mark = _visitor_in(cookies)
    issued = any(hmac.compare_digest(mark.encode(), one.encode()) for one in _marks(token)) if mark else False
    return _key_of(token) if issued else ""


def visitor_to_set(cookies: Mapping[str, str]) -> str:
    """The visitor cookie's value to set with a document; empty when the browser has a good cookie.

    The portal once issued tokens without a mark. Such a token gets a mark and stays the same, so that its recovery continues.
    """
    if issued_visitor_key_in(cookies):
        return ""
    token = _visitor_in(cookies)[0]
    return f"{token}.{_marks(token)[0]}" if _key_of(token) else new_visitor().value


@dataclass(frozen=True, slots=True)
class VisitorName:
    """A browser's visitor cookie: its value, and the visitor key by which the database knows the browser."""

    value: str
    key: str


def new_visitor() -> VisitorName:
    """A visitor cookie that no browser has had before."""
    token = new_token()
    return VisitorName(f"{token}.{_marks(token)[0]}", token_hash(token))


def visitor_cookie(value: str) -> str:
    """The Set-Cookie header of the visitor cookie."""
    return set_cookie(VISITOR, value, https=portal().config.https, max_age=VISITOR_MAX_AGE_S)


def new_sitting_cookie() -> str:
    """The Set-Cookie header of a new sitting."""
    return set_cookie(SITTING, new_token(), https=portal().config.https)


def sitting_key_in(cookies: Mapping[str, str]) -> str:
    """SHA-256 of the sitting cookie; empty when the cookie is missing."""
    return _key_of(_read(cookies, SITTING))


def cookies_of_a_document(cookies: Mapping[str, str], already: Sequence[str]) -> list[str]:
    """The Set-Cookie headers to add to a document: the visitor and the sitting cookie. Each is left out if the browser has a good one
    or if it is `already` among the document's Set-Cookie headers."""
    visitor = "" if _is_set(VISITOR, already) else visitor_to_set(cookies)
    needed = [visitor_cookie(visitor)] if visitor else []
    return needed if sitting_key_in(cookies) or _is_set(SITTING, already) else [*needed, new_sitting_cookie()]


def _is_set(name: str, headers: Sequence[str]) -> bool:
    return any(header.startswith(f"{cookie_name(name, portal().config.https)}=") for header in headers)


def session_key_in(cookies: Mapping[str, str]) -> str:
    """SHA-256 of the session cookie; empty when the cookie is missing."""
    return _key_of(_read(cookies, SESSION))


def _visitor_in(cookies: Mapping[str, str]) -> tuple[str, str]:
    token, _, mark = _read(cookies, VISITOR).partition(".")
    return token, mark


def _marks(token: str) -> list[str]:
    """The mark of a token for each key, the current key first. Older cookies stay good after a change of keys."""
    return [mark[:MARK_LENGTH] for mark in portal().visitor_marks.indexes(token)]


def marks_in(cookies: Mapping[str, str]) -> str:
    """The marks of accounts, unchecked; empty when the cookie is missing or holds more than the portal ever gives."""
    marks = _read(cookies, BROWSER)
    return marks if len(marks) <= MAX_MARKS_LENGTH else ""


def browser_cookie(marks: str) -> str:
    """The Set-Cookie header that lets a browser be known by these marks."""
    return set_cookie(BROWSER, marks, https=portal().config.https, max_age=int(LIFE.total_seconds()))


def has_just_left(cookies: Mapping[str, str]) -> bool:
    """Whether the browser comes back from a sign-out at Gosuslugi."""
    return _read(cookies, LEFT) != ""


def region_code_in(cookies: Mapping[str, str]) -> str:
    """The code of the chosen region, unchecked; empty when the cookie is missing."""
    return _read(cookies, REGION)


def low_vision_in(cookies: Mapping[str, str]) -> LowVision | None:
    """The chosen look of the pages; None for the ordinary version and for a cookie that the portal did not write."""
    return LowVision.read(_read(cookies, LOW_VISION))


def low_vision_cookie(look: LowVision | None) -> str:
    """The Set-Cookie header of a look. None deletes the cookie."""
    https = portal().config.https
    if look is None:
        return set_cookie(LOW_VISION, "", https=https, max_age=0)
    return set_cookie(LOW_VISION, look.text, https=https, max_age=LOW_VISION_MAX_AGE_S)
