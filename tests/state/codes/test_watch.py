"""A watch goes on while there is something to follow and it is the tab's own and latest; then it ends by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from medonline.services.codes.watch import CodeWatch
from medonline.state.account_settings import SettingsState
from medonline.state.codes import watch as module
from medonline.state.codes.watch import FollowsCode, follow
from medonline.state.gosuslugi.link_account import LinkAccountState
from medonline.state.password_recovery.state import RecoveryState
from medonline.storage.changes import Changes
from medonline.web.sockets.server import UNKNOWN_VISITOR, Visitor

ANNA = Visitor(visitor_key="a" * 64, address="192.0.2.1")


NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)


@dataclass(frozen=True)
class Look:
    """What a look found; the clock changes it at once, so that the next look follows without a pause."""

    number: int
    topic: str = "codes to nobody"

    def next_change(self, now: datetime) -> datetime:
        return now


class Tab:
    """What a background handler gets as `self`: changed only while it is held."""

    def __init__(self) -> None:
        self._watching = 0
        self.rx_router_session = SimpleNamespace(session_id="socket-1")
        self.visitor = ANNA
        self.held = False
        self.shown: list[int] = []
        self.goes_on = True
        self.shows_code = True

    async def __aenter__(self) -> None:
        assert not self.held
        self.held = True

    async def __aexit__(self, *_error: object) -> None:
        self.held = False

    def show(self, view: Look) -> bool:
        assert self.held
        self.shown.append(view.number)
        return self.goes_on


class Record:
    """Answers each look with the next number, and with nothing after the last."""

    def __init__(self, tab: Tab, answers: int) -> None:
        self.tab, self.answers = tab, answers
        self.asked: list[Visitor] = []

    async def look(self, visitor: Visitor) -> Look | None:
        assert not self.tab.held  # a slow database must not hold up the tab's other events
        self.asked.append(visitor)
        return Look(len(self.asked)) if len(self.asked) <= self.answers else None


@pytest.fixture(autouse=True)
def changes(monkeypatch: pytest.MonkeyPatch) -> Changes:
    changes = Changes()
    codes = SimpleNamespace(watch=lambda: CodeWatch(changes))
    served = SimpleNamespace(recovery=SimpleNamespace(codes=codes), clock=lambda: NOW)
    monkeypatch.setattr(module, "portal", lambda: served)
    monkeypatch.setattr(module, "visitor_of", lambda tab: tab.visitor)
    return changes


def followed(tab: Tab, record: Record) -> AsyncIterator[None]:
    return follow(tab, lambda: tab.shows_code, record.look, tab.show)  # type: ignore[arg-type]


async def test_a_screen_without_a_code_asks_nothing() -> None:
    tab = Tab()
    tab.shows_code = False
    record = Record(tab, answers=3)

    assert [shown async for shown in followed(tab, record)] == []
    assert record.asked == []


async def test_each_look_is_shown_until_there_is_nothing_to_follow() -> None:
    tab = Tab()
    record = Record(tab, answers=3)
    sent = [list(tab.shown) async for _ in followed(tab, record)]

    assert sent == [[1], [1, 2], [1, 2, 3]]
    assert record.asked == [ANNA] * 4


async def test_what_changed_while_a_handler_held_the_state_is_looked_at_again(changes: Changes) -> None:
    class Held(Tab):
        """Before the second look is shown, a handler that had the state answers, and changes the record."""

        async def __aenter__(self) -> None:
            if len(record.asked) == 2 and not self.answered:
                self.answered = True
                changes.tell([Look.topic])
            await super().__aenter__()

        answered = False

    tab = Held()
    record = Record(tab, answers=3)
    sent = [list(tab.shown) async for _ in followed(tab, record)]

    assert sent == [[1], [1, 3]]


async def test_what_a_handler_of_the_tab_did_is_not_asked_for_where_it_left_no_code(changes: Changes) -> None:
    class Answered(Tab):
        """The watch waits for a handler that leads the screen on and changes the record, as the last digit of a code does."""

        async def __aenter__(self) -> None:
            if self.shown:
                self.shows_code = False
                changes.tell([Look.topic])
            await super().__aenter__()

    tab = Answered()
    record = Record(tab, answers=9)
    sent = [list(tab.shown) async for _ in followed(tab, record)]

    assert (sent, len(record.asked)) == ([[1]], 1)


async def test_what_was_heard_before_a_look_is_seen_by_it(changes: Changes) -> None:
    class Answered(Tab):
        """A handler of the tab changes the record and leaves a code on the screen."""

        async def __aenter__(self) -> None:
            if len(record.asked) == 1 and self.shown:
                changes.tell([Look.topic])
            await super().__aenter__()

    tab = Answered()
    record = Record(tab, answers=2)
    sent = [list(tab.shown) async for _ in followed(tab, record)]

    assert (sent, len(record.asked)) == ([[1], [1, 2]], 3)


async def test_with_nothing_to_follow_nothing_is_shown() -> None:
    tab = Tab()
    sent = [None async for _ in followed(tab, Record(tab, answers=0))]

    assert (sent, tab.shown, tab._watching) == ([], [], 1)


async def test_a_screen_that_has_moved_on_ends_the_watch() -> None:
    tab = Tab()
    tab.goes_on = False
    record = Record(tab, answers=9)
    sent = [None async for _ in followed(tab, record)]

    assert (sent, len(record.asked)) == ([], 1)


async def test_a_later_watch_of_the_tab_ends_the_earlier_one() -> None:
    tab = Tab()
    earlier, later = Record(tab, answers=9), Record(tab, answers=9)
    first, second = followed(tab, earlier), followed(tab, later)
    await anext(first)
    await anext(second)
    with pytest.raises(StopAsyncIteration):
        await anext(first)
    await anext(second)

    assert (len(earlier.asked), len(later.asked)) == (2, 2)
    assert tab.shown == [1, 1, 2]


async def test_a_tab_that_reconnected_is_left_to_its_own_watch() -> None:
    tab = Tab()
    watch = followed(tab, Record(tab, answers=9))
    await anext(watch)
    tab.rx_router_session.session_id = "socket-2"
    with pytest.raises(StopAsyncIteration):
        await anext(watch)

    assert tab.shown == [1]


@pytest.mark.parametrize("now", [UNKNOWN_VISITOR, Visitor(visitor_key="b" * 64, address="192.0.2.1")])
async def test_a_socket_without_its_visitor_is_asked_about_no_more(now: Visitor) -> None:
    tab = Tab()
    record = Record(tab, answers=9)
    watch = followed(tab, record)
    await anext(watch)
    tab.visitor = now
    with pytest.raises(StopAsyncIteration):
        await anext(watch)

    assert (tab.shown, len(record.asked)) == ([1], 1)


@pytest.mark.parametrize("state", [RecoveryState, SettingsState, LinkAccountState])
def test_each_state_counts_its_own_watches_out_of_the_browsers_sight(state: Any) -> None:
    field = state.get_fields()["_watching"]

    assert (field.default, field._owner, field._backend) == (0, state, True)


def test_what_the_states_share_is_callable_by_no_client() -> None:
    assert [name for name, value in vars(FollowsCode).items() if callable(value) and not name.startswith("_")] == []


async def test_whatever_ends_the_watch_nothing_listens_any_more(changes: Changes) -> None:
    tab = Tab()
    watch = followed(tab, Record(tab, answers=9))
    await anext(watch)
    await anext(watch)
    assert changes.listening == 1
    await watch.aclose()  # type: ignore[attr-defined]

    assert changes.listening == 0
