"""Whether an error says that the database is in trouble: locked, full, read-only, overloaded or gone; or that this process must not
write to it.

Such an error is over when the database is well again, or the process has its keys, and the transaction that met it was rolled
back: a patient may simply try once more. Anything else may be a fault of the portal.
"""

from __future__ import annotations

from medonline.storage.engine import TROUBLES


class JournalKeyUnknown(Exception):
    """The newest row of the security journal was made with a key that this process does not have, or that came after its own: a
    row more of its own would break the journal for good, so nothing that writes one is done. The text is an English sentence."""


def is_outage(error: BaseException) -> bool:
    """Whether `error` comes from the state of the database, and not from what it was asked."""
    return isinstance(error, (*TROUBLES, JournalKeyUnknown))
