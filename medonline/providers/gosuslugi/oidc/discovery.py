"""What an OpenID provider publishes about itself: its addresses and its keys.

Source: OpenID Connect Discovery 1.0, RFC 8414, RFC 7517.
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

from joserfc.jwk import ECKey, RSAKey

from medonline.domain.errors import IdentityProblem, IdentityRefused
from medonline.providers.gosuslugi.errors import json_object, transport_refusals, untrustworthy
from medonline.providers.gosuslugi.tokens import Key, fits
from medonline.providers.http import JsonClient
from medonline.providers.values import is_told

FRESH = 300.0  # seconds that a document is used without asking again, and the pause between two tries to renew it
STALE = 86400.0  # seconds that an old document may be used while the provider gives no new one
KEYS_PAUSE = 60.0  # seconds between two refetches of the keys because of an unknown one
_MAX_KEYS = 50
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Metadata:
    """The part of a provider's metadata that the portal uses. An empty address means that the provider does not offer it."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str
    end_session_endpoint: str
    token_auth_methods: frozenset[str]
    issuer_in_returns: bool


@dataclass(frozen=True, slots=True)
class PublishedKey:
    """One signing key, with what the key set says about it."""

    key: Key
    kid: str | None
    algorithm: str | None


class Discovery:
    """The metadata and the keys of one issuer, both cached. One event loop after another may use it.

    Args:
        monotonic: seconds of a clock that never goes back.
    """

    def __init__(self, issuer: str, client: JsonClient, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._issuer = issuer
        self._client = client
        self._monotonic = monotonic
        self._metadata = _Cached(self._fetch_metadata, monotonic)
        self._keys = _Cached(self._fetch_keys, monotonic)
        self._keys_refetched = float("-inf")

    async def metadata(self) -> Metadata:
        """The provider's addresses.

        Raises:
            IdentityRefused: UNAVAILABLE, or UNTRUSTWORTHY (another issuer, or plain http where https is required).
        """
        return await self._metadata.get()

    async def keys_for(self, header: dict[str, Any]) -> list[Key]:
        """The keys that may have signed a token with this header. An unknown `kid` causes at most one refetch a minute.

        Raises:
            IdentityRefused: no key set could be had.
        """
        found = _matching(await self._keys.get(), header)
        if not found and self._monotonic() - self._keys_refetched >= KEYS_PAUSE:
            # Set before waiting, so that an attacker's burst of tokens does not cause a flood of refetches.
            self._keys_refetched = self._monotonic()
            await self._keys.renew()
        return found or _matching(await self._keys.get(), header)

    async def count_keys(self) -> int:
        """How many signing keys the provider publishes.

        Raises:
            IdentityRefused: no key set could be had.
        """
        return len(await self._keys.get())

    async def _fetch_metadata(self) -> Metadata:
        document = await self._document(self._issuer.rstrip("/") + "/.well-known/openid-configuration")
        if document.get("issuer") != self._issuer:
            raise untrustworthy("oidc: the discovery document is of another issuer than the one configured")
        methods = document.get("token_endpoint_auth_methods_supported")
        return Metadata(
            authorization_endpoint=self._address(document, "authorization_endpoint", needed=True),
            token_endpoint=self._address(document, "token_endpoint", needed=True),
            jwks_uri=self._address(document, "jwks_uri", needed=True),
            userinfo_endpoint=self._address(document, "userinfo_endpoint"),
            end_session_endpoint=self._address(document, "end_session_endpoint"),
            token_auth_methods=frozenset(
                # The default when the provider names no method (Discovery 1.0, 3).
                method
                for method in (methods if isinstance(methods, list) else ["client_secret_basic"])
                if isinstance(method, str)
            ),
            issuer_in_returns=document.get("authorization_response_iss_parameter_supported") is True,
        )

    def _address(self, document: dict[str, Any], name: str, *, needed: bool = False) -> str:
        address = document.get(name)
        if not is_told(address) and not needed:
            return ""
        if not isinstance(address, str) or not usable_address(address, secure=self._issuer.startswith("https:")):
            raise untrustworthy(f"oidc: {name} of the discovery document is no address to trust")
        return address

    async def _fetch_keys(self) -> list[PublishedKey]:
        document = await self._document((await self.metadata()).jwks_uri)
        listed = document.get("keys")
        if not isinstance(listed, list):
            raise IdentityRefused(IdentityProblem.UNAVAILABLE, "oidc: a key set without keys")
        return [key for one in listed[:_MAX_KEYS] if (key := _published_key(one)) is not None]

    async def _document(self, url: str) -> dict[str, Any]:
        with transport_refusals():
            status, answer = await self._client.get(url, idempotent=False)
        return json_object("oidc", status, answer)


class _Cached(Generic[_T]):
    """One document. It is fetched once for all who wait for it and kept for `FRESH` seconds. The old one serves if a new fetch fails."""

    def __init__(self, fetch: Callable[[], Awaitable[_T]], monotonic: Callable[[], float]) -> None:
        self._fetch = fetch
        self._monotonic = monotonic
        self._kept: tuple[_T, float] | None = None
        self._tried = float("-inf")
        self._lock: tuple[asyncio.AbstractEventLoop, asyncio.Lock] | None = None

    async def get(self) -> _T:
        async with self._own_lock():
            now = self._monotonic()
            if self._kept is None or now - self._kept[1] >= STALE:
                return await self._fetch_and_keep()
            if now - self._tried >= FRESH:
                try:
                    return await self._fetch_and_keep()
                except IdentityRefused as refused:
                    if refused.problem is not IdentityProblem.UNAVAILABLE:
                        raise
            return self._kept[0]

    async def renew(self) -> None:
        async with self._own_lock():
            await self._fetch_and_keep()

    async def _fetch_and_keep(self) -> _T:
        self._tried = self._monotonic()
        document = await self._fetch()
        self._kept = (document, self._monotonic())
        return document

    def _own_lock(self) -> asyncio.Lock:
        # A lock belongs to the event loop in which it first waited.
        loop = asyncio.get_running_loop()
        if self._lock is None or self._lock[0] is not loop:
            self._lock = (loop, asyncio.Lock())
        return self._lock[1]


def usable_address(address: str, *, secure: bool) -> bool:
    """Whether an address may be used: https, http on this machine, or http where the issuer itself uses http."""
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or parts.fragment or parts.username is not None or not address.isprintable() or " " in address:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and (not secure or is_loopback(host)))


