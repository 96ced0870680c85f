"""Argon2id in threads behind a bounded queue."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from nacl import pwhash

from medonline.domain.errors import Busy
from medonline.services.passwords import hashing
from medonline.services.passwords.hashing import RETRY_IN, PasswordHasher
from tests.argon2 import argon2_of_the_product
from tests.patience import PATIENCE


@pytest.fixture(autouse=True)
def _as_in_the_product() -> Iterator[None]:
    with argon2_of_the_product():
        yield


@pytest.fixture
def hasher() -> Iterator[PasswordHasher]:
    hasher = PasswordHasher(cores=1, queue=2, max_wait=timedelta(seconds=30))
    yield hasher
    hasher.close()


@pytest.fixture
def gate(hasher: PasswordHasher, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Hashing waits until the gate is opened; the hasher, which hashes once when it is made, is made before."""
    gate = threading.Event()

    def slow(password: str) -> str:
        gate.wait(30)
        return f"hash of {password}"

    monkeypatch.setattr(hashing, "_hash", slow)
    yield gate
    gate.set()


async def test_a_hash_verifies_its_password_and_no_other(hasher: PasswordHasher) -> None:
    encoded = await hasher.hash("Zdorovie2026")

    assert await hasher.verify(encoded, "Zdorovie2026")
    assert not await hasher.verify(encoded, "Zdorovie2027")
    assert not await hasher.verify(encoded, "")


async def test_the_parameters_are_the_recommended_ones(hasher: PasswordHasher) -> None:
    encoded = await hasher.hash("Zdorovie2026")

    assert encoded.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert not hasher.is_outdated(encoded)
    assert hasher.is_outdated(encoded.replace("t=2", "t=3"))


async def test_equal_passwords_have_different_hashes(hasher: PasswordHasher) -> None:
    assert await hasher.hash("Zdorovie2026") != await hasher.hash("Zdorovie2026")


async def test_nobodys_password_costs_one_verification_of_the_same_kind_and_is_never_right(
    hasher: PasswordHasher, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified: list[bytes] = []
    real = pwhash.verify

    def verify(encoded: bytes, typed: bytes) -> bool:
        verified.append(encoded)
        return real(encoded, typed) or True

    encoded = await hasher.hash("Zdorovie2026")
    monkeypatch.setattr(hashing.pwhash, "verify", verify)
    assert await hasher.verify(encoded, "Zdorovie2026")
    assert not await hasher.verify(None, "Zdorovie2026")

    known, nobody = verified[0], verified[-1]
    assert len(verified) == 2
    assert known.split(b"$")[:4] == nobody.split(b"$")[:4]


async def test_a_full_queue_is_busy_and_the_queued_are_served(hasher: PasswordHasher, gate: threading.Event) -> None:
    working = [asyncio.create_task(hasher.hash(f"{number}")) for number in range(3)]  # one at work, two waiting
    while hasher._in_hand < 3:
        await asyncio.sleep(0)

    with pytest.raises(Busy) as refusal:
        await hasher.hash("one too many")
    assert refusal.value.retry_in == RETRY_IN
    gate.set()
    assert await asyncio.gather(*working) == ["hash of 0", "hash of 1", "hash of 2"]
    assert await hasher.hash("later") == "hash of later"


async def test_who_waits_too_long_is_told_that_it_is_busy(gate: threading.Event) -> None:
    gate.set()
    hasher = PasswordHasher(cores=1, max_wait=timedelta(milliseconds=20))
    gate.clear()
    first = asyncio.create_task(hasher.hash("first"))
    await asyncio.sleep(0)

    with pytest.raises(Busy):
        await hasher.hash("second")
    gate.set()
    assert await first == "hash of first"
    hasher.close()


async def test_the_event_loop_turns_while_a_password_is_hashed(hasher: PasswordHasher, gate: threading.Event) -> None:
    task = asyncio.create_task(hasher.hash("x"))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not task.done()
    gate.set()

    assert await task == "hash of x"


async def test_a_busy_event_loop_holds_up_no_hash(hasher: PasswordHasher, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []

    def noted(password: str) -> str:
        hashed.append(password)
        return password

    monkeypatch.setattr(hashing, "_hash", noted)
    working = [asyncio.create_task(hasher.hash(f"{number}")) for number in range(3)]
    await asyncio.sleep(0)
    ends_at = time.monotonic() + PATIENCE
    while len(hashed) < 3 and time.monotonic() < ends_at:
        time.sleep(0.001)  # noqa: ASYNC251 the loop must not turn

    assert hashed == ["0", "1", "2"]
    assert await asyncio.gather(*working) == hashed


async def test_a_cancelled_wait_gives_its_place_back(hasher: PasswordHasher, gate: threading.Event) -> None:
    first = asyncio.create_task(hasher.hash("first"))
    waiting = [asyncio.create_task(hasher.hash("waiting")) for _ in range(2)]
    while hasher._in_hand < 3:
        await asyncio.sleep(0)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    gate.set()

    assert await first == "hash of first"
    assert await hasher.hash("next") == "hash of next"
