"""What ESIA requires of a request, and the error for each violation."""

from __future__ import annotations

import re
from datetime import datetime

from medonline.sandbox.gosuslugi.scopes import ESIA_SCOPES
from medonline.sandbox.gosuslugi.stand import Form, Stand

_ERRORS = {
    "007003": ("invalid_request", "The request has a bad value of a parameter or repeats a parameter"),
    "007004": ("access_denied", "The resource owner or authorization server denied the request"),
    "007005": ("unauthorized_client", "The client is not authorized to request an access token this way"),
    "007006": ("invalid_scope", "The requested scope is invalid, unknown or malformed"),
    "007008": ("temporarily_unavailable", "The authorization server is currently unable to handle the request"),
    "007009": ("unsupported_response_type", "The authorization server does not support this response type"),
    "007011": ("invalid_grant", "The code or refresh token is invalid, expired, revoked or was issued to another"),
    "007012": ("unsupported_grant_type", "The authorization server does not support this grant type"),
    "007013": ("invalid_scope", "The request does not contain a scope"),
    "007014": ("invalid_request", "The request does not contain a mandatory parameter"),
    "007015": ("invalid_request", "The time of the request is wrong"),
    "007023": ("invalid_request", "The redirect_uri is not among those of the client"),
    "007053": ("unauthorized_client", "The client_secret or the certificate hash is wrong"),
}
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_TIMESTAMP = re.compile(r"\d{4}\.\d\d\.\d\d \d\d:\d\d:\d\d [+-]\d{4}", re.ASCII)
_CLOCKS_DIFFER_BY = 5 * 60  # seconds


class EsiaError(Exception):
    """The request is answered with this ESIA error. `what` tells the reader which parameter was wrong."""

    def __init__(self, number: str, what: str = "") -> None:
        super().__init__(number)
        self.error, text = _ERRORS[number]
        self.description = f"ESIA-{number}: {text}{f': {what}' if what else ''}"


def required(given: Form, name: str, missing: str = "007014") -> str:
    """A required parameter that must occur once."""
    values = given.getlist(name)
    if not values or not values[0]:
        raise EsiaError(missing, name)
    if len(values) > 1:
        raise EsiaError("007003", name)
    return values[0]


def chosen(given: Form, name: str, allowed: tuple[str, ...], wrong: str = "007003") -> str:
    """A parameter that must have one of a few values."""
    value = required(given, name)
    if value not in allowed:
        raise EsiaError(wrong, name)
    return value


def check_client(given: Form, stand: Stand) -> None:
    """Check that the client is the registered one."""
    if required(given, "client_id") != stand.settings.client_id:
        raise EsiaError("007005")


def check_redirect(given: Form, stand: Stand) -> str:
    """Check that the address is registered, letter for letter."""
    address = required(given, "redirect_uri")
    if address not in stand.settings.redirect_uris:
        raise EsiaError("007023")
    return address


def check_scope(given: Form) -> str:
    """Check that the scopes are known. Spaces separate them."""
    scope = required(given, "scope", missing="007013")
    if not set(scope.split(" ")) <= ESIA_SCOPES:
        raise EsiaError("007006")
    return scope


def check_state(given: Form) -> str:
    """Check that the state is a UUID."""
    state = required(given, "state")
    if not _UUID.fullmatch(state):
        raise EsiaError("007003", "state")
    return state


def check_signature(given: Form, stand: Stand, *more: str) -> None:
    """Check the time, the certificate hash, and the signature over client_id+scope+timestamp+state+redirect_uri and `more`."""
    timestamp = required(given, "timestamp")
    _check_time(timestamp, stand.clock())
    if required(given, "client_certificate_hash") != stand.certificate.hash:
        raise EsiaError("007053", "client_certificate_hash")
    names = ("client_id", "scope", "timestamp", "state", "redirect_uri")
    text = "".join([*(required(given, name) for name in names), *more])
    if not stand.certificate.signed(text, required(given, "client_secret")):
        raise EsiaError("007053", "client_secret")


def _check_time(timestamp: str, now: float) -> None:
    if not _TIMESTAMP.fullmatch(timestamp):
        raise EsiaError("007015", "YYYY.MM.DD HH:MM:SS +0300 is expected")
    try:
        moment = datetime.strptime(timestamp, "%Y.%m.%d %H:%M:%S %z")
    except ValueError:
        raise EsiaError("007015") from None
    if abs(moment.timestamp() - now) > _CLOCKS_DIFFER_BY:
        raise EsiaError("007015")
