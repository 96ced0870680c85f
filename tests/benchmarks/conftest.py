"""A migrated database for what reads one."""

from __future__ import annotations

from tests.services.conftest import template

__all__ = ["template"]
