"""The consent to the processing of personal data (Федеральный закон от 27.07.2006 № 152-ФЗ, статья 9): which text is in force.

The text is in `wording/personal_data_consent.py`. A change of the text is a change of `VERSION`: what a patient agreed to is kept
as version, hash and time.
"""

from __future__ import annotations

import hashlib

VERSION = "2026-11"


def text_hash(paragraphs: tuple[str, ...]) -> str:
    """SHA-256 of the text that was shown, 64 hex characters."""
    return hashlib.sha256("\n".join(paragraphs).encode()).hexdigest()
