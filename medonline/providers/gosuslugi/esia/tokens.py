"""Checks the two tokens of ESIA's answer against pinned certificates.

ESIA publishes no key set. So operators pin its certificates, several at once during the yearly rotation. Tokens signed by
GOST R 34.10-2012 would need certified cryptography, which stays outside the portal. So this module reads only RS256.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from joserfc.jwk import RSAKey

from medonline.providers.gosuslugi.errors import untrustworthy
from medonline.providers.gosuslugi.tokens import (
    MIN_RSA_BITS,
    authenticated_at,
    check_at_hash,
    check_audience,
    check_issuer,
    check_times,
    subject_of,
    token_header,
    verified_claims,
)
from medonline.providers.values import is_told

ALGORITHMS = ("RS256",)
_SUBJECT = "urn:esia:sbj"
_OID = f"{_SUBJECT}:oid"
_CONFIRMED = f"{_SUBJECT}:is_tru"  # present only when it is true


@dataclass(frozen=True, slots=True)
class EsiaSubject:
    """Who signed in: the oid as a text, whether the id_token calls the account confirmed, and when ESIA last asked the person to prove
    who they are (UTC). None: the token does not say."""

    oid: str
    confirmed: bool | None
    authenticated_at: datetime | None = None


def pinned_key(pem: bytes) -> RSAKey:
    """The RSA key of a PEM certificate or public key.

    An expired certificate is accepted, because the operator has pinned it.

    Raises:
        ValueError: the text is neither of the two, or the key is of another kind or under 2048 bits.
    """
    try:
        if b"BEGIN CERTIFICATE" in pem:
            key: object = x509.load_pem_x509_certificate(pem).public_key()
        else:
            key = load_pem_public_key(pem)
    except UnsupportedAlgorithm:  # GOST, as in the certificate of a Russian organisation
        raise ValueError("it holds a key of a kind that ESIA does not sign tokens with") from None
    if not isinstance(key, RSAPublicKey) or key.key_size < MIN_RSA_BITS:
        raise ValueError(f"a pinned key of ESIA is no RSA key of at least {MIN_RSA_BITS} bits")
    return RSAKey.import_key(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def subject_of_tokens(
    id_token: object,
    access_token: object,
    keys: Sequence[RSAKey],
    *,
    issuer: str,
    client_id: str,
    now: datetime,
    fresh_since: datetime | None = None,
) -> EsiaSubject:
    """Check both tokens, and that they are about the same person. `fresh_since`: the person's proof must not be older than this.

    Raises:
        IdentityRefused: UNTRUSTWORTHY, NOT_ASKED.
    """
    identity = _claims(id_token, "the id_token", keys, issuer, now)
    check_audience(identity, "the id_token", client_id)
    oid = subject_of(identity, "the id_token")
    proved_at = authenticated_at(identity, "the id_token", now, fresh_since=fresh_since, needed=fresh_since is not None)
    check_at_hash(identity, str(access_token))
    person = identity.get(_SUBJECT)
    person = person if isinstance(person, dict) else {}
    if is_told(person.get(_OID)) and subject_of(person, "the id_token", _OID) != oid:
        raise untrustworthy("the id_token names two persons")

    access = _claims(access_token, "the access_token", keys, issuer, now)
    if subject_of(access, "the access_token", f"{_SUBJECT}_id") != oid:
        raise untrustworthy("the access_token is another person's")
    if is_told(access.get("client_id")) and access["client_id"] != client_id:
        raise untrustworthy("the access_token is another client's")
    return EsiaSubject(oid, (person.get(_CONFIRMED) is True) if person else None, proved_at)


def _claims(token: object, which: str, keys: Sequence[RSAKey], issuer: str, now: datetime) -> dict[str, Any]:
    if str(token_header(token, which).get("alg", "")).upper().startswith("GOST"):
        raise untrustworthy(
            f"{which} is signed by GOST R 34.10-2012, which the portal cannot check: have ESIA sign this client's "
            "tokens by RS256, or connect through a gateway (MEDONLINE_IDENTITY_PROVIDER=oidc)"
        )
    claims = verified_claims(str(token), which, keys, ALGORITHMS)
    check_issuer(claims, which, issuer)
    check_times(claims, which, now, issued_at=which == "the id_token")
    return claims
