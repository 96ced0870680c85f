"""`/metrics`: the numbers for Prometheus. The reader must know the token."""

from __future__ import annotations

import asyncio
import hmac
import logging

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from medonline.bootstrap import portal
from medonline.metrics.families import CONTENT_TYPE, Readings, exposition
from medonline.metrics.names import DATABASE_UP

log = logging.getLogger(__name__)

READ_WITHIN_S = 2.0  # Prometheus gives up after ten seconds, and must learn before that that the database is down


async def metrics(request: Request) -> Response:
    """All numbers; 404 without the token, as if the route did not exist."""
    token = portal().config.metrics_token.get_secret_value()
    sent = request.headers.get("authorization", "")
    if not token or not hmac.compare_digest(sent.encode(), f"Bearer {token}".encode()):
        return PlainTextResponse("not found\n", 404)
    text = await asyncio.to_thread(exposition, await _readings())
    return Response(text, headers={"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"})


async def _readings() -> Readings:
    """The numbers from the database. If it does not answer in time, they say so, and the process's own counters are still reported."""
    try:
        async with asyncio.timeout(READ_WITHIN_S):
            return await portal().figures.read()
    except Exception as error:
        log.warning("The record's numbers are not known: %s", type(error).__name__)
        return {DATABASE_UP: {(): 0.0}}
