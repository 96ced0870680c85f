"""A link as a QR code, for a patient who has the page on another screen and the phone at hand."""

from __future__ import annotations

from functools import lru_cache

import segno


@lru_cache(maxsize=256)
def qr_of(link: str) -> str:
    """The `data:` address of the drawing. It is dark on light in every colour scheme, because cameras need that. Empty without a link."""
    if not link:
        return ""
    return segno.make_qr(link, error="m").svg_data_uri(scale=5, border=4, dark="#000", light="#fff")
