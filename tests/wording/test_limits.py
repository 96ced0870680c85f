"""How long a patient waits, and what works before: nothing that is not so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from medonline.wording.limits import next_code

NOW = datetime(2026, 3, 2, 11, 30, tzinfo=UTC)
MOSCOW = ZoneInfo("Europe/Moscow")


@dataclass(frozen=True)
class Waiting:
    resend_at: datetime = NOW + timedelta(minutes=2)
    code_alive: bool = False
    fallback_now: bool = False
    phone: str = "+7 900 ***-**-01"


def test_a_phone_that_waits_is_told_until_when() -> None:
    assert next_code(Waiting(), NOW, MOSCOW) == "Новый код на номер +7 900 ***-**-01 можно запросить в 14:32."
    assert next_code(Waiting(resend_at=NOW), NOW, MOSCOW) == ""
    far = next_code(Waiting(resend_at=NOW + timedelta(days=1)), NOW, MOSCOW)
    assert far.endswith("можно запросить в 14:30 3 марта.")


def test_what_works_before_is_said_only_where_it_works() -> None:
    both = next_code(Waiting(code_alive=True, fallback_now=True), NOW, MOSCOW)

    assert "ещё действует" in both
    assert "Другим способом код можно получить уже сейчас" in both
