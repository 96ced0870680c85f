"""Where traces go, as the settings choose it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from importlib.metadata import version

from medonline.config.settings import Config
from medonline.framework.traces import follow_events, follow_no_more
from medonline.providers.outgoing import Outgoing


def start_traces(config: Config) -> Callable[[], Awaitable[None]] | None:
    """Begin to send this process's traces, and give what ends it; None where no collector is set: nothing is even loaded."""
    if not config.traces_url:
        return None
    from medonline.traces.export import start

    trust = Outgoing(ca_file=config.ca_file_for("traces")).trust
    provider, stop = start(config.traces_url, trust, version("medonline"), config.traces_percent)
    follow_events(provider)

    async def end() -> None:
        follow_no_more()
        await asyncio.to_thread(stop)

    return end
