"""How long a test waits for a fact before it says that the fact does not come.

No test asserts a time: on a quiet machine nothing waits this long, and on a busy one nothing fails for it.
"""

from __future__ import annotations

PATIENCE = 120.0  # seconds
