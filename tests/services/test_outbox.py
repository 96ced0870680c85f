"""The outbox: what is due is taken up once, in lanes that do not wait for each other, and the end waits for what is sent."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from medonline.services import outbox as module
from medonline.services.outbox import GLANCE, STALLED_AFTER, Glance, Lane, Outbox
from tests.patience import PATIENCE
from tests.services.world import MovableClock, settled

UNREAD = "The letters to send could not be read"


@dataclass(frozen=True)
class Letter:
    id: str


@dataclass
class Desk:
    """Letters that are due until their work ends; `held` ones wait for `let_go`, and each look is remembered."""

    letters: list[Letter] = field(default_factory=list)
    held: set[str] = field(default_factory=set)
    let_go: asyncio.Event = field(default_factory=asyncio.Event)
    broken: list[Exception] = field(default_factory=list)  # what the next looks raise
    refused: dict[str, Exception] = field(default_factory=dict)
    looks: list[tuple[tuple[str, ...], int]] = field(default_factory=list)
    begun: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    cut_off: list[str] = field(default_factory=list)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def due(self, in_hand: tuple[str, ...], limit: int) -> Sequence[Letter]:
        await self._note(self.looks, (in_hand, limit))
        if self.broken:
            raise self.broken.pop()
        return [letter for letter in self.letters if letter.id not in in_hand][:limit]

    async def attend(self, letter: Letter) -> None:
        await self._note(self.begun, letter.id)
        if letter.id in self.refused:
            self.letters.remove(letter)
            raise self.refused[letter.id]
        try:
            if letter.id in self.held:
                await self.let_go.wait()
        except asyncio.CancelledError:
            self.cut_off.append(letter.id)
            raise
        self.letters.remove(letter)
        await self._note(self.ended, letter.id)

    async def until(self, fact: Any) -> None:
        async with asyncio.timeout(PATIENCE), self.changed:
            await self.changed.wait_for(fact)

    async def _note(self, where: list[Any], what: object) -> None:
        where.append(what)
        async with self.changed:
            self.changed.notify_all()


def desk_of(*names: str, **facts: Any) -> Desk:
    return Desk([Letter(name) for name in names], **facts)


def outbox_of(
    *lanes: tuple[Desk, int], clock: MovableClock | None = None
) -> tuple[Outbox[Letter], list[BaseException]]:
    """An outbox with a lane per desk, and the errors that it tells of."""
    failures: list[BaseException] = []
    made = [Lane(desk.due, desk.attend, at_once) for desk, at_once in lanes]
    return Outbox(clock or MovableClock(), made, failed=failures.append, unread=UNREAD), failures


def one_lane(desk: Desk, at_once: int) -> tuple[Outbox[Letter], Lane[Letter]]:
    """An outbox of one lane, in which no work may fail."""
    lane = Lane(desk.due, desk.attend, at_once)
    return Outbox(MovableClock(), [lane], failed=pytest.fail, unread=UNREAD), lane


@asynccontextmanager
async def running(outbox: Outbox[Letter]) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(outbox.run())
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.fixture
def _no_net(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the look every second: what happens was caused by a wake."""
    monkeypatch.setattr(module, "IDLE_PAUSE", timedelta(hours=1))


async def test_all_that_is_due_is_attended_to(clock: MovableClock) -> None:
    desk = desk_of("a", "b", "c")
    outbox, failures = outbox_of((desk, 8))
    await outbox.turn()
    await settled(outbox)

    assert (desk.begun, sorted(desk.ended), failures) == (["a", "b", "c"], ["a", "b", "c"], [])
    assert outbox.tasks_in_hand == ()


async def test_a_row_in_hand_is_not_begun_twice() -> None:
    desk = desk_of("a", held={"a"})
    outbox, _ = outbox_of((desk, 8))
    for _ in range(3):
        await outbox.turn()
    await desk.until(lambda: desk.begun)
    assert desk.looks == [((), 8), (("a",), 7), (("a",), 7)]
    desk.let_go.set()
    await settled(outbox)

    assert desk.begun == ["a"]


async def test_a_lane_has_no_more_in_hand_than_its_places() -> None:
    desk = desk_of("a", "b", "c", "d", held={"a", "b", "c", "d"})
    outbox, _ = outbox_of((desk, 3))
    await outbox.turn()
    await outbox.turn()
    await desk.until(lambda: len(desk.begun) == 3)

    assert len(outbox.tasks_in_hand) == 3
    assert desk.looks == [((), 3)]  # without a free place it does not even ask
    desk.let_go.set()
    await settled(outbox)
    await outbox.turn()
    await settled(outbox)
    assert desk.ended == ["a", "b", "c", "d"]


