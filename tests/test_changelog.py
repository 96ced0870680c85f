"""CHANGELOG.md has one version per delivery, the newest first. The newest is the package's own version."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VERSIONS = re.findall(
    r"^## (\d+\.\d+\.\d+) \(\d{4}-\d\d-\d\d\): \S", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M
)


def test_versions_go_down_to_the_first() -> None:
    numbers = [tuple(map(int, version.split("."))) for version in VERSIONS]

    assert numbers == sorted(set(numbers), reverse=True)
    assert numbers[-1] == (0, 1, 0)


def test_the_package_has_the_newest_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert project["version"] == VERSIONS[0]
