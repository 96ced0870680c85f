"""The values that Telegram Gateway accepts for each parameter of sendVerificationMessage."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from medonline.sandbox import magic
from medonline.sandbox.requests import digits


class Refused(Exception):
    """The request is answered with this error name."""


def phone(given: Mapping[str, Any]) -> str:
    """An E.164 number. This stand-in accepts only Russian mobile numbers."""
    text = given.get("phone_number")
    e164 = magic.russian_mobile(text) if isinstance(text, str) and text.startswith("+") else None
    if e164 is None:
        raise Refused("PHONE_NUMBER_INVALID")
    return e164


def code(given: Mapping[str, Any]) -> str:
    """The sender's own code of 4 to 8 digits, or a random one of `code_length` digits."""
    if "code" in given:
        chosen = digits(given["code"])
        if not 4 <= len(chosen) <= 8:
            raise Refused("CODE_INVALID")
        return chosen
    length = digits(given.get("code_length", ""))
    if length not in ("4", "5", "6", "7", "8"):
        raise Refused("CODE_LENGTH_INVALID")
    return "".join(secrets.choice("0123456789") for _ in range(int(length)))


def ttl(given: Mapping[str, Any]) -> int:
    """The lifetime in seconds, 30 to 3600."""
    seconds = digits(given.get("ttl", 3600))
    if not seconds or not 30 <= int(seconds) <= 3600:
        raise Refused("TTL_INVALID")
    return int(seconds)


def bounded(given: Mapping[str, Any], name: str, limit: int, error: str) -> str:
    """An optional text of at most `limit` bytes in UTF-8."""
    value = given.get(name, "")
    if not isinstance(value, str) or len(value.encode(errors="replace")) > limit:
        raise Refused(error)
    return value


def callback_url(given: Mapping[str, Any], allowed: tuple[str, ...] | None) -> str:
    """Where reports go, up to 256 bytes. Unlike the vendor, the stand-in accepts plain http.

    Only addresses of the portal (`allowed`) are accepted, or of this machine if no portal is named. Otherwise anybody could make the
    stand-in post to any address from inside the network.
    """
    url = bounded(given, "callback_url", 256, "CALLBACK_URL_INVALID")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise Refused("CALLBACK_URL_INVALID") from None
    if url and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise Refused("CALLBACK_URL_INVALID")
    if url and not (is_this_machine(parts.hostname or "") if allowed is None else url in allowed):
        raise Refused("CALLBACK_URL_INVALID")
    return url


def is_this_machine(host: str) -> bool:
    """Whether a host name means the loopback."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
