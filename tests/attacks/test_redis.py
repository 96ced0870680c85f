"""Redis gone, and flushed, while patients are served: no one is locked out, and what must be exact stays exact."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from medonline.bootstrap import Portal
from medonline.domain.errors import CodeMismatch, CodeUsedUp, InvalidCredentials, RateLimited, TooManySignIns
from medonline.domain.password_recovery import RecoveryStep
from medonline.services.crypto.tokens import token_hash
from tests.patience import PATIENCE
from tests.providers.limits.redis_server import PASSWORD as REDIS_PASSWORD
from tests.providers.limits.redis_server import RedisServer, redis
from tests.services.world import ANNA, BORIS, CALL, KNOWN, MovableClock, at, last_code, opened, prove, sign_in, wrong

__all__ = ["redis"]
IP = "203.0.113.9"
NEW = "KorablLipa47"


@pytest.fixture
async def counted(redis: RedisServer, folder: Path, clock: MovableClock) -> AsyncIterator[Portal]:
    async with opened(folder, clock, limits_storage=redis.address) as portal:
        yield portal


def flush(redis: RedisServer) -> None:
    with socket.create_connection(("127.0.0.1", redis.port), timeout=PATIENCE) as connection:
        connection.sendall(f"AUTH {REDIS_PASSWORD}\r\nFLUSHALL\r\nQUIT\r\n".encode())
        answers = b""
        while part := connection.recv(1024):
            answers += part
    assert answers == b"+OK\r\n" * 3


async def misses(portal: Portal, count: int, ip: str = IP) -> list[str]:
    outcomes = []
    for _ in range(count):
        try:
            await portal.login.log_in(at(ANNA, ip), KNOWN, "Wrong12345")
        except (InvalidCredentials, TooManySignIns) as refusal:
            outcomes.append(type(refusal).__name__)
    return outcomes


async def test_without_redis_patients_recover_and_sign_in_and_are_limited_all_the_same(
    redis: RedisServer, counted: Portal, caplog: pytest.LogCaptureFixture
) -> None:
    await counted.recovery.begin(at(ANNA, IP), KNOWN, CALL)
    key = token_hash(await sign_in(counted, BORIS))
    redis.stop()

    assert await counted.login.who(key) is not None
    code = await last_code(counted)
    for by in range(1, 3):
        with pytest.raises(CodeMismatch):
            await counted.recovery.confirm_code(ANNA, wrong(code, by))
    assert (await counted.recovery.confirm_code(ANNA, code)).step is RecoveryStep.NEW_PASSWORD
    assert (await counted.recovery.set_password(ANNA, NEW)).step is RecoveryStep.DONE
    assert await counted.login.who(key) is None
    assert await sign_in(counted, ANNA, KNOWN, NEW)
    with pytest.raises(RateLimited):
        await counted.recovery.begin(at(BORIS, IP), KNOWN, CALL)
    assert await misses(counted, 7) == ["InvalidCredentials"] * 5 + ["TooManySignIns"] * 2
    assert REDIS_PASSWORD not in caplog.text
    assert KNOWN not in caplog.text


async def test_a_flushed_redis_forgets_the_limits_of_networks_and_nothing_else(
    redis: RedisServer, counted: Portal, clock: MovableClock
) -> None:
    assert await misses(counted, 6) == ["InvalidCredentials"] * 5 + ["TooManySignIns"]
    await counted.recovery.begin(at(ANNA, IP), KNOWN, CALL)
    code = await last_code(counted)
    for by in range(1, 4):
        with pytest.raises(CodeMismatch):
            await counted.recovery.confirm_code(ANNA, wrong(code, by))
    key = token_hash(await sign_in(counted, BORIS))
    flush(redis)

    assert await misses(counted, 6) == ["InvalidCredentials"] * 5 + ["TooManySignIns"]
    with pytest.raises(CodeUsedUp):
        await counted.recovery.confirm_code(ANNA, code)
    with pytest.raises(RateLimited):  # codes to a phone are counted in the database
        await counted.recovery.begin(at(BORIS, IP), KNOWN, CALL)
    assert await counted.login.who(key) is not None


async def test_redis_that_comes_back_empty_is_counted_in_again(
    redis: RedisServer, counted: Portal, clock: MovableClock
) -> None:
    await prove(counted, ANNA)
    redis.stop()
    assert await misses(counted, 1) == ["InvalidCredentials"]
    redis.start()
    store = counted.outside.limits
    store._again_at = 0.0  # type: ignore[attr-defined]  # instead of waiting until it is tried again
    assert await misses(counted, 6) == ["InvalidCredentials"] * 5 + ["TooManySignIns"]

    assert await store.check() == "Redis answers"
    assert (await counted.recovery.set_password(ANNA, NEW)).step is RecoveryStep.DONE
    assert await counted.login.log_in(at(ANNA, "198.51.100.7"), KNOWN, NEW)
