"""After a new key: everything sealed with an older one is sealed anew, so that the older one can be forgotten."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import update
from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from medonline.services.crypto.field_encryption import SealBroken, Sealer, key_id_of
from medonline.storage.engine import Database
from medonline.storage.tables.account_settings import AccountChange
from medonline.storage.tables.gosuslugi import PendingIdentity
from medonline.storage.tables.login import AccountSession, LoginTicket
from medonline.storage.tables.patient_cards import CardAccess, PatientCard
from medonline.storage.tables.patients import Patient

# table, its key, the sealed column, the use it is sealed for
_SEALED: tuple[tuple[type[SQLModel], str, str, str], ...] = (
    (Patient, "id", "snils_sealed", "snils"),
    (Patient, "id", "oms_policy_sealed", "oms_policy"),
    (LoginTicket, "ticket_hash", "provider_token_sealed", "identity_person"),
    (AccountSession, "token_hash", "provider_token_sealed", "identity_person"),
    (PendingIdentity, "id", "sealed_person", "identity_person"),
    (AccountChange, "id", "sealed", "account_change"),
    (PatientCard, "id", "policy_sealed", "oms_policy"),
    (CardAccess, "id", "policy_sealed", "oms_policy"),
)
# The HMAC by which a sealed value is found again is made with the same key.
_INDEXES = {"snils_sealed": "snils_index", "policy_sealed": "policy_index"}
SEALED_USES = tuple(dict.fromkeys(use for *_, use in _SEALED))
BATCH = 500


@dataclass(slots=True)
class Resealed:
    """How many texts were sealed anew, and how many no key opens, by table and column."""

    done: Counter[str] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class KeyRotation:
    """The use case; `sealers` by use."""

    database: Database
    sealers: Mapping[str, Sealer]

    async def keys_in_use(self) -> Counter[str]:
        """How many sealed texts each key id holds; under an empty id those of the format that names none."""
        found: Counter[str] = Counter()
        async with self.database.reading() as session:
            for table, _, column, _ in _SEALED:
                sealed = getattr(table, column)
                found.update(key_id_of(text) for text in await session.exec(select(sealed).where(sealed != "")))
        return found

    async def reseal(self) -> Resealed:
        """Seal everything with the current key, in short transactions beside a portal that serves; can be repeated."""
        result = Resealed()
        for table, key, column, use in _SEALED:
            await self._reseal(result, table, key, column, self.sealers[use])
        return result

    async def _reseal(self, result: Resealed, table: type[SQLModel], key: str, column: str, sealer: Sealer) -> None:
        name, last = f"{table.__tablename__}.{column}", ""
        while True:
            async with self.database.writing() as session:
                row_key, sealed = col(getattr(table, key)), col(getattr(table, column))
                statement = select(row_key, sealed).where(row_key > last, sealed != "").order_by(row_key).limit(BATCH)
                rows = (await session.exec(statement)).all()
                for one, text in rows:
                    if sealer.is_current(text):
                        continue
                    try:
                        await self._put(session, table, (key, one), (column, text), sealer)
                        result.done[name] += 1
                    except SealBroken:
                        result.broken[name] += 1
            if len(rows) < BATCH:
                return
            last = rows[-1][0]

    async def _put(
        self, session: AsyncSession, table: type[SQLModel], row: tuple[str, str], old: tuple[str, str], sealer: Sealer
    ) -> None:
        column, sealed = old
        text = sealer.open(sealed)
        values = {column: sealer.seal(text)}
        if column in _INDEXES:
            values[_INDEXES[column]] = sealer.index(text)
        # Unless the portal changed it meanwhile: then it is sealed with the current key already.
        where = (col(getattr(table, row[0])) == row[1], col(getattr(table, column)) == sealed)
        await session.exec(update(table).where(*where).values(**values))
