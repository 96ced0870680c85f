"""Every setting is explained where an operator looks for it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from medonline.config.settings import Config

DOCS = Path(__file__).resolve().parent.parent / "docs"
TEXT = (DOCS / "operations.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`([A-Z][A-Z0-9_]+)`", TEXT))


@pytest.mark.parametrize("name", sorted(Config.model_fields))
def test_a_setting_stands_in_the_operations_guide(name: str) -> None:
    assert name.upper() in NAMED


def test_links_between_documents_lead_somewhere() -> None:
    root = DOCS.parent
    dead = [
        f"{path.name}: {target}"
        for path in [*root.glob("*.md"), *DOCS.rglob("*.md")]
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", path.read_text(encoding="utf-8"))
        if not (path.parent / target).exists()
    ]

    assert dead == []
