"""The stand-ins alone, as `medonline sandbox` serves them."""

from __future__ import annotations

from dataclasses import replace

from starlette.applications import Starlette

from medonline.config.settings import load_config
from medonline.demo.stand_ins import sandbox_settings
from medonline.logs.setup import set_up
from medonline.sandbox.app import create_sandbox


def app() -> Starlette:
    """The application, made in the server's process."""
    config = load_config()
    set_up(config.log_level, config.log_format)
    settings = sandbox_settings(config, config.sandbox_url or config.inner_url)
    # For a staging portal elsewhere, they report to its public address. Otherwise their portal is on another port of this machine.
    return create_sandbox(settings if config.sandbox_url else replace(settings, callback_urls=None))
