"""How long a test waits for a fact before it reports that the fact does not come.

No test asserts a time. On a quiet machine nothing waits this long, and on a busy machine nothing fails because of it.
"""

from __future__ import annotations

PATIENCE = 120.0  # seconds
