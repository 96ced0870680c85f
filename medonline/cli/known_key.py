"""Whether the secret key is the one that the database was used with."""

from __future__ import annotations

from medonline.cli.failures import Refused
from medonline.config.settings import Config
from medonline.services.crypto.field_encryption import key_id
from medonline.storage.engine import Database
from medonline.storage.queries import security_journal


async def fault_of_key(config: Config, database: Database) -> str:
    """An English sentence if the newest row of the journal was made with a key that is not configured; otherwise empty."""
    of_row = await database.read(security_journal.last_key_id)
    if not of_row or of_row in {key_id(key) for key in (config.key, *config.other_keys)}:
        return ""
    where = "the file demo.key in MEDONLINE_DATA_DIR" if config.demo else "MEDONLINE_SECRET_KEY"
    return (
        f"The rows of this database were made with the key {of_row}, which is not configured: nothing that was sealed opens, and one "
        f"row more would break the journal for good. Put that key back ({where}, or MEDONLINE_OLD_SECRET_KEYS), or use another "
        "database. `medonline keys list` counts the rows."
    )


async def require_known_key(config: Config) -> None:
    """Call this before anything writes.

    Raises:
        Refused: the database was used with another key.
    """
    database = Database(config.database)
    try:
        fault = await fault_of_key(config, database)
    finally:
        await database.close()
    if fault:
        raise Refused(fault)
