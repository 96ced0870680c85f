"""A link as a QR code, for a screen that stands beside the phone."""

from __future__ import annotations

from functools import lru_cache

import segno


@lru_cache(maxsize=256)
def qr_of(link: str) -> str:
    """A `data:` address of the drawing: dark on light in every colour scheme, for cameras know no other; empty for no link."""
    if not link:
        return ""
    return segno.make_qr(link, error="m").svg_data_uri(scale=5, border=4, dark="#000", light="#fff")
