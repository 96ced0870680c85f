"""Where the code finds the files that it needs: around the package in a checkout, inside it in a wheel.

setup.py runs this module alone, before anything is installed, so it may import only the standard library.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

IN_WHEEL = Path(__file__).resolve().parent / "packaged"  # setup.py fills it; a checkout has none
FROM_WHEEL = IN_WHEEL.is_dir()
ROOT = IN_WHEEL if FROM_WHEEL else Path(__file__).resolve().parent.parent

BUILT = Path(".web", "build", "client")  # below the root: Reflex builds the pages here and looks for them here
BACKEND = Path(
    ".web", "backend"
)  # Reflex's notes for its server from the build; without them, it writes them at the start
STAMP = Path(".web", "medonline.stamp")
_SOURCES = ("assets", "browser", "medonline", "rxconfig.py", "reflex.lock", "requirements.lock")
_NOT_SOURCES = {"__pycache__", "external", "node_modules"}


def fingerprint(root: Path) -> str:
    """SHA-256 over every file from which the pages are built."""
    digest = hashlib.sha256()
    for name in _SOURCES:
        path = root / name
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.is_file() and _NOT_SOURCES.isdisjoint(file.relative_to(root).parts):
                digest.update(f"{file.relative_to(root)}\0".encode() + file.read_bytes())
    return digest.hexdigest()


def is_fresh(root: Path) -> bool:
    """Whether a checkout's pages were built from its current sources."""
    stamp = root / STAMP
    return stamp.exists() and (root / BUILT / "index.html").exists() and stamp.read_text() == fingerprint(root)
