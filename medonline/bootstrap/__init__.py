"""Builds the portal of this process.

`whole.py` builds the whole portal, `desk.py` the part that commands use, and `inside.py` what both are built on. `shared.py` builds what
several flows share, `flows.py` the services of each flow, and `outside.py` the adapters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from medonline.bootstrap.whole import DEMO_ACCOUNTS, Outside, Portal, build_channels, build_portal, running

__all__ = ["DEMO_ACCOUNTS", "Outside", "Portal", "build_channels", "build_portal", "portal", "running"]

_portal: Portal | None = None


def __getattr__(name: str) -> Any:
    """Load the whole portal only when it is first requested, so that a command that needs only the desk does not wait for the adapters."""
    if name not in __all__:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from medonline.bootstrap import whole

    return getattr(whole, name)


def portal() -> Portal:
    """This process's portal. It is built on first use, from the environment."""
    global _portal
    if _portal is None:
        from medonline.bootstrap.whole import build_portal
        from medonline.config.settings import load_config

        _portal = build_portal(load_config())
    return _portal
