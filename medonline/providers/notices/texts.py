"""The rules for a text to a phone, for all vendors."""

from __future__ import annotations

MAX_TEXT = 300


def checked(text: str) -> str:
    """Return the text if it may be sent.

    Raises:
        ValueError: it is empty or too long.
    """
    if not 0 < len(text) <= MAX_TEXT:
        msg = f"a notice has 1 to {MAX_TEXT} characters"
        raise ValueError(msg)
    return text
