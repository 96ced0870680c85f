"""The stand-ins alone, as `medonline sandbox` serves them."""

from __future__ import annotations

from dataclasses import replace

from starlette.applications import Starlette

from medonline.config.settings import load_config
from medonline.demo.stand_ins import sandbox_settings
from medonline.logs.setup import set_up
from medonline.sandbox.app import create_sandbox


def app() -> Starlette:
    """Made in the server's process."""
    config = load_config()
    set_up(config.log_level, config.log_format)
    # The portal whose stand-ins these are runs on another port of this machine.
    return create_sandbox(replace(sandbox_settings(config), callback_urls=None))
