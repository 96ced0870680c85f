"""The consent to the processing of personal data (Федеральный закон от 27.07.2006 № 152-ФЗ, статья 9): which text is in force.

The text is in `wording/personal_data_consent.py`. Whoever changes the text must change `VERSION`: a patient's consent is kept as
version, hash and time.
"""

from __future__ import annotations

import hashlib

VERSION = "2026-11"


def text_hash(paragraphs: tuple[str, ...]) -> str:
    """SHA-256 of the text that was shown, 64 hex characters."""
    return hashlib.sha256("\n".join(paragraphs).encode()).hexdigest()
