"""Sends traces to the collector that the settings choose."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from ssl import SSLContext

from medonline.config.settings import Config
from medonline.framework.traces import follow_events, follow_no_more
from medonline.providers.outgoing import Outgoing


def start_traces(config: Config) -> Callable[[], Awaitable[None]] | None:
    """Begin to send this process's traces. Returns the function that stops it, or None if no collector is set: then nothing is even
    loaded."""
    if not config.traces_url:
        return None
    from medonline.traces.export import start

    provider, stop = start(config.traces_url, _trust(config), version("medonline"), config.traces_percent)
    follow_events(provider)

    async def end() -> None:
        follow_no_more()
        await asyncio.to_thread(stop)

    return end


def trouble_with_traces(config: Config) -> str:
    """What is wrong with the collector, in a few English words. Empty if it accepts traces. Blocks for a few seconds at most."""
    from medonline.traces.export import trouble_at

    return trouble_at(config.traces_url, _trust(config))


def _trust(config: Config) -> SSLContext:
    return Outgoing(ca_file=config.ca_file_for("traces")).trust
