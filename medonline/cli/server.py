"""The web server (granian) around an application, with an end for what a client begins and does not finish."""

from __future__ import annotations

import resource
import sys

from medonline.config.settings import Config

HEAD_WITHIN_MS = 10_000  # for a request's head, and for the next request of a connection that is kept
SPARE_CONNECTIONS = 1024  # for requests beside the open sockets


def run_server(target: str, config: Config) -> None:
    """Serve what the factory `target` (`module:function`) makes, until stopped."""
    from granian import Granian
    from granian.constants import HTTPModes, Interfaces
    from granian.http import HTTP1Settings
    from granian.log import LogLevels

    server = Granian(
        target,
        address=config.host,
        port=config.port,
        interface=Interfaces.ASGI,
        factory=True,
        workers=1,
        log_level=LogLevels.warning,
        websockets=True,
        # HTTP/1.1 alone. With HTTP/2 beside it the server waits for the first bytes of a connection without an end, and lets an
        # idle one of HTTP/2 be: a thousand of either would be all that it takes. The proxy speaks HTTP/2 with browsers.
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEAD_WITHIN_MS),
        # Each tab holds a connection as long as it is open: with the default of 1024 the thousandth would be the last.
        backpressure=config.sockets_in_all + SPARE_CONNECTIONS,
    )
    _raise_open_files(config.sockets_in_all + 2 * SPARE_CONNECTIONS)
    server.serve()


def _raise_open_files(wanted: int) -> None:
    """Every connection is an open file; the shell's own limit is often 1024, and a process may raise it up to the hard one."""
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
