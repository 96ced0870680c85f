"""What the demo's mailboxes received."""

from __future__ import annotations

import re


def code_in(mail: dict[str, str]) -> str:
    found = re.search(r"Код: ([0-9]{6})", mail["text"])
    assert found is not None, mail
    return found[1]
