"""The outbox of notices: what was committed is told once, survives a kill, and is given up in the end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError
from sqlmodel import select

from medonline.domain.errors import (
    DeliveryFailed,
    NumberNotReachable,
    NumberRefused,
    OutOfMoney,
    ProviderDown,
    ProviderRefused,
)
from medonline.services import outbox
from medonline.services.notices.sender import LEASE, RETRY_AFTER, STALE_AFTER, UNSURE_RETRIES, NoticeService
from medonline.services.notices.texts import About, Told
from medonline.storage import migrations
from medonline.storage.engine import Database
from medonline.storage.queries import notices
from medonline.storage.tables.notices import Notice
from medonline.storage.tables.patients import Patient
from tests.patience import PATIENCE
from tests.services.notices.phone import Phone
from tests.services.world import settled

PHONE, TEXT = "+79000001001", "Медицина-онлайн: пароль изменён."


@dataclass
class Verbatim:
    """Sentences of these tests' own: a text is its own key."""

    def text(self, of: str) -> str:
        return of

    def with_link(self, text: str, link: str) -> str:
        return f"{text} {link}"


class Clock:
    now: datetime = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, by: timedelta) -> None:
        self.now += by


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("notices") / "db.sqlite3"
    asyncio.run(migrations.upgrade(f"sqlite:///{path}"))
    return path


@pytest.fixture
async def database(template: Path, tmp_path: Path, clock: Clock) -> AsyncIterator[Database]:
    (tmp_path / "db.sqlite3").write_bytes(template.read_bytes())
    database = Database(f"sqlite:///{tmp_path / 'db.sqlite3'}")
    with database.writing() as session:
        session.add(
            Patient(id="p1", phone=PHONE, last_name="Иванова", first_name="Мария", birth_date=date(1958, 5, 21), created_at=clock())
        )  # fmt: skip
    yield database
    await database.close()


async def put(service: NoticeService, database: Database, text: str = TEXT) -> None:
    with database.writing() as session:
        service.put(session, "p1", Told(PHONE, About.PASSWORD, text))


async def turn(service: NoticeService) -> None:
    await service.outbox.turn()
    await settled(service.outbox)


async def rows(database: Database) -> list[Notice]:
    with database.reading() as session:
        return list(session.exec(select(Notice)).all())


async def test_a_committed_notice_is_told_once(database: Database, clock: Clock) -> None:
    channel = Phone()
    service = NoticeService(database, clock, channel, Verbatim())
    await put(service, database)
    for _ in range(3):
        await turn(service)
        clock.move(LEASE * 2)

    assert channel.asked == [(PHONE, TEXT)]
    (row,) = await rows(database)
    assert (row.patient_id, row.provider_ref, row.due_at, row.problem, row.attempts) == ("p1", "ref-1", None, "", 1)
    assert row.sent_at == datetime(2026, 3, 1, 12, tzinfo=UTC)


async def test_what_was_rolled_back_is_never_told(database: Database, clock: Clock) -> None:
    channel = Phone()
    service = NoticeService(database, clock, channel, Verbatim())
    with suppress(RuntimeError), database.writing() as session:
        service.put(session, "p1", Told(PHONE, About.PASSWORD, TEXT))
        raise RuntimeError
    await turn(service)

    assert channel.asked == []


async def test_notices_to_one_phone_arrive_in_the_order_in_which_they_were_made(
    database: Database, clock: Clock
) -> None:
    """After an outage, where several wait: each one's link ends those before it."""
    for text in ("Первое.", "Второе.", "Третье."):
        await put(NoticeService(database, clock, Phone(), Verbatim()), database, text)
        clock.move(timedelta(minutes=1))
    channel = Phone(hold=asyncio.Event())
    here, there = (NoticeService(database, clock, channel, Verbatim()) for _ in range(2))
    await here.outbox.turn()
    async with asyncio.timeout(PATIENCE):
        while not channel.asked:
            await asyncio.sleep(0)
    for service in (here, there):  # the same process, and another one
        await service.outbox.turn()
    assert len([*here.outbox.tasks_in_hand, *there.outbox.tasks_in_hand]) == 1
    assert channel.hold is not None
    channel.hold.set()
    await settled(here.outbox)
    for _ in range(2):
        await turn(there)

    assert [text for _, text in channel.asked] == ["Первое.", "Второе.", "Третье."]


