"""What only the demo mode has: the stand-ins of the outside services under /sandbox.

Only this package and the command line import the sandbox, and only in demo mode: a portal in production loads no module of it
(tests/test_import_contracts.py).
"""

from __future__ import annotations

from starlette.routing import BaseRoute

from medonline.bootstrap import portal


def demo_routes() -> list[BaseRoute]:
    """The routes of the stand-ins. Empty in production."""
    if not portal().config.demo:
        return []
    from medonline.demo.stand_ins import sandbox_mount

    return sandbox_mount()
