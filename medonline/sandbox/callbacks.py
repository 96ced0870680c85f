"""Signed delivery reports to a callback URL, repeated until the answer is 200.

They are background tasks of the running loop and do not survive the process. For a report that was lost with the process there is
`checkVerificationStatus`. Unlike the vendor, the sandbox accepts a plain http URL, because it is local.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import time
from collections.abc import Mapping

import httpx

_log = logging.getLogger(__name__)
_RETRIES = 10
_ANSWER_WITHIN = 5.0  # seconds


def signature(token: str, timestamp: str, body: bytes) -> str:
    """Lower-case hex HMAC-SHA256 over timestamp, line feed and body, keyed with SHA-256 of the token."""
    key = hashlib.sha256(token.encode()).digest()
    return hmac.new(key, timestamp.encode() + b"\n" + body, hashlib.sha256).hexdigest()


class Callbacks:
    """The pending reports. They start lazily, because a mounted application gets no lifespan events.

    `pace` is the pause in seconds before the first retry. Each further pause is longer by the same amount.
    """

    def __init__(self, token: str, pace: float) -> None:
        self._token = token
        self._pace = pace
        self._tasks: set[asyncio.Task[None]] = set()

    def post_later(self, url: str, report: Mapping[str, object], delay: float) -> None:
        """Post a report after `delay` seconds."""
        task = asyncio.create_task(self._deliver(url, json.dumps(report).encode(), delay))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Cancel all pending reports."""
        tasks = [task for task in self._tasks if task.get_loop() is asyncio.get_running_loop()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _deliver(self, url: str, body: bytes, delay: float) -> None:
        await asyncio.sleep(delay)
        async with httpx.AsyncClient(trust_env=False, timeout=_ANSWER_WITHIN) as client:
            for attempt in range(_RETRIES + 1):
                await asyncio.sleep(self._pace * attempt)
                if await self._post(client, url, body):
                    return
        _log.warning("a report was not taken after %d retries", _RETRIES)

    async def _post(self, client: httpx.AsyncClient, url: str, body: bytes) -> bool:
        timestamp = str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            "X-Request-Timestamp": timestamp,
            "X-Request-Signature": signature(self._token, timestamp, body),
        }
        try:
            answer = await client.post(url, content=body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL, OSError):
            return False
        return answer.status_code == 200