async def test_a_notice_that_is_tried_again_later_holds_up_none(database: Database, clock: Clock) -> None:
    channel = Phone([ProviderDown("503")])
    service = NoticeService(database, clock, channel, Verbatim())
    await put(service, database, "Первое.")
    clock.move(timedelta(seconds=1))
    await put(service, database, "Второе.")
    for _ in range(2):
        await turn(service)

    assert [text for _, text in channel.asked] == ["Первое.", "Второе."]


async def test_a_notice_survives_a_restart(database: Database, clock: Clock) -> None:
    await put(NoticeService(database, clock, Phone(), Verbatim()), database)
    channel = Phone()
    await turn(NoticeService(database, clock, channel, Verbatim()))

    assert len(channel.asked) == 1


async def test_without_a_channel_nothing_is_kept(database: Database, clock: Clock) -> None:
    service = NoticeService(database, clock, None, Verbatim())
    await put(service, database)
    await turn(service)

    assert await rows(database) == []


@pytest.mark.parametrize("text", ["", "а" * 301])
async def test_only_short_texts_are_taken(database: Database, clock: Clock, text: str) -> None:
    with pytest.raises(ValueError, match="300"):
        await put(NoticeService(database, clock, Phone(), Verbatim()), database, text)


async def test_several_processes_never_tell_it_twice(database: Database, clock: Clock) -> None:
    channel = Phone(hold=asyncio.Event())
    services = [NoticeService(database, clock, channel, Verbatim()) for _ in range(5)]
    await put(services[0], database)
    await asyncio.gather(*(service.outbox.turn() for service in services))
    async with asyncio.timeout(PATIENCE):  # until each has asked or found the notice taken
        while sum(len(service.outbox.tasks_in_hand) for service in services) > len(channel.asked):
            await asyncio.sleep(0.01)
    assert channel.hold is not None
    channel.hold.set()
    await asyncio.gather(*(settled(service.outbox) for service in services))

    assert len(channel.asked) == 1


async def accepted_at_the_fourth(service: NoticeService, channel: Phone, clock: Clock) -> None:
    """A notice whose first attempt failed is tried again after each pause, not a second before, until it is accepted."""
    for count, pause in enumerate(RETRY_AFTER[:UNSURE_RETRIES], start=1):
        clock.move(pause - timedelta(seconds=1))
        await turn(service)
        assert len(channel.asked) == count
        clock.move(timedelta(seconds=1))
        await turn(service)
        assert len(channel.asked) == count + 1

    (row,) = await rows(service.database)
    assert (row.provider_ref, row.attempts) == ("ref-4", 4)


async def test_a_provider_that_is_down_is_tried_three_times_more(database: Database, clock: Clock) -> None:
    channel = Phone(failures=[ProviderDown()] * 3)
    service = NoticeService(database, clock, channel, Verbatim())
    await put(service, database)
    await turn(service)
    await accepted_at_the_fourth(service, channel, clock)
    assert [pause.total_seconds() for pause in RETRY_AFTER] == [10, 60, 300, 900, 3600, 10_800]


async def test_a_provider_that_stays_down_is_given_up_without_a_word_on_whom(
    database: Database, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "medonline")
    channel = Phone(failures=[ProviderDown(PHONE)] * 9)
    service = NoticeService(database, clock, channel, Verbatim())
    await put(service, database)
    for _ in range(9):
        await turn(service)
        clock.move(timedelta(minutes=10))

    (row,) = await rows(database)
    assert (len(channel.asked), row.due_at, row.sent_at, row.problem) == (4, None, None, "channel_down")
    assert "given up" in caplog.text
    assert PHONE[1:] not in caplog.text
    assert "пароль" not in caplog.text


REFUSALS = [NumberRefused(), OutOfMoney(), ProviderRefused(), ProviderDown(may_have_gone_out=False)]


@pytest.mark.parametrize("failure", REFUSALS, ids=repr)
async def test_a_refusal_is_tried_again_after_pauses_that_grow_until_it_is_taken(
    database: Database, clock: Clock, failure: DeliveryFailed
) -> None:
    channel = Phone(failures=[failure] * len(RETRY_AFTER))
    await put(NoticeService(database, clock, channel, Verbatim()), database)
    for count, pause in enumerate((timedelta(0), *RETRY_AFTER)):
        clock.move(pause - timedelta(seconds=1) if count else timedelta(0))
        service = NoticeService(database, clock, channel, Verbatim())  # each time after a restart
        if count:
            await turn(service)
            assert len(channel.asked) == count
            clock.move(timedelta(seconds=1))
        await turn(service)
        assert len(channel.asked) == count + 1

    (row,) = await rows(database)
    assert (row.due_at, row.problem, row.provider_ref) == (None, "", f"ref-{len(RETRY_AFTER) + 1}")


