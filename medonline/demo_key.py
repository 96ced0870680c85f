"""The secret key of the demo: random, of this installation, never a constant in the code."""

from __future__ import annotations

import secrets
from pathlib import Path


def demo_key(data_dir: Path) -> str:
    """The demo's own random key, made once and kept, so that a restart finds its codes again."""
    path = data_dir / "demo.key"
    if not path.exists():
        try:
            data_dir.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(secrets.token_hex(32), encoding="ascii")
        except OSError as error:
            msg = f"MEDONLINE_DATA_DIR: cannot write to {data_dir}: {error.strerror}."
            raise ValueError(msg) from None
    return path.read_text(encoding="ascii").strip()
