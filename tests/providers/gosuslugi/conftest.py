"""A machine that stands still for a moment is no provider that does not answer."""

from __future__ import annotations

import pytest

from medonline.providers import http
from tests.patience import PATIENCE


@pytest.fixture(autouse=True)
def _patient_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client may be given more than the five seconds that the product allows; one that must not wait says how long."""
    monkeypatch.setattr(http, "MAX_TIMEOUT", PATIENCE)