@pytest.mark.parametrize("failure", REFUSALS, ids=repr)
async def test_what_is_refused_for_hours_is_given_up_with_an_alarm_and_can_be_sent_again(
    database: Database, clock: Clock, caplog: pytest.LogCaptureFixture, failure: DeliveryFailed
) -> None:
    attempts = len(RETRY_AFTER) + 1
    channel = Phone(failures=[failure] * attempts)
    service = NoticeService(database, clock, channel, Verbatim())
    await put(service, database)
    for pause in (*RETRY_AFTER, STALE_AFTER):
        assert "ALARM notices-given-up" not in caplog.text
        await turn(service)
        clock.move(pause if pause is not STALE_AFTER else timedelta(0))
    await turn(service)

    (row,) = await rows(database)
    assert (len(channel.asked), row.due_at, row.sent_at) == (attempts, None, None)
    assert caplog.text.count("ALARM notices-given-up: a notice is given up (") == 1
    assert sum(RETRY_AFTER, timedelta(0)) < STALE_AFTER / 2  # an operator has the rest of the day
    with database.writing() as session:
        assert notices.take_up_again(session, row.id, clock(), clock() - STALE_AFTER) == "p1"
    await turn(service)
    await turn(service)

    (row,) = await rows(database)
    assert (len(channel.asked), row.provider_ref, row.problem) == (attempts + 1, f"ref-{attempts + 1}", "")


