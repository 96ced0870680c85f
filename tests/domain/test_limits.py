"""Moving windows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from medonline.domain.limits import Limit, open_from

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def test_a_window_that_is_not_full_is_open() -> None:
    assert open_from([NOW, NOW], [Limit(3, HOUR)]) is None


def test_a_full_window_opens_when_the_oldest_that_fills_it_is_over() -> None:
    times = [NOW - timedelta(minutes=minutes) for minutes in (5, 20, 50, 200)]

    assert open_from(times, [Limit(3, HOUR)]) == NOW + timedelta(minutes=10)


def test_of_several_full_windows_the_last_to_open_decides() -> None:
    assert open_from([NOW] * 3, [Limit(3, HOUR), Limit(2, DAY)]) == NOW + DAY


@given(
    st.lists(st.integers(min_value=0, max_value=600), max_size=40),
    st.integers(min_value=1, max_value=5),
    st.integers(min_value=1, max_value=60),
)
def test_whoever_keeps_to_it_never_has_more_than_the_count_in_any_window(
    waits: list[int], count: int, minutes: int
) -> None:
    limit, now, taken = Limit(count, timedelta(minutes=minutes)), NOW, []
    for wait in waits:
        now += timedelta(seconds=wait)
        until = open_from(taken, [limit])
        if until is None or now >= until:
            taken.insert(0, now)

    for end in taken:
        assert sum(end - limit.per < time <= end for time in taken) <= count