async def test_a_lane_whose_work_hangs_holds_up_no_other() -> None:
    hangs, works = desk_of("a", "b", held={"a", "b"}), desk_of("c", "d", "e")
    outbox, _ = outbox_of((hangs, 2), (works, 1))
    for ended in range(1, 4):
        await outbox.turn()
        await works.until(lambda ended=ended: len(works.ended) == ended)
        await asyncio.sleep(0)  # the task that ended gives its place back

    assert (works.ended, hangs.ended) == (["c", "d", "e"], [])
    assert len(outbox.tasks_in_hand) == 2
    hangs.let_go.set()
    await settled(outbox)


async def test_what_one_lane_has_in_hand_no_other_lane_takes_up() -> None:
    desk = desk_of("a", held={"a"})
    outbox, _ = outbox_of((desk, 1), (desk, 4))
    await outbox.turn()
    await desk.until(lambda: desk.begun)

    assert desk.looks == [((), 1), (("a",), 4)]
    desk.let_go.set()
    await settled(outbox)
    assert desk.begun == ["a"]


async def test_an_error_in_one_row_is_told_of_and_costs_the_others_nothing() -> None:
    error = ZeroDivisionError()
    desk = desk_of("a", "b", refused={"a": error})
    outbox, failures = outbox_of((desk, 8))
    await outbox.turn()
    with pytest.raises(ZeroDivisionError):
        await settled(outbox)
    await settled(outbox)

    assert (failures, desk.ended, outbox.tasks_in_hand) == ([error], ["b"], ())


async def test_a_row_that_fails_and_stays_due_is_not_tried_again_at_once() -> None:
    """As when the database refuses to write: the loop would turn without a pause, and log each turn."""
    desk = desk_of("a", held={"a"})
    told: list[BaseException] = []

    async def fails(letter: Letter) -> None:
        await desk._note(desk.begun, letter.id)
        raise OSError("read-only")

    outbox = Outbox[Letter](MovableClock(), [Lane(desk.due, fails, 2)], failed=told.append, unread=UNREAD)
    async with running(outbox):
        await desk.until(lambda: desk.begun)
        for _ in range(200):
            await asyncio.sleep(0)

    assert (desk.begun, len(told)) == (["a"], 1)


async def test_an_outbox_without_lanes_has_nothing_to_do() -> None:
    outbox, _ = outbox_of()
    await outbox.turn()

    assert outbox.tasks_in_hand == ()


@pytest.mark.usefixtures("_no_net")
async def test_waking_makes_it_look_at_once() -> None:
    desk = desk_of()
    outbox, _ = outbox_of((desk, 8))
    async with running(outbox):
        await desk.until(lambda: len(desk.looks) == 1)
        desk.letters.append(Letter("a"))
        outbox.wake()
        await desk.until(lambda: desk.ended == ["a"])


@pytest.mark.usefixtures("_no_net")
async def test_a_wake_while_it_looks_is_not_lost() -> None:
    desk = desk_of()
    outbox, _ = outbox_of((desk, 8))

    async def due_and_woken(in_hand: tuple[str, ...], limit: int) -> Sequence[Letter]:
        rows = await desk.due(in_hand, limit)
        if len(desk.looks) == 1:  # committed after this look
            desk.letters.append(Letter("a"))
            outbox.wake()
        return rows

    outbox = Outbox(MovableClock(), [Lane(due_and_woken, desk.attend, 8)], failed=lambda _error: None, unread=UNREAD)
    async with running(outbox):
        await desk.until(lambda: desk.ended == ["a"])


@pytest.mark.usefixtures("_no_net")
async def test_a_place_that_becomes_free_is_used_at_once() -> None:
    desk = desk_of("a", "b", "c")
    outbox, _ = outbox_of((desk, 1))
    async with running(outbox):
        await desk.until(lambda: desk.ended == ["a", "b", "c"])


@pytest.mark.usefixtures("_no_net")
async def test_work_that_ends_is_no_reason_to_look_where_nothing_was_left_out() -> None:
    desk = desk_of("a", "b")
    outbox, _ = outbox_of((desk, 8))
    async with running(outbox):
        await desk.until(lambda: desk.ended == ["a", "b"])
        for _ in range(200):
            await asyncio.sleep(0)

    assert desk.looks == [((), 8)]


