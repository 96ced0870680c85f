"""After a new key, everything that an older key sealed is sealed again, so that the older key can be removed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from sqlalchemy import update
from sqlmodel import Session, SQLModel, col, select

from medonline.services.crypto.field_encryption import SealBroken, Sealer, key_id_of
from medonline.storage.engine import Database, reads, writes
from medonline.storage.tables.account_settings import AccountChange
from medonline.storage.tables.gosuslugi import PendingIdentity
from medonline.storage.tables.login import AccountSession, LoginTicket
from medonline.storage.tables.patient_cards import CardAccess, PatientCard
from medonline.storage.tables.patients import Patient

# the table, its key, the sealed column, and the use for which it is sealed
_Sealed: TypeAlias = tuple[type[SQLModel], str, str, str]
_SEALED: tuple[_Sealed, ...] = (
    (Patient, "id", "snils_sealed", "snils"),
    (Patient, "id", "oms_policy_sealed", "oms_policy"),
    (LoginTicket, "ticket_hash", "provider_token_sealed", "identity_person"),
    (AccountSession, "token_hash", "provider_token_sealed", "identity_person"),
    (PendingIdentity, "id", "sealed_person", "identity_person"),
    (AccountChange, "id", "sealed", "account_change"),
    (PatientCard, "id", "policy_sealed", "oms_policy"),
    (CardAccess, "id", "policy_sealed", "oms_policy"),
)
# The HMAC that finds a sealed value is made with the same key.
_INDEXES = {"snils_sealed": "snils_index", "policy_sealed": "policy_index"}
SEALED_USES = tuple(dict.fromkeys(use for *_, use in _SEALED))
BATCH = 500


@dataclass(slots=True)
class Resealed:
    """How many texts were sealed again, and how many no key can open, by table and column."""

    done: Counter[str] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class KeyRotation:
    """The use case; `sealers` by use."""

    database: Database
    sealers: Mapping[str, Sealer]

    @reads
    def keys_in_use(self, session: Session) -> Counter[str]:
        """How many texts each key id sealed. An empty id stands for the format that names none."""
        found: Counter[str] = Counter()
        for table, _, column, _ in _SEALED:
            sealed = getattr(table, column)
            found.update(key_id_of(text) for text in session.exec(select(sealed).where(sealed != "")))
        return found

    async def reseal(self) -> Resealed:
        """Seal everything with the current key, in short transactions while the portal serves. It can be repeated."""
        result = Resealed()
        for one in _SEALED:
            keys = await self._reseal_batch(result, one, "")
            while len(keys) == BATCH:
                keys = await self._reseal_batch(result, one, keys[-1])
        return result

    @writes
    def _reseal_batch(self, session: Session, result: Resealed, sealed: _Sealed, after: str) -> Sequence[str]:
        """Seal one batch again. Returns the keys of the rows that were checked: at most `BATCH`, after `after`."""
        table, key, column, use = sealed
        sealer, name = self.sealers[use], f"{table.__tablename__}.{column}"
        row_key, text_column = col(getattr(table, key)), col(getattr(table, column))
        statement = (
            select(row_key, text_column).where(row_key > after, text_column != "").order_by(row_key).limit(BATCH)
        )
        rows = session.exec(statement).all()
        for one, text in rows:
            if sealer.is_current(text):
                continue
            try:
                self._seal_again(session, table, (key, one), (column, text), sealer)
                result.done[name] += 1
            except SealBroken:
                result.broken[name] += 1
        return [one for one, _ in rows]

    def _seal_again(
        self, session: Session, table: type[SQLModel], row: tuple[str, str], old: tuple[str, str], sealer: Sealer
    ) -> None:
        column, sealed = old
        text = sealer.open(sealed)
        values = {column: sealer.seal(text)}
        if column in _INDEXES:
            values[_INDEXES[column]] = sealer.index(text)
        # If the portal has changed it meanwhile, it is sealed with the current key already.
        where = (col(getattr(table, row[0])) == row[1], col(getattr(table, column)) == sealed)
        session.exec(update(table).where(*where).values(**values))
