"""The text of an SMS with a code: a sentence that the installation chooses, and a last line that a browser reads (WebOTP).

The last line has the form of https://wicg.github.io/sms-one-time-codes/. Browsers and iOS fill in the code only on the host it names.
"""

from __future__ import annotations

PLACE = "{code}"
MOST_SEGMENTS = 2
# A text with Cyrillic letters is sent in UTF-16: one SMS holds 70 characters, and each part of a longer text holds 67.
_ALONE, _IN_PARTS = 70, 67


def sms_text(template: str, code: str, host: str) -> str:
    """`template` with the code filled in. `host` is the portal's name without scheme and port."""
    return f"{template.strip().replace(PLACE, code)}\n\n@{host} #{code}"


def segments(text: str) -> int:
    """How many SMS a text with Cyrillic letters is billed as."""
    units = len(text.encode("utf-16-le")) // 2
    return 1 if units <= _ALONE else -(-units // _IN_PARTS)
