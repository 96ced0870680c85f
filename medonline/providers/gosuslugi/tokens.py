"""JSON Web Tokens of an identity provider. The portal trusts nothing in a token before every check here has passed.

Rules: OpenID Connect Core 3.1.3.7, RFC 8725 (an allow-list of algorithms; keys only from the portal's own sources, never from the
token's header). No text of a refusal holds a piece of a token.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from medonline.domain.errors import IdentityProblem, IdentityRefused
from medonline.providers.gosuslugi.errors import untrustworthy
from medonline.providers.http import parse_json
from medonline.providers.values import is_told

LEEWAY = 60  # seconds by which two clocks may differ
MAX_SUBJECT = 255  # characters, OpenID Connect Core 2
MIN_RSA_BITS = 2048
_END_OF_TIME = 1e11  # seconds; a larger integer may not even fit into a float
Key = RSAKey | ECKey


class _Registry(jws.JWSRegistry):
    # The default of 512 refuses tokens with a certificate in the header. The portal does not read the certificate, but allows it.
    max_header_length = 8192
    max_payload_length = 32768

    def check_header(self, header: dict[str, Any]) -> None:
        """Check the members that the signature depends on. The others are not read, and may be null or of any type."""
        super().check_header({name: header[name] for name in ("alg", "crit", "b64") if header.get(name) is not None})


def base64url(raw: bytes) -> str:
    """Base64url without padding, the form of every part of a token."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def token_header(token: object, which: str) -> dict[str, Any]:
    """The header, not verified. Use it only to choose a key and to tell an operator which algorithm came.

    Raises:
        IdentityRefused: UNTRUSTWORTHY. This is no token, or it has critical extensions.
    """
    if not isinstance(token, str) or token.count(".") != 2:
        raise untrustworthy(f"{which} is no signed token")
    try:
        first = token.split(".", 1)[0]
        header = parse_json(base64.b64decode(first + "=" * (-len(first) % 4), b"-_", validate=True))
    except (ValueError, binascii.Error):
        raise untrustworthy(f"{which} has no readable header") from None
    if not isinstance(header, dict) or header.get("crit") is not None or "b64" in header:
        raise untrustworthy(f"{which} has a header that is not understood")
    return header


def verified_claims(token: str, which: str, keys: Iterable[Key], algorithms: Sequence[str]) -> dict[str, Any]:
    """The claims of a token, if one of the keys made its signature by one of the algorithms.

    Raises:
        IdentityRefused: UNTRUSTWORTHY.
    """
    algorithm = token_header(token, which).get("alg")
    if not isinstance(algorithm, str) or algorithm not in algorithms:
        raise untrustworthy(f"{which} is signed by an algorithm that is not allowed")
    registry = _Registry(algorithms=list(algorithms), strict_check_header=False)
    for key in keys:
        if not fits(key, algorithm):
            continue
        try:
            payload = jws.deserialize_compact(token.encode("ascii"), key, registry=registry).payload
            claims = parse_json(payload or b"")
        except Exception:  # noqa: S112 - any error that a hostile token causes in the library is a refusal
            continue
        if isinstance(claims, dict):
            return claims
    raise untrustworthy(f"{which} has a wrong signature, or its key is not known")


def fits(key: Key, algorithm: str) -> bool:
    """Whether the key has the kind and the strength that the algorithm needs."""
    if isinstance(key, RSAKey):
        return algorithm in ("RS256", "PS256") and key.raw_value.key_size >= MIN_RSA_BITS
    return algorithm == "ES256" and key.curve_name == "P-256"


def check_issuer(claims: dict[str, Any], which: str, issuer: str) -> None:
    """Refuse a token of any other issuer.

    Raises:
        IdentityRefused: UNTRUSTWORTHY.
    """
    if claims.get("iss") != issuer:
        raise untrustworthy(f"{which} has another issuer than the one configured")


