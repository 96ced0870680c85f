"""The portal of this process, and what builds it.

`whole.py` is the whole portal, `desk.py` what commands use of it, `inside.py` what both stand on; `shared.py` builds what several flows
share, `flows.py` the services of each flow, `outside.py` the adapters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from medonline.bootstrap.whole import DEMO_ACCOUNTS, Outside, Portal, build_channels, build_portal, running

__all__ = ["DEMO_ACCOUNTS", "Outside", "Portal", "build_channels", "build_portal", "portal", "running"]

_portal: Portal | None = None


def __getattr__(name: str) -> Any:
    """The whole portal is loaded when it is first asked for: a command that uses the desk alone waits for no adapter."""
    if name not in __all__:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from medonline.bootstrap import whole

    return getattr(whole, name)


def portal() -> Portal:
    """This process's portal, built on first use from the environment."""
    global _portal
    if _portal is None:
        from medonline.bootstrap.whole import build_portal
        from medonline.config.settings import load_config

        _portal = build_portal(load_config())
    return _portal
