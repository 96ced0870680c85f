"""The text of an SMS with a code: a sentence of the installation, and a last line that a browser reads (WebOTP).

The last line has the form of https://wicg.github.io/sms-one-time-codes/: the browser and iOS fill the code in on that host alone.
"""

from __future__ import annotations

PLACE = "{code}"
MOST_SEGMENTS = 2
# Cyrillic: UTF-16, 70 signs in one SMS, 67 in each part of several.
_ALONE, _IN_PARTS = 70, 67


def sms_text(template: str, code: str, host: str) -> str:
    """`template` with the code in its place; `host` is the portal's name alone, without scheme and port."""
    return f"{template.strip().replace(PLACE, code)}\n\n@{host} #{code}"


def segments(text: str) -> int:
    """As how many SMS a text with Cyrillic letters is billed."""
    units = len(text.encode("utf-16-le")) // 2
    return 1 if units <= _ALONE else -(-units // _IN_PARTS)
