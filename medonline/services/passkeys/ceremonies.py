"""The two ceremonies of Web Authentication: what a device is asked, and what its answer proves. A library verifies the answers.

By the library's own defaults an answer is valid even if the device did not verify its user. Here user verification is required in both
ceremonies. Attestation is not asked for: the make of a device says nothing of its owner.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import (
    base64url_to_bytes,
    bytes_to_base64url,
    decode_credential_public_key,
    decoded_public_key_to_cryptography,
    parse_authentication_credential_json,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticationCredential,
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    RegistrationCredential,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from medonline.domain.errors import PasskeyNotVerified
from medonline.domain.passkeys import RelyingParty
from medonline.storage.tables.passkeys import Passkey

CHALLENGE_LIFE = timedelta(minutes=5)
_LIFE_MS = int(CHALLENGE_LIFE.total_seconds() * 1000)
MOST_CREDENTIAL_ID = 1023  # bytes (level 3, 5.1.3)
# The library raises these for an answer that is none: malformed texts and numbers also end in plain Python errors.
_UNUSABLE = (WebAuthnException, ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError)


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that a device has made, after its verification."""

    credential_id: str
    public_key: str
    sign_count: int
    transports: str
    aaguid: str
    device_type: str
    backed_up: bool


@dataclass(frozen=True, slots=True)
class Assertion:
    """An answer to a sign-in, read but not verified."""

    credential: AuthenticationCredential
    challenge: bytes
    credential_id: str
    handle: str


@dataclass(frozen=True, slots=True)
class Signed:
    """What a verified answer says of the device."""

    sign_count: int
    backed_up: bool


def creation_options(
    party: RelyingParty, handle: str, account: str, full_name: str, have: Sequence[Passkey]
) -> tuple[dict[str, Any], bytes]:
    """What a browser needs to make a key, as JSON, and the challenge in it. The device shows `account` and `full_name`."""
    options = generate_registration_options(
        rp_id=party.host,
        rp_name=party.name,
        user_name=account,
        user_id=base64url_to_bytes(handle),
        user_display_name=full_name,
        timeout=_LIFE_MS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            require_resident_key=True,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[
            PublicKeyCredentialDescriptor(base64url_to_bytes(row.credential_id), transports=_transports(row))
            for row in have
        ],
    )
    return json.loads(options_to_json(options)), options.challenge


def request_options(party: RelyingParty) -> tuple[dict[str, Any], bytes]:
    """What a browser needs to sign in with any key that it has for the portal, as JSON, and the challenge in it."""
    options = generate_authentication_options(
        rp_id=party.host, timeout=_LIFE_MS, user_verification=UserVerificationRequirement.REQUIRED
    )
    return json.loads(options_to_json(options)), options.challenge


def read_registration(answer: Mapping[str, Any]) -> tuple[RegistrationCredential, bytes]:
    """Read a new key that a browser sent, and the challenge that it claims to answer.

    Raises:
        PasskeyNotVerified: it is malformed, or was asked for inside a page of another site.
    """
    try:
        credential = parse_registration_credential_json(dict(answer))
        return credential, _challenge(credential.response.client_data_json)
    except _UNUSABLE:
        raise PasskeyNotVerified from None


def read_assertion(answer: Mapping[str, Any]) -> Assertion:
    """Read an answer to a sign-in.

    Raises:
        PasskeyNotVerified: it is malformed, or was asked for inside a page of another site.
    """
    try:
        credential = parse_authentication_credential_json(dict(answer))
        challenge = _challenge(credential.response.client_data_json)
        handle = bytes_to_base64url(credential.response.user_handle or b"")
        return Assertion(credential, challenge, bytes_to_base64url(credential.raw_id), handle)
    except _UNUSABLE:
        raise PasskeyNotVerified from None


async def verify_registration(party: RelyingParty, credential: RegistrationCredential, challenge: bytes) -> NewKey:
    """Verify the key that a device made.

    Raises:
        PasskeyNotVerified: it is of another site or for another challenge, or the device did not verify its user.
    """
    try:
        made = await asyncio.to_thread(
            verify_registration_response,
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=party.host,
            expected_origin=party.origin,
            require_user_verification=True,
        )
        # The library reads the key but does not try it. Without this, a key that fits no signature would fail only at the first sign-in.
        decoded_public_key_to_cryptography(decode_credential_public_key(made.credential_public_key))
    except _UNUSABLE:
        raise PasskeyNotVerified from None
    if not 0 < len(made.credential_id) <= MOST_CREDENTIAL_ID:
        raise PasskeyNotVerified
    transports = [one.value for one in credential.response.transports or ()]
    return NewKey(
        credential_id=bytes_to_base64url(made.credential_id),
        public_key=bytes_to_base64url(made.credential_public_key),
        sign_count=made.sign_count,
        transports=",".join(dict.fromkeys(transports)),
        aaguid=made.aaguid,
        device_type=made.credential_device_type.value,
        backed_up=made.credential_backed_up,
    )


async def verify_assertion(party: RelyingParty, assertion: Assertion, key: Passkey) -> Signed:
    """Verify what the device signed with this key.

    Raises:
        PasskeyNotVerified: it is of another site or account, wrongly signed, or the device did not verify its user.
    """
    if not assertion.handle or assertion.handle != key.handle:
        raise PasskeyNotVerified
    try:
        verified = await asyncio.to_thread(
            verify_authentication_response,
            credential=assertion.credential,
            expected_challenge=assertion.challenge,
            expected_rp_id=party.host,
            expected_origin=party.origin,
            credential_public_key=base64url_to_bytes(key.public_key),
            # With 0 the library does not check the counter. Otherwise it would refuse a counter that goes back, and lock the owner out. The
            # caller compares it.
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except _UNUSABLE:
        raise PasskeyNotVerified from None
    return Signed(verified.new_sign_count, verified.credential_backed_up)


def _challenge(client_data: bytes) -> bytes:
    said = parse_client_data_json(client_data)
    if said.cross_origin:  # required by level 3, 7.1 and 7.2; the library does not check it
        raise PasskeyNotVerified
    return said.challenge


def _transports(row: Passkey) -> list[AuthenticatorTransport]:
    return [AuthenticatorTransport(one) for one in row.transports.split(",") if one]