async def test_what_a_provider_took_and_answered_badly_is_not_sent_twice(
    database: Database, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    channel = Phone(failures=[ProviderRefused("an answer without a reference", may_have_gone_out=True)])
    service = NoticeService(database, clock, channel, Verbatim())
    await put(service, database)
    for _ in range(3):
        await turn(service)
        clock.move(timedelta(hours=1))

    assert len(channel.asked) == 1
    assert "ALARM notices-given-up" in caplog.text


async def test_a_number_that_cannot_be_reached_is_not_tried_again(database: Database, clock: Clock) -> None:
    channel = Phone(failures=[NumberNotReachable()])
    service = NoticeService(database, clock, channel, Verbatim())
    await put(service, database)
    for _ in range(3):
        await turn(service)
        clock.move(timedelta(hours=1))

    assert len(channel.asked) == 1
    assert (await rows(database))[0].problem == "number_not_reachable"


async def test_a_lack_of_money_at_the_provider_of_notices_is_an_alarm(
    database: Database, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    service = NoticeService(database, clock, Phone(failures=[OutOfMoney(code="201")]), Verbatim())
    await put(service, database)
    await turn(service)

    assert "ALARM provider-without-money: scripted has no money (201)" in caplog.text


async def test_what_a_killed_process_was_sending_is_not_sent_again(database: Database, clock: Clock) -> None:
    killed = Phone(hold=asyncio.Event())
    service = NoticeService(database, clock, killed, Verbatim())
    await put(service, database)
    await service.outbox.turn()
    while not killed.asked:
        await asyncio.sleep(0.01)
    for task in service.outbox.tasks_in_hand:
        task.cancel()
    channel = Phone()
    await turn(NoticeService(database, clock, channel, Verbatim()))
    clock.move(LEASE)
    await turn(NoticeService(database, clock, channel, Verbatim()))

    assert channel.asked == []
    assert (await rows(database))[0].problem == "unknown"


async def test_an_acceptance_is_recorded_though_the_database_was_busy(
    database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    record, failures = notices.record_sent, [OperationalError("", None, Exception("locked"))]

    def busy(*arguments: object) -> None:
        if failures:
            raise failures.pop()
        record(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(notices, "record_sent", busy)
    channel = Phone()
    service = NoticeService(database, clock, channel, Verbatim())
    await put(service, database)
    await turn(service)

    assert ((await rows(database))[0].provider_ref, len(channel.asked)) == ("ref-1", 1)


async def test_a_notice_of_yesterday_is_not_told_any_more(database: Database, clock: Clock) -> None:
    channel = Phone()
    service = NoticeService(database, clock, channel, Verbatim())
    await put(service, database)
    clock.move(STALE_AFTER + timedelta(seconds=1))
    await turn(service)

    assert channel.asked == []
    assert (await rows(database))[0].due_at is None


async def test_the_loop_wakes_at_once_and_lets_what_is_being_sent_end(
    database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "IDLE_PAUSE", timedelta(hours=1))  # by itself it would not look again
    channel = Phone(hold=asyncio.Event())
    service = NoticeService(database, clock, channel, Verbatim())
    loop = asyncio.create_task(service.outbox.run())
    async with asyncio.timeout(PATIENCE):
        while not service.outbox.is_running():
            await asyncio.sleep(0)
        await put(service, database)
        service.outbox.wake()
        while not channel.asked:
            await asyncio.sleep(0.01)
    loop.cancel()
    for _ in range(10):  # turns of the event loop, in which a loop that does not wait would end
        await asyncio.sleep(0)
    assert not loop.done()
    assert channel.hold is not None
    channel.hold.set()
    with suppress(asyncio.CancelledError):
        await loop

    assert (await rows(database))[0].provider_ref == "ref-1"


@asynccontextmanager
async def serving(service: NoticeService) -> AsyncIterator[None]:
    loop = asyncio.create_task(service.outbox.run())
    while not service.outbox.is_running():
        await asyncio.sleep(0)
    try:
        yield
    finally:
        loop.cancel()
        with suppress(asyncio.CancelledError):
            await loop


def committed(service: NoticeService, database: Database) -> Awaitable[None]:
    return database.write(service.put, "p1", Told(PHONE, About.PASSWORD, TEXT))


async def test_the_transaction_that_makes_a_notice_claims_it_for_a_process_with_room(
    database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "IDLE_PAUSE", timedelta(hours=1))  # by itself it would not look again
    channel = Phone(hold=asyncio.Event())
    service = NoticeService(database, clock, channel, Verbatim())
    async with asyncio.timeout(PATIENCE), serving(service):
        await committed(service, database)
        while not channel.asked:
            await asyncio.sleep(0.01)
        (row,) = await rows(database)
        assert (database.commits, row.attempts, row.problem) == (2, 1, "in_hand")  # the first made the patient
        assert row.due_at == clock.now + LEASE
        assert channel.hold is not None
        channel.hold.set()

    (row,) = await rows(database)
    assert (database.commits, row.due_at, row.provider_ref, row.problem) == (3, None, "ref-1", "")


async def test_one_that_was_claimed_so_is_tried_again_as_any_other(
    database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "IDLE_PAUSE", timedelta(hours=1))
    channel = Phone(failures=[ProviderDown()] * 3)
    service = NoticeService(database, clock, channel, Verbatim())
    async with asyncio.timeout(PATIENCE), serving(service):
        await committed(service, database)
        while not channel.asked:
            await asyncio.sleep(0.01)
    await accepted_at_the_fourth(service, channel, clock)


async def test_one_that_a_killed_process_had_claimed_so_is_given_up(database: Database, clock: Clock) -> None:
    killed = NoticeService(database, clock, Phone(), Verbatim())
    async with asyncio.timeout(PATIENCE), serving(killed):
        killed.outbox.take_up = lambda *_: None  # type: ignore[method-assign]  # killed between the commit and the work
        await committed(killed, database)
    channel = Phone()
    other = NoticeService(database, clock, channel, Verbatim())
    await turn(other)
    assert (await rows(database))[0].problem == "in_hand"
    clock.move(LEASE)
    await turn(other)

    (row,) = await rows(database)
    assert (channel.asked, row.sent_at, row.due_at, row.problem) == ([], None, None, "unknown")


async def test_the_loop_outlives_a_database_that_fails(
    database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    read, failures = notices.due, [OperationalError("", None, Exception("locked"))]

    def failing(*arguments: object, **named: object) -> object:
        if failures:
            raise failures.pop()
        return read(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(notices, "due", failing)
    channel = Phone()
    service = NoticeService(database, clock, channel, Verbatim())
    await put(service, database)
    loop = asyncio.create_task(service.outbox.run())
    async with asyncio.timeout(PATIENCE):
        while not channel.asked:
            await asyncio.sleep(0.02)
            service.outbox.wake()
    loop.cancel()
    with suppress(asyncio.CancelledError):
        await loop

    assert "could not be read" in caplog.text


async def test_an_unforeseen_error_is_logged_by_its_kind_only(
    database: Database, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    service = NoticeService(database, clock, Phone(failures=[ValueError(TEXT)]), Verbatim())
    await put(service, database)
    with suppress(ValueError):
        await turn(service)

    assert "ValueError" in caplog.text
    assert "пароль" not in caplog.text