@pytest.mark.usefixtures("_no_net")
async def test_a_row_that_a_look_has_passed_over_is_looked_for_when_its_work_ends() -> None:
    """It may be due again since: a code that was typed while its delivery was asked for."""
    desk = desk_of("a", held={"a"})
    outbox, _ = outbox_of((desk, 8))
    async with running(outbox):
        await desk.until(lambda: desk.begun)
        outbox.wake()
        await desk.until(lambda: len(desk.looks) == 2)
        desk.letters.append(Letter("a"))  # one goes when its work ends, the other is due
        desk.held.clear()
        desk.let_go.set()
        await desk.until(lambda: desk.ended == ["a", "a"])


# --- one look for all lanes -------------------------------------------------------------------------------------


@dataclass
class Hall:
    """Two desks behind one door: a letter belongs to the desk that it is named after."""

    one: Desk
    two: Desk
    glances: list[int] = field(default_factory=list)

    def outbox(self, places: int = 2) -> Outbox[Letter]:
        lanes = {name: Lane(desk.due, desk.attend, places) for name, desk in (("1", self.one), ("2", self.two))}

        async def due(in_hand: tuple[str, ...], limit: int) -> Sequence[Letter]:
            letters = [*self.one.letters, *self.two.letters]
            found = [letter for letter in letters if letter.id not in in_hand][:limit]
            self.glances.append(len(found))
            return found

        glance = Glance(due, lambda letter: lanes.get(letter.id[0]))
        return Outbox(MovableClock(), [*lanes.values()], failed=lambda _error: None, unread=UNREAD, glance=glance)


async def test_one_look_serves_every_lane() -> None:
    hall = Hall(desk_of("1a", "1b"), desk_of("2a"))
    outbox = hall.outbox()
    await outbox.turn()
    await settled(outbox)

    assert (hall.one.ended, hall.two.ended, hall.glances) == (["1a", "1b"], ["2a"], [3])
    assert hall.one.looks == hall.two.looks == []


async def test_a_look_that_finds_nothing_is_the_only_one() -> None:
    hall = Hall(desk_of(), desk_of())
    await hall.outbox().turn()

    assert (hall.glances, hall.one.looks, hall.two.looks) == ([0], [], [])


async def test_a_crowd_before_one_lane_hides_no_row_of_another() -> None:
    crowd = [f"1{number}" for number in range(GLANCE + 5)]
    hall = Hall(desk_of(*crowd, held={*crowd}), desk_of("2a"))
    outbox = hall.outbox()
    await outbox.turn()
    await hall.two.until(lambda: hall.two.ended == ["2a"])

    assert len(hall.one.begun) == 2
    hall.one.let_go.set()
    await settled(outbox)


@pytest.mark.usefixtures("_no_net")
async def test_rows_without_a_place_are_taken_up_as_soon_as_there_is_one() -> None:
    hall = Hall(desk_of("1a", "1b", "1c", "1d", "1e"), desk_of())
    async with running(hall.outbox(places=2)):
        await hall.one.until(lambda: len(hall.one.ended) == 5)


async def test_a_row_of_no_lane_is_left_alone() -> None:
    hall = Hall(desk_of("3a"), desk_of("2a"))
    outbox = hall.outbox()
    await outbox.turn()
    await settled(outbox)

    assert (hall.one.begun, hall.two.ended) == ([], ["2a"])


async def test_it_looks_again_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IDLE_PAUSE", timedelta(milliseconds=1))
    desk = desk_of()
    outbox, _ = outbox_of((desk, 8))
    async with running(outbox):
        await desk.until(lambda: len(desk.looks) == 1)
        desk.letters.append(Letter("a"))  # by another process, which wakes no one here
        await desk.until(lambda: desk.ended == ["a"])


async def test_an_error_while_reading_what_is_due_is_logged_and_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "IDLE_PAUSE", timedelta(milliseconds=1))
    desk = desk_of("a", broken=[OSError("disk I/O error"), OSError("disk I/O error")])
    outbox, failures = outbox_of((desk, 8))
    async with running(outbox):
        await desk.until(lambda: len(desk.looks) == 2)
        assert not outbox.is_running()
        await desk.until(lambda: desk.ended == ["a"])

    logged = [record for record in caplog.records if record.name == module.__name__]
    assert [(record.getMessage(), record.levelno) for record in logged] == [
        (f"{UNREAD}; trying again", logging.ERROR)
    ] * 2
    assert failures == []