def check_audience(claims: dict[str, Any], which: str, client_id: str) -> None:
    """Refuse a token for another client. This includes a token for several clients that another client asked for.

    Raises:
        IdentityRefused: UNTRUSTWORTHY.
    """
    audience, party = claims.get("aud"), claims.get("azp")
    audiences = audience if isinstance(audience, list) else [audience]
    if client_id not in audiences:
        raise untrustworthy(f"{which} is for another client")
    if (len(audiences) > 1 or is_told(party)) and party != client_id:
        raise untrustworthy(f"{which} was asked for by another client")


def check_times(claims: dict[str, Any], which: str, now: datetime, *, issued_at: bool = True) -> None:
    """Refuse a token that has expired or is not yet valid, with a tolerance of `LEEWAY` seconds both ways.

    Args:
        issued_at: whether `iat` is required. It is checked whenever it is present.

    Raises:
        IdentityRefused: UNTRUSTWORTHY.
    """
    moment = now.timestamp()
    if _moment(claims, "exp", which, needed=True) + LEEWAY <= moment:
        raise untrustworthy(f"{which} has expired")
    begins = _moment(claims, "nbf", which, needed=False)
    issued = _moment(claims, "iat", which, needed=issued_at)
    if max(begins, issued) - LEEWAY > moment:
        raise untrustworthy(f"{which} is not valid yet: compare the clocks")


def authenticated_at(
    claims: dict[str, Any], which: str, now: datetime, *, fresh_since: datetime | None = None, needed: bool = False
) -> datetime | None:
    """When the provider last asked the person who they are (`auth_time`, UTC); None when it does not tell.

    Args:
        fresh_since: the portal asked for the proof at this time, and the proof must not be older.
        needed: whether `auth_time` is required.

    Raises:
        IdentityRefused: UNTRUSTWORTHY (missing, unreadable, in the future) or NOT_ASKED (older than `fresh_since`).
    """
    if not is_told(claims.get("auth_time")) and not needed:
        return None
    told = _moment(claims, "auth_time", which, needed=True)
    if told - LEEWAY > now.timestamp():
        raise untrustworthy(f"{which} tells of a proof that is still to come: compare the clocks")
    if fresh_since is not None and told + LEEWAY < fresh_since.timestamp():
        raise IdentityRefused(IdentityProblem.NOT_ASKED, f"{which} tells of a proof before the one asked for")
    return datetime.fromtimestamp(told, UTC)


def _moment(claims: dict[str, Any], name: str, which: str, *, needed: bool) -> float:
    found = claims.get(name)
    if not is_told(found) and not needed:
        return 0.0
    # Python's JSON accepts NaN, which is neither before nor after any time. This condition refuses it, too.
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 <= found < _END_OF_TIME:
        raise untrustworthy(f"{which} has no readable {name}")
    return float(found)


def subject_of(claims: dict[str, Any], which: str, name: str = "sub") -> str:
    """The subject as a text. An integer, which ESIA may send, becomes its digits.

    Raises:
        IdentityRefused: UNTRUSTWORTHY. It is missing, empty, over 255 characters, or of another type.
    """
    found = claims.get(name)
    if isinstance(found, int) and not isinstance(found, bool) and 0 < found < 10**40:
        return str(found)
    if not isinstance(found, str) or not 0 < len(found) <= MAX_SUBJECT or not found.isprintable():
        raise untrustworthy(f"{which} has no usable {name}")
    return found


def check_at_hash(claims: dict[str, Any], access_token: str) -> None:
    """Refuse an id_token that was made for another access token. An id_token without `at_hash` passes.

    All allowed algorithms use SHA-256, so the left half of the hash has 16 bytes.

    Raises:
        IdentityRefused: UNTRUSTWORTHY.
    """
    if not is_told(claims.get("at_hash")):
        return
    # JSON may contain half a surrogate pair. It must not raise an error here.
    expected = base64url(hashlib.sha256(access_token.encode("utf-8", "surrogatepass")).digest()[:16])
    if claims["at_hash"] != expected:
        raise untrustworthy("the id_token was made for another access token")
