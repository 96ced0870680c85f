"""SMS that a stand-in accepted. Their state changes with time, and depends on the number's last four digits (`magic`)."""

from __future__ import annotations

import secrets
import time
from enum import StrEnum

from medonline.sandbox import magic
from medonline.sandbox.store import Store

_TABLE = "CREATE TABLE IF NOT EXISTS sms (id INTEGER NOT NULL UNIQUE, phone TEXT NOT NULL, taken_at REAL NOT NULL)"
_LARGEST = 10**8


class SmsState(StrEnum):
    """The operator's report about an SMS."""

    ON_ITS_WAY = "on its way"
    DELIVERED = "delivered"
    EXPIRED = "expired"
    NO_ROUTE = "no route"
    STOP_LIST = "stop list"


_ENDS = {
    magic.SMS_NO_ROUTE: SmsState.NO_ROUTE,
    magic.SMS_STOP_LIST: SmsState.STOP_LIST,
    magic.SMS_EXPIRES: SmsState.EXPIRED,
}


class SmsBox:
    """The SMS of all stand-ins. Methods block for as long as a small SQLite transaction takes."""

    def __init__(self, store: Store, pace: float) -> None:
        self._store, self._pace = store, pace
        with store.transaction() as sql:
            sql.execute(_TABLE)

    def take(self, phone: str, sender: str, text: str) -> int:
        """Accept an SMS, and deliver it to the phone unless its number prevents that. Returns its number in this table."""
        number = secrets.randbelow(_LARGEST - 1) + 1
        with self._store.transaction() as sql:
            sql.execute("INSERT OR REPLACE INTO sms VALUES (?, ?, ?)", (number, phone, time.time()))
            if magic.reachable(phone) and phone[-4:] not in _ENDS:
                self._store.insert_event(sql, phone, "sms", sender, text)
            self._store.keep_newest(sql, "sms")
        return number

    def state(self, number: int) -> SmsState | None:
        """The state of an SMS. None for one that was never accepted."""
        with self._store.transaction() as sql:
            row = sql.execute("SELECT phone, taken_at FROM sms WHERE id = ?", (number,)).fetchone()
        if row is None:
            return None
        if time.time() - row["taken_at"] < self._pace or not magic.reachable(row["phone"]):
            return SmsState.ON_ITS_WAY
        return _ENDS.get(row["phone"][-4:], SmsState.DELIVERED)
