"""A code is found in a text where it leaks, and only there."""

from __future__ import annotations

import pytest

from tests.in_clear import holds_code


@pytest.mark.parametrize(
    "text",
    [
        "code=5290",
        "2026-11-29T21:53:08.352908Z ERROR the code 5290, and no other",
        '{"code":"5290"}',
        "5290",
        "INSERT INTO one_time_code VALUES (5290)",
    ],
)
def test_a_leak_is_found(text: str) -> None:
    assert holds_code(text, "5290")


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-29T21:53:08.352908Z ERROR a database is away",
        "5290-11-29T21:53:08.352908Z INFO the year",
        "OperationalError at storage/engine.py:5290",
        "request=705f5290",
        "0.5290",
        "+79005290001",
        "",
    ],
)
def test_another_number_is_no_leak(text: str) -> None:
    assert not holds_code(text, "5290")
