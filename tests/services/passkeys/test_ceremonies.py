"""What an answer must prove: the site, the key, the account, and a look at who holds the device."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, encode_cbor, parse_cbor

from medonline.bootstrap import Portal
from medonline.domain.errors import (
    PasskeyLate,
    PasskeyNotVerified,
    PasskeyUnknown,
)
from medonline.domain.passkeys import PasskeyPurpose, RelyingParty
from medonline.services.passkeys.ceremonies import creation_options, read_registration, verify_registration
from tests.services.passkeys.device import Device, add, log_in
from tests.services.passkeys.owners import nobody_is_on_the_way, rows, signed_in
from tests.services.world import (
    ANNA,
    MovableClock,
    opened,
)

SIGN_IN, RECOVERY = PasskeyPurpose.SIGN_IN, PasskeyPurpose.RECOVERY


@pytest.mark.parametrize(
    "spoil",
    [
        lambda device: setattr(device, "looks", False),
        lambda device: setattr(device, "origin", "https://localhost.example"),
        lambda device: setattr(device, "origin", "http://localhost:8001"),
        lambda device: setattr(device, "host", "localhost.example"),
        lambda device: setattr(device, "key", Device().key),
        lambda device: setattr(device, "handle", Device().handle or "AAAA"),
        lambda device: setattr(device, "handle", ""),
        lambda device: setattr(device, "framed", True),
    ],
    ids=[
        "nobody looked",
        "foreign site",
        "foreign port",
        "foreign host",
        "foreign key",
        "foreign account",
        "no account",
        "in a foreign page",
    ],
)
async def test_what_is_not_proved_opens_nothing(portal: Portal, owned: Device, spoil: Callable[[Device], None]) -> None:
    spoil(owned)

    with pytest.raises(PasskeyNotVerified):
        await log_in(portal, ANNA, owned)
    assert [row.last_used_at for row in await rows(portal)] == [None]
    await nobody_is_on_the_way(portal)


@pytest.fixture
async def tried(folder: Path, clock: MovableClock) -> AsyncIterator[Portal]:
    async with opened(folder, clock, passkeys_per_visitor="100000 per 10 min") as portal:
        yield portal


async def test_malformed_answers_are_refused_as_such(tried: Portal) -> None:
    device = Device()
    await add(tried, await signed_in(tried), device)
    dice = random.Random(7)
    for _ in range(300):
        answer = _spoiled(dice, device.sign(await tried.passkeys.login.begin(ANNA, SIGN_IN)))
        with pytest.raises((PasskeyNotVerified, PasskeyLate, PasskeyUnknown)):
            await tried.passkeys.login.log_in(ANNA, SIGN_IN, answer)


def _spoiled(dice: random.Random, answer: dict[str, Any]) -> dict[str, Any]:
    odd: list[Any] = [None, 7, -1, 1e300, True, "", "\x00", "ы" * 50, [], {}, ["a"], "A" * 20_000, "{}", "%%%"]
    part = dice.choice(["rawId", "type", "response", "clientDataJSON", "authenticatorData", "signature", "bits"])
    if part in ("rawId", "type", "response"):
        return {**answer, part: dice.choice([one for one in odd if part != "rawId" or one != answer["rawId"]])}
    response = dict(answer["response"])
    if part == "bits":
        part = dice.choice(["clientDataJSON", "authenticatorData", "signature"])
        raw = bytearray(base64url_to_bytes(response[part]))
        raw[dice.randrange(len(raw))] ^= 1 << dice.randrange(8)
        response[part] = bytes_to_base64url(bytes(raw[: dice.choice([len(raw), len(raw) // 2, len(raw)])]))
    else:
        response[part] = dice.choice(odd)
    return {**answer, "response": response}


MALFORMED_KEYS = [
    {1: 2, 3: -7, -1: 1, -2: b"\x01" * 32, -3: b"\x01" * 32},  # no point of the curve
    {1: 2, 3: -7, -1: 9, -2: b"\x01" * 32, -3: b"\x01" * 32},  # no curve that is known
    {1: 3, 3: -257, -1: b"", -2: b""},
    {1: 3, 3: -257, -1: 3, -2: None},
    {1: 1, 3: -8, -1: 6, -2: b"\x01"},
    {1: 2, 3: -47, -1: 8, -2: b"\x01" * 32, -3: b"\x01" * 32},  # an algorithm that was not asked for
    {1: 2, 3: -7, -1: 1, -2: b"\x01" * 32, -3: b"\x01" * 32, "x": [[[[]]]] * 50},
    {},
]


@pytest.mark.parametrize("cose", MALFORMED_KEYS)
async def test_a_key_that_no_signature_can_fit_is_not_kept(portal: Portal, cose: dict[Any, Any]) -> None:
    inside, device = await signed_in(portal), Device()
    answer = _with(device.make(await portal.passkeys.own.begin(inside)), cose=cose)

    with pytest.raises(PasskeyNotVerified):
        await portal.passkeys.own.add(inside, answer, "")
    assert await rows(portal) == []


async def test_malformed_new_keys_are_refused_as_such() -> None:
    party = RelyingParty("localhost", "http://localhost:8000", "Портал", "Кабинет", "Устройство")
    options, challenge = creation_options(party, bytes_to_base64url(bytes(32)), "Кабинет", "Анна", [])
    dice = random.Random(11)
    for _ in range(400):
        answer = _malformed(dice, Device().make(options))
        with pytest.raises(PasskeyNotVerified):
            await verify_registration(party, read_registration(answer)[0], challenge)


FORMATS: list[Any] = ["packed", "tpm", "android-key", "android-safetynet", "fido-u2f", "apple", "odd", "", 7, None]
ODD: list[Any] = [
    None,
    -1,
    2**70,
    1e300,
    True,
    "",
    "\x00",
    "ы" * 50,
    b"\x30\x03\x02\x01\x01",
    [],
    {},
    ["a"],
    [b"x"],
    "A" * 2000,
]
RAW = [
    b"",
    b"\x81" * 5000,
    b"\xbf" * 2000,
    b"\x5b" + b"\xff" * 8,  # so many bytes follow
    b"\x9b\x00\x00\x00" + b"\xff" * 5,
    b"\xbb\x00\x00\x00\x00\x0f\xff\xff\xff",
    b"\xc4\x82\x1a\x7f\xff\xff\xff\x01",  # 1 with two thousand million zeros
    b"\xd8\x1c\x81\xd8\x1d\x00",  # a list that holds itself
    b"\xd8\x23\x61(",  # a broken pattern
]


def _malformed(dice: random.Random, answer: dict[str, Any]) -> dict[str, Any]:
    if dice.random() < 0.3:
        raw = dice.choice(RAW)
        return _with(answer, raw=raw) if dice.random() < 0.5 else _with(answer, cose=raw)
    stated = {name: dice.choice(ODD) for name in ("sig", "x5c", "alg", "ver", "certInfo", "pubArea", "response")}
    return _with(answer, fmt=dice.choice(FORMATS), stated=stated if dice.random() < 0.9 else dice.choice(ODD))


def _with(
    answer: dict[str, Any],
    *,
    cose: object = None,
    fmt: object = "none",
    stated: object = None,
    raw: bytes | None = None,
) -> dict[str, Any]:
    """The new key as another attestation, with another public key, or as other bytes altogether."""
    made: bytes = parse_cbor(base64url_to_bytes(answer["response"]["attestationObject"]))["authData"]
    if cose is not None:
        key_begins = 55 + int.from_bytes(made[53:55], "big")
        made = made[:key_begins] + (cose if isinstance(cose, bytes) else encode_cbor(cose))
    attested = encode_cbor({"fmt": fmt, "attStmt": stated or {}, "authData": made}) if raw is None else raw
    return {**answer, "response": {**answer["response"], "attestationObject": bytes_to_base64url(attested)}}
