"""Whether an error says that the database is in trouble: locked, full, read-only, overloaded or gone.

Such an error is over when the database is well again, and the transaction that met it was rolled back: a patient may simply
try once more. Anything else may be a fault of the portal.
"""

from __future__ import annotations

from medonline.storage.engine import TROUBLES


def is_outage(error: BaseException) -> bool:
    """Whether `error` comes from the state of the database, and not from what it was asked."""
    return isinstance(error, TROUBLES)
