"""The text that the hash of a row is made of: kept rows depend on each letter of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from medonline.domain.security_journal import JournalEvent, JournalLine, details_text

LINE = JournalLine(
    seq=7,
    at=datetime(2026, 3, 1, 12, 30, tzinfo=timezone(timedelta(hours=3))),
    event=JournalEvent.CODE_ASKED,
    patient_id="p-1",
    phone_index="k1:abc",
    phone_tail="01",
    network="203.0.113.x",
    details=details_text({"device": "Хром", "channel": "telegram", "tries": 0}),
    previous="0" * 8,
    key_id="k1",
)


def test_the_text_of_a_row_never_changes() -> None:
    assert LINE.text() == (
        '[7, "2026-03-01T09:30:00.000000+00:00", "code_asked", "p-1", "k1:abc", "01", "203.0.113.x", '
        '"{\\"channel\\": \\"telegram\\", \\"device\\": \\"Хром\\"}", "00000000", "k1"]'
    )


@pytest.mark.parametrize("name", list(LINE.values()))
def test_each_field_is_part_of_the_text(name: str) -> None:
    value = LINE.values()[name]
    other = {int: lambda: value + 1, datetime: lambda: value + timedelta(microseconds=1)}.get(
        type(value), lambda: f"{value}."
    )

    assert replace(LINE, **{name: other()}).text() != LINE.text()