async def test_it_says_that_it_runs_only_while_it_turns() -> None:
    clock, desk = MovableClock(), desk_of("a")
    outbox, _ = outbox_of((desk, 8), clock=clock)
    assert not outbox.is_running()
    async with running(outbox):
        await desk.until(lambda: desk.ended)
    assert outbox.is_running()
    clock.now += STALLED_AFTER

    assert not outbox.is_running()


@pytest.mark.usefixtures("_no_net")
async def test_the_end_waits_for_what_is_being_sent() -> None:
    desk = desk_of("a", held={"a"})
    outbox, _ = outbox_of((desk, 8))
    before = asyncio.all_tasks()
    async with running(outbox) as task:
        await desk.until(lambda: desk.begun)
        task.cancel()
        await asyncio.sleep(0)
        desk.letters.append(Letter("b"))
        outbox.wake()
        desk.let_go.set()

    assert (desk.begun, desk.ended, desk.cut_off) == (["a"], ["a"], [])
    assert asyncio.all_tasks() == before


@pytest.mark.usefixtures("_no_net")
async def test_a_row_that_was_leased_for_it_is_begun_without_a_look() -> None:
    desk = desk_of("a", held={"b"})
    outbox, lane = one_lane(desk, 1)
    assert not outbox.has_room(lane)
    async with running(outbox):
        await desk.until(lambda: desk.ended)
        await settled(outbox)
        assert outbox.has_room(lane)
        looks = len(desk.looks)
        desk.letters.append(leased := Letter("b"))
        outbox.take_up(leased, lane, desk.attend)
        assert not outbox.has_room(lane)
        await desk.until(lambda: "b" in desk.begun)
        assert len(desk.looks) == looks
        desk.let_go.set()

    assert desk.ended == ["a", "b"]
    assert not outbox.has_room(lane)


@pytest.mark.usefixtures("_no_net")
async def test_a_new_row_takes_no_place_from_one_that_waits() -> None:
    desk = desk_of("a", "b", held={"a"})
    outbox, lane = one_lane(desk, 1)
    async with running(outbox):
        await desk.until(lambda: desk.begun == ["a"])
        assert not outbox.has_room(lane)
        ended = asyncio.ensure_future(desk.until(lambda: desk.ended == ["a"]))
        desk.let_go.set()
        await ended
        assert not outbox.has_room(lane)  # «b» has waited longer
        await desk.until(lambda: desk.ended == ["a", "b"])
        while not outbox.has_room(lane):
            await asyncio.sleep(0)
        outbox.wake()
        assert not outbox.has_room(lane)


@pytest.mark.usefixtures("_no_net")
async def test_work_for_a_request_runs_outside_its_context() -> None:
    request: ContextVar[str] = ContextVar("request", default="none")
    desk, seen = desk_of("a"), []

    async def work(letter: Letter) -> None:
        seen.append(request.get())

    outbox, lane = one_lane(desk, 8)
    async with running(outbox):
        await desk.until(lambda: desk.ended)
        request.set("of a patient")
        outbox.take_up(Letter("b"), lane, work)
        await settled(outbox)

    assert seen == ["none"]


@pytest.mark.usefixtures("_no_net")
async def test_the_end_waits_for_what_a_transaction_leaves_meanwhile() -> None:
    desk = desk_of("a", "b", held={"a", "b"})
    outbox, lane = one_lane(desk, 1)
    before = asyncio.all_tasks()
    async with running(outbox) as task:
        await desk.until(lambda: desk.begun)
        task.cancel()
        await asyncio.sleep(0)
        outbox.take_up(Letter("b"), lane, desk.attend)
        desk.let_go.set()

    assert (sorted(desk.ended), desk.cut_off) == (["a", "b"], [])
    assert asyncio.all_tasks() == before


@pytest.mark.usefixtures("_no_net")
async def test_the_end_cuts_off_what_does_not_end_and_waits_for_that_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STOP_WAIT", timedelta(milliseconds=1))
    desk = desk_of("a", "b", held={"a"})
    outbox, failures = outbox_of((desk, 8))
    before = asyncio.all_tasks()
    async with running(outbox):
        await desk.until(lambda: desk.begun == ["a", "b"] and desk.ended == ["b"])

    assert (desk.ended, desk.cut_off, failures) == (["b"], ["a"], [])
    assert asyncio.all_tasks() == before
