"""Commands that serve, and the build that must come first."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

import click

from medonline import frontend
from medonline.bootstrap import portal
from medonline.cli.greeting import greet
from medonline.cli.known_key import require_known_key
from medonline.cli.options import mode, overriding
from medonline.cli.portal import require_current, warn_of_open_files
from medonline.cli.running import write_down
from medonline.cli.server import bind, run_server
from medonline.cli.workers import Workers, require_shared
from medonline.config.settings import ConfigurationError, load_config
from medonline.framework.serving import PREBUILT
from medonline.logs.setup import set_up
from medonline.storage import migrations

MOST_WORKERS = 64
_PORT = overriding("port", int, "PORT")
_HOST = overriding("host", str, "ADDRESS")


@click.command()
@click.option(
    "--workers",
    type=click.IntRange(1, MOST_WORKERS),
    default=1,
    show_default=True,
    metavar="COUNT",
    help="How many processes serve; more than 1 need PostgreSQL and Redis.",
)
@click.option("--no-migrate", is_flag=True, help="Start only with a database that is at this version already.")
@_PORT
@_HOST
@mode
def serve(workers: int, no_migrate: bool) -> int:
    """Serve the portal until stopped. First builds the pages if they changed, and brings the database to this version."""
    config = load_config()
    if config.demo and config.sandbox_url:
        msg = "MEDONLINE_SANDBOX_URL: the demo brings its own stand-ins. Take it out, or set MEDONLINE_MODE=staging."
        raise ConfigurationError(msg)
    if workers > 1:
        require_shared(config)
    listening = bind(config)
    warn_of_open_files(config)
    if not frontend.is_fresh():
        click.echo("Building the pages (about 20 s, only when they changed) …")
        frontend.build()
    asyncio.run(require_current(config) if no_migrate else migrations.upgrade(config.database))
    asyncio.run(require_known_key(config))
    for doubt in config.doubts:
        click.echo(f"WARNING: {doubt}", err=True)
    write_down(config)
    os.environ.update(PREBUILT)
    # The server reads the settings again in another folder, where a relative path would point elsewhere.
    os.environ["MEDONLINE_DATA_DIR"] = str(config.data_dir.resolve())
    os.chdir(frontend.ROOT)
    greet(config)

    def serve_here() -> int:
        return run_server("medonline.asgi:app", config, listening, lambda: portal().stopping.set())

    if workers == 1:
        return _until_interrupted(serve_here)
    set_up(config.log_level, config.log_format)
    return _until_interrupted(Workers(workers, serve_here, listening, "medonline.asgi").run)


@click.command()
@_PORT
@_HOST
@mode
def sandbox() -> int:
    """Serve only the stand-ins: Telegram Gateway, uCaller, SMS.ru, Gosuslugi, a registry of cards, a phone.

    Use it for a staging portal on another host: there MEDONLINE_SANDBOX_URL is the https address of the stand-ins and MEDONLINE_PUBLIC_URL
    that of the portal.
    """
    os.environ.setdefault("MEDONLINE_MODE", "demo")
    config = load_config()
    if not config.demo:
        msg = "The sandbox runs in demo mode only: set MEDONLINE_MODE=demo."
        raise ConfigurationError(msg)
    listening = bind(config)
    warn_of_open_files(config)
    address = config.sandbox_url or f"http://{config.host}:{config.port}"
    click.echo(f"Stand-ins: {address}/  phone: {address}/phone")
    return _until_interrupted(lambda: run_server("medonline.demo.stand_ins_alone:app", config, listening))


@click.command()
@mode
def build() -> None:
    """Build the pages if they are out of date."""
    if not frontend.is_fresh():
        frontend.build()
    click.echo("The pages are built.")


def _until_interrupted(run: Callable[[], int]) -> int:
    """Run until Ctrl-C, which is the normal way to stop a server by hand and no failure."""
    try:
        return run()
    except KeyboardInterrupt:
        return 0
