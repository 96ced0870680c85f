"""Decides whether an error means that the database is in trouble, or that this process must not write to it.

Trouble means that the database is locked, full, read-only, overloaded or gone. Such an error passes when the database recovers or the
process gets its keys, and the transaction was rolled back. So a patient may simply try again. Any other error may be the portal's fault.
"""

from __future__ import annotations

from medonline.storage.engine import TROUBLES


class JournalKeyUnknown(Exception):
    """The newest row of the journal has a key that this process does not have, or one that came after this process's own.

    One more row of its own would break the journal for good. So nothing that writes to the journal is done. The text is an English
    sentence.
    """


def is_outage(error: BaseException) -> bool:
    """Whether `error` comes from the state of the database and not from the statement."""
    return isinstance(error, (*TROUBLES, JournalKeyUnknown))
