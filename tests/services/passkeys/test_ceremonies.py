"""What an answer must prove: the site, the key, the account, and a look at who holds the device."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from medonline.bootstrap import Portal
from medonline.domain.errors import (
    PasskeyLate,
    PasskeyNotVerified,
    PasskeyUnknown,
)
from medonline.domain.passkeys import PasskeyPurpose
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
    ],
    ids=[
        "nobody looked",
        "foreign site",
        "foreign port",
        "foreign host",
        "foreign key",
        "foreign account",
        "no account",
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