def is_loopback(host: str) -> bool:
    """Whether a host name means this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _matching(keys: list[PublishedKey], header: dict[str, Any]) -> list[Key]:
    kid, algorithm = _text_or_none(header.get("kid")), header.get("alg")
    return [
        one.key
        for one in keys
        if one.algorithm in (None, algorithm)
        and fits(one.key, str(algorithm))
        and (kid is None or one.kid in (None, kid))
    ]


def _published_key(jwk: Any) -> PublishedKey | None:
    """One entry of a key set. None for an entry that is unreadable or not for signatures (a set may hold any kind of key)."""
    if not isinstance(jwk, dict) or (is_told(jwk.get("use")) and jwk["use"] != "sig"):
        return None
    if jwk.get("kty") not in ("RSA", "EC"):
        return None
    public = {name: jwk[name] for name in ("kty", "n", "e", "crv", "x", "y") if name in jwk}
    try:
        key: Key = RSAKey.import_key(public) if public["kty"] == "RSA" else ECKey.import_key(public)
        key.raw_value  # noqa: B018 - reading it finds a broken key now, not when a patient's token arrives
    except Exception:  # one broken key must not make the others unusable
        return None
    kid, algorithm = jwk.get("kid"), jwk.get("alg")
    return PublishedKey(key, _text_or_none(kid), _text_or_none(algorithm))


def _text_or_none(value: object) -> str | None:
    return value if isinstance(value, str) and is_told(value) else None
