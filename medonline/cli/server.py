"""Runs the web server (uvicorn) with an application, in this process."""

from __future__ import annotations

import logging
import resource
import socket
import sys
from collections.abc import Callable
from importlib.metadata import version

from medonline.config.settings import Config, ConfigurationError
from medonline.logs.setup import set_up

log = logging.getLogger(__name__)

SPARE_CONNECTIONS = 1024  # for requests besides the open sockets
SPARE_FILES = 1024  # for databases, providers and files that are being sent
FEWEST_CONNECTIONS = 64
FINISH_WITHIN = 10  # seconds for unfinished requests when the process ends


def bind(config: Config) -> socket.socket:
    """A socket bound to the portal's address. It does not listen yet, so other processes can share it.

    Raises:
        ConfigurationError: the address is taken or does not belong to this machine.
    """
    listening = socket.socket(socket.AF_INET6 if ":" in config.host else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((config.host, config.port))
    except OSError as error:
        listening.close()
        why = f"Cannot listen on {config.host}, port {config.port}: {error.strerror}."
        msg = f"{why} Choose another port: MEDONLINE_PORT, or make run PORT=8123."
        raise ConfigurationError(msg) from None
    return listening


def run_server(
    target: str, config: Config, listening: socket.socket, stopping: Callable[[], None] = lambda: None
) -> int:
    """Serve the application that the factory `target` (`module:function`) makes, until SIGTERM or SIGINT. Returns the exit code.

    listening: a bound socket. It is closed at the end.
    stopping: called at the signal. MEDONLINE_DRAIN passes before the socket is closed, so that a balancer can notice.
    """
    # Only a process that serves needs these imports.
    from medonline.web.sockets.frames import MAX_FRAME
    from medonline.web.wire.http import HEAD_WITHIN, MAX_HEAD, GuardedHttp, WireConfig
    from medonline.web.wire.server import OrderlyServer
    from medonline.web.wire.websocket import GuardedWebSocket

    set_up(config.log_level, config.log_format)
    log.debug("The server starts, and its log is at level %s", config.log_level)
    wire = WireConfig(
        target,
        _room_for_connections(config),
        factory=True,
        interface="asgi3",
        lifespan="on",
        loop="asyncio",
        workers=1,
        http=GuardedHttp,
        h11_max_incomplete_event_size=MAX_HEAD,
        timeout_keep_alive=HEAD_WITHIN,
        ws=GuardedWebSocket,
        ws_max_size=MAX_FRAME,
        ws_ping_interval=None,  # Engine.IO has its own
        ws_per_message_deflate=False,  # compression would let 60 KB expand to 60 MB
        log_config=None,  # its loggers go through the portal's filter (logs.setup)
        access_log=False,
        proxy_headers=False,  # web.edge.client_address reads these headers and counts the proxies
        server_header=False,
        timeout_graceful_shutdown=FINISH_WITHIN,
    )
    server = OrderlyServer(
        wire, f"medonline {version('medonline')} ({config.mode})", stopping, config.drain.total_seconds()
    )
    server.run(sockets=[listening])
    return 0 if server.started else 1


def _room_for_connections(config: Config) -> int:
    """Raise the limit of open files as far as possible. Returns how many connections this process may hold."""
    wanted = config.sockets_in_all + SPARE_CONNECTIONS
    files = _raise_open_files(wanted + SPARE_FILES)
    return max(FEWEST_CONNECTIONS, min(wanted, files - SPARE_FILES // 2))


def _raise_open_files(wanted: int) -> int:
    """Raise the limit of open files towards `wanted`. Returns the new limit, at most `wanted`.

    Every connection is an open file. A shell's own limit is often 1024, and a process may raise it up to the hard limit.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    allowed = wanted if hard == unlimited else min(wanted, hard)
    if soft != unlimited and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed < wanted:
        sys.stderr.write(
            f"This process may open {allowed} files, and MEDONLINE_SOCKETS_IN_ALL needs {wanted}: raise the limit (ulimit -Hn, "
            "LimitNOFILE) or lower the setting.\n"
        )
    return allowed
