"""Every event of the journal has a sentence for the patient, with whatever a row of any version holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from medonline.domain.security_journal import JournalEvent
from medonline.services.security_journal.reader import JournalRow
from medonline.wording.limits import MOSCOW, day_and_time
from medonline.wording.security_journal import how_long_kept, is_noteworthy, network_words, sentence_of

AT = datetime(2026, 3, 4, 21, 5, tzinfo=UTC)


def row(event: JournalEvent, **details: str | int) -> JournalRow:
    return JournalRow(1, AT, event, "", "", "", details)


@pytest.mark.parametrize("event", JournalEvent)
@pytest.mark.parametrize("details", [{}, {"method": "new", "channel": "new", "purpose": "new", "how": "new"}])
def test_every_event_has_a_russian_sentence(event: JournalEvent, details: dict[str, str]) -> None:
    said = sentence_of(row(event, **details))

    assert said.endswith(".")
    assert not any("a" <= letter.lower() <= "z" for letter in said.replace("PIN", ""))
    assert "  " not in said


@pytest.mark.parametrize(
    ("event", "details", "said"),
    [
        (JournalEvent.SIGNED_IN, {"method": "gosuslugi"}, "Вход через Госуслуги."),
        (
            JournalEvent.PASSWORD_RECOVERED,
            {"channel": "telegram", "sessions": 2},
            "Установлен новый пароль по коду в Telegram. Вход завершён на 2 других устройствах.",
        ),
        (JournalEvent.PHONE_CHANGED, {"old_tail": "01"}, "Номер для входа изменён: был номер на …01."),
        (JournalEvent.PHONE_CHANGED, {}, "Указан номер для входа."),
        (JournalEvent.CARD_ADDED, {"cards": 2}, "Добавлено: 2 медицинские карты."),
        (JournalEvent.SESSION_ENDED, {"ended": "Firefox"}, "Завершён вход на устройстве: Firefox."),
    ],
)
def test_details_are_said_in_words(event: JournalEvent, details: dict[str, str | int], said: str) -> None:
    assert sentence_of(row(event, **details)) == said


def test_what_was_refused_or_changes_who_gets_in_is_marked() -> None:
    assert is_noteworthy(row(JournalEvent.SIGN_IN_REFUSED))
    assert not is_noteworthy(row(JournalEvent.SIGNED_IN))


@pytest.mark.parametrize(
    ("days", "words"), [(1095, "3 года"), (365, "1 год"), (1825, "5 лет"), (548, "18 месяцев"), (184, "6 месяцев")]
)
def test_how_long_a_row_is_kept_is_said_in_years_or_months(days: int, words: str) -> None:
    assert how_long_kept(timedelta(days=days)) == words


def test_the_time_is_the_patients() -> None:
    assert day_and_time(AT, MOSCOW) == "5 марта 2026, 00:05"


@pytest.mark.parametrize(
    ("network", "words"),
    [
        ("203.0.113.x", "адрес в интернете начинается с 203.0.113"),
        ("2001:db8:1::", "адрес в интернете начинается с 2001:db8:1"),
        ("", ""),
    ],
)
def test_a_network_is_said_in_words(network: str, words: str) -> None:
    assert network_words(network) == words
