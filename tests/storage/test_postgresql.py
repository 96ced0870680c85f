"""The same migrations and the same recovery over PostgreSQL, on a server started for these tests."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TypeAlias

import pytest
from sqlalchemy import func, literal, text
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlmodel import Session, col, select, update

from alembic import command
from medonline.bootstrap import DEMO_ACCOUNTS, Portal, build_portal
from medonline.bootstrap.desk import build_desk
from medonline.domain.client import Client
from medonline.domain.codes.channels import GUIDE_CHANNELS, ChannelName
from medonline.domain.codes.step_up import StepUpPolicy, StepUpWhen
from medonline.domain.errors import (
    BirthDateMismatch,
    ChannelOverBudget,
    CodeMismatch,
    CodeUsedUp,
    IdentityRefused,
    NumberRefused,
    RateLimited,
    TooManyCodes,
)
from medonline.domain.password_recovery import RecoveryStep
from medonline.domain.personal_data_consent import VERSION
from medonline.domain.security_journal import JournalEvent
from medonline.services.account_settings.form import Saved, SettingsForm
from medonline.services.codes.step_up import StepUp
from medonline.services.crypto.field_encryption import Sealer
from medonline.services.crypto.tokens import token_hash
from medonline.services.desk import database_watch
from medonline.services.desk.accounts import NewAccount
from medonline.services.desk.database_watch import DatabaseWatch
from medonline.services.gosuslugi.login import Purpose
from medonline.services.gosuslugi.pending_person import IdentityAnswers
from medonline.services.limits.budgets import NOTICE, Budget, Spending, billing_day
from medonline.services.login.password_login import OpenedSession
from medonline.services.notices.dispute_links import DisputeLinks
from medonline.services.notices.queue import NoticeQueue
from medonline.services.notices.sender import NoticeService
from medonline.services.notices.texts import About, Text, Told
from medonline.services.notices.ways import to_phone
from medonline.services.outages import is_outage
from medonline.services.password_recovery.reader import RecoveryView
from medonline.services.security_journal import reader
from medonline.services.security_journal.reader import SCANS
from medonline.storage import engine, migrations
from medonline.storage.engine import Database
from medonline.storage.queries import account_settings as account_changes
from medonline.storage.queries import (
    codes,
    codes_circuit_breaker,
    gosuslugi,
    limits,
    login,
    notices,
    patient_cards,
    patients,
    security_journal,
)
from medonline.storage.queries import password_recovery as password_recoveries
from medonline.storage.tables.columns import UtcDateTime
from medonline.storage.tables.login import AccountSession
from medonline.storage.tables.notices import Notice
from medonline.storage.tables.patients import Patient
from medonline.wording import notices as wording
from tests.patience import PATIENCE
from tests.services import strangers
from tests.services.account_limits import CHECKS as ACCOUNT_LIMITS
from tests.services.notices.phone import Phone, told
from tests.services.outside import (
    MOBILE,
    RETURN,
    VERA,
    ScriptedIdentity,
    ScriptedRegistry,
    come_back,
    leave,
    with_provider,
    with_registry,
)
from tests.services.patient_cards.family import FRIEND
from tests.services.security_journal.rows import fill
from tests.services.world import (
    ANNA,
    BORIS,
    CALL,
    KNOWN,
    PASSWORD,
    TELEGRAM,
    UNKNOWN,
    MovableClock,
    ScriptedChannel,
    browser,
    code_in,
    config_in,
    dispatch,
    dispatcher_of,
    last_code,
    last_row,
    patient_with,
    prove,
    recoveries_of,
    rows_of,
    sign_in,
    signed_in,
    wrong,
)
from tests.storage.migrating import differences, walk_with_rows
from tests.storage.postgresql_server import address_of, administer
from tests.storage.unusable_texts import UNUSABLE, check_unusable_text

NEW = "NewPassword1"


@pytest.fixture
async def url(postgresql_server: str) -> AsyncIterator[str]:
    """A database of the test's own, with nothing in it."""
    await administer(postgresql_server, "CREATE DATABASE of_the_test")
    yield address_of(postgresql_server, "of_the_test")
    await administer(postgresql_server, "DROP DATABASE of_the_test WITH (FORCE)")


@pytest.fixture
async def portal(postgresql_server: str, postgresql_template: str, tmp_path: Path) -> AsyncIterator[Portal]:
    await administer(postgresql_server, f"CREATE DATABASE of_the_portal TEMPLATE {postgresql_template}")
    clock = MovableClock()
    clock.move(days=1)  # after the demo patients were made
    url = address_of(postgresql_server, "of_the_portal")
    portal = build_portal(config_in(tmp_path, database_url=url), clock)
    yield portal
    await portal.close()
    await administer(postgresql_server, "DROP DATABASE of_the_portal WITH (FORCE)")


async def test_the_tables_in_the_code_are_those_of_the_migrations(portal: Portal) -> None:
    assert await differences(portal.config.database) == []


async def test_a_database_in_use_goes_down_to_nothing(portal: Portal) -> None:
    with portal.database.writing() as session:  # 0001 knows no account without a phone
        session.exec(update(Patient).where(col(Patient.phone).is_(None)).values(phone=col(Patient.id)))
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    await asyncio.to_thread(command.downgrade, migrations.alembic_config(portal.config.database), "base")

    with portal.database.reading() as session:
        tables = session.connection().execute(
            text("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        )
        assert list(tables.scalars()) == ["alembic_version"]


async def test_a_database_in_use_at_0001_keeps_its_rows_up_and_down(url: str, tmp_path: Path) -> None:
    await walk_with_rows(url, tmp_path)
    assert await differences(url) == []


@pytest.mark.parametrize("sent", UNUSABLE, ids=ascii)
async def test_a_text_that_no_database_takes_names_nothing_and_is_kept_readable(portal: Portal, sent: str) -> None:
    await check_unusable_text(portal, sent)


async def test_a_password_is_recovered(portal: Portal) -> None:
    old = token_hash(await sign_in(portal, BORIS))
    clock = portal.clock
    assert isinstance(clock, MovableClock)
    clock.move(seconds=1)
    view = await portal.recovery.begin(ANNA, KNOWN, CALL)
    assert view.issued_at == clock.now
    with pytest.raises(CodeMismatch):
        await portal.recovery.confirm_code(ANNA, wrong(await last_code(portal)))
    clock.move(seconds=60)
    await portal.recovery.resend(ANNA, TELEGRAM)
    assert (await portal.recovery.confirm_code(ANNA, await last_code(portal))).step is RecoveryStep.NEW_PASSWORD
    assert (await portal.recovery.set_password(ANNA, NEW)).step is RecoveryStep.DONE

    assert await portal.login.who(old) is None
    assert await portal.login.who(token_hash(await sign_in(portal, ANNA, KNOWN, NEW))) is not None


async def test_times_are_kept_in_utc_whatever_the_servers_own_zone_is(portal: Portal) -> None:
    """The server of these tests is in Vladivostok. What a statement computes has no column whose type would say UTC."""
    clock = portal.clock
    assert isinstance(clock, MovableClock)
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    await portal.recovery.confirm_code(ANNA, await last_code(portal))
    assert (await last_row(portal)).confirmed_at == clock.now

    account = (await patient_with(portal)).id
    for _ in range(2):
        clock.move(hours=2)
        assert await portal.database.write(patient_cards.begin_refresh, account, clock.now, 12, None)
        row = await portal.database.read(patient_cards.refresh_of, account)
        assert row is not None
        assert row.hour_began_at == clock.now

    bare = select(func.coalesce(None, clock.now) == literal(clock.now, UtcDateTime()))
    assert await portal.database.read(lambda session: session.exec(bare).one())


async def test_of_a_hundred_parallel_guesses_exactly_three_are_judged(portal: Portal) -> None:
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    code = await last_code(portal)

    async def guess(by: int) -> str:
        try:
            return (await portal.recovery.confirm_code(ANNA, wrong(code, by))).step
        except (CodeMismatch, CodeUsedUp) as refusal:
            return type(refusal).__name__

    assert Counter(await asyncio.gather(*map(guess, range(1, 101)))) == {"CodeMismatch": 3, "CodeUsedUp": 97}
    assert (await last_row(portal)).misses == 3


async def test_writers_of_the_journal_at_once_leave_no_gap(portal: Portal) -> None:
    """Sign-ins, wrong passwords and codes of many phones, each with a row in its own transaction."""
    before = (await portal.journal_keeper.head()).seq
    phones = [f"+790000{4000 + number}0" for number in range(8)]
    await asyncio.gather(
        *(sign_in(portal, browser(number)) for number in range(4)),
        *(
            portal.recovery.begin(Client(visitor_key=f"b{number:063d}"), phone, CALL)
            for number, phone in enumerate(phones)
        ),
    )

    found = await portal.journal_keeper.examine()
    assert (found.fault, found.head.seq) == ("", before + 12)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE security_journal SET network = 'x' WHERE seq = 1",
        "DELETE FROM security_journal WHERE seq = 1",
        "TRUNCATE security_journal",
        "INSERT INTO security_journal SELECT 99, at, event, patient_id, phone_index, phone_tail, network, details, "
        "previous, key_id, hash FROM security_journal WHERE seq = 1",
        "INSERT INTO security_journal SELECT * FROM security_journal WHERE seq = 1 ON CONFLICT (seq) DO UPDATE SET event = 'x'",
        "TRUNCATE security_journal_checkpoint",
    ],
)
async def test_the_database_itself_refuses_to_rewrite_the_journal(portal: Portal, statement: str) -> None:
    with pytest.raises(DBAPIError, match="the security journal"), portal.database.writing() as session:
        session.connection().execute(text(statement))
    assert (await portal.journal_keeper.examine()).fault == ""


async def test_rows_of_the_journal_that_are_past_their_time_go(portal: Portal) -> None:
    assert isinstance(portal.clock, MovableClock)
    old = (await portal.journal_keeper.head()).seq
    portal.clock.move(days=portal.config.retention_journal.days)
    await sign_in(portal, ANNA)

    assert await portal.journal_keeper.forget() == old
    assert (await portal.journal_keeper.examine()).fault == ""


async def link_of(portal: Portal, patient_id: str) -> str:
    """The token of a link «это не я»."""
    with portal.database.writing() as session:
        portal.notices.put(session, patient_id, Told(KNOWN, About.PASSWORD, Text.ACCESS_CHANGED))
    with portal.database.reading() as session:
        notice = session.exec(select(Notice)).one()
    links = DisputeLinks("", Sealer(portal.config.key, "dispute"))
    return links.link(notice.id, notice.dispute_hash or "").removeprefix("#")


def somebody_waits_for_a_lock(portal: Portal) -> bool:
    with portal.database.engine.connect() as connection:
        waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(connection.execute(waiting).scalar_one())


@pytest.mark.parametrize("other", ["settings", "erase"])
async def test_a_dispute_and_what_changes_the_account_take_its_locks_in_one_order(
    portal: Portal, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    """The second waits for the first, whichever it is: neither ends in a deadlock, and the dispute least of all."""
    assert isinstance(portal.clock, MovableClock)
    key = token_hash(await sign_in(portal, ANNA))
    me = await portal.login.who(key)
    assert me is not None
    form = SettingsForm("+79000008881", "", "Иванова", "Мария", "", "")
    await portal.settings.save(signed_in(key), form, CALL)
    token = await link_of(portal, me.patient_id)
    portal.clock.move(minutes=5)
    finish, halfway, ended = account_changes.finish, threading.Event(), threading.Event()

    def slowly(session: Session, patient_id: str, now: datetime) -> None:
        finish(session, patient_id, now)
        halfway.set()
        until = time.monotonic() + PATIENCE  # the other comes as far as it can
        while not (ended.wait(0.01) or somebody_waits_for_a_lock(portal)):
            if time.monotonic() > until:
                raise TimeoutError

    monkeypatch.setattr(account_changes, "finish", slowly)

    async def telling(action: Awaitable[object]) -> object:
        try:
            return await action
        finally:
            ended.set()

    async def change() -> object:
        if other == "erase":
            await reached(halfway)
            return await portal.desk.personal_data.erase(KNOWN)
        return await portal.settings.save(signed_in(key), replace(form, phone="+79000008882"), CALL)

    async def dispute() -> object:
        if other == "settings":
            await reached(halfway)
        return await portal.dispute.raise_(token)

    changed, disputed = await asyncio.gather(telling(change()), telling(dispute()), return_exceptions=True)

    assert not isinstance(changed, SQLAlchemyError | DBAPIError), changed
    assert not isinstance(disputed, DBAPIError), disputed
    if other == "settings":
        assert isinstance(disputed, datetime)
        assert await portal.login.who(key) is None


async def test_a_writer_that_stands_still_holds_nobody_up_for_good(portal: Portal) -> None:
    frozen = Database(portal.config.database)
    with Session(frozen.engine) as session:
        security_journal.hold(session)
        with pytest.raises(DBAPIError, match="lock timeout"):
            await sign_in(portal, BORIS)
        session.rollback()
    await frozen.close()

    assert await sign_in(portal, BORIS)


@pytest.mark.parametrize("reading", [False, True], ids=["a write", "a read"])
async def test_who_gets_no_turn_is_refused_and_the_queue_ends(
    portal: Portal, monkeypatch: pytest.MonkeyPatch, reading: bool
) -> None:
    monkeypatch.setattr(engine, "POSTGRESQL_CONNECTIONS", 1)
    database = Database(portal.config.database)
    begun, let_go = threading.Event(), threading.Event()

    def hold(_session: Session) -> None:
        begun.set()
        assert let_go.wait(PATIENCE)

    def let_in(_session: Session) -> None:
        raise AssertionError("let in after its time was over")

    holding = asyncio.ensure_future(database.write(hold))
    assert await asyncio.to_thread(begun.wait, PATIENCE)
    monkeypatch.setattr(engine, "QUEUE_TIMEOUT_S", 0.0)
    late = asyncio.ensure_future(database.read(let_in) if reading else database.write(let_in))
    await asyncio.sleep(0)  # it has asked
    let_go.set()
    with pytest.raises(OperationalError, match="no turn came"):
        await late
    await holding
    await database.close()


async def test_ten_starts_at_once_in_one_browser_leave_one_journey(portal: Portal) -> None:
    portal = with_provider(portal, ScriptedIdentity())
    await asyncio.gather(*(leave(portal, ANNA) for _ in range(10)))

    assert await count_of(portal, "identity_journey") == 1


async def test_two_ways_to_gosuslugi_at_once_carry_a_recovery_along_once(portal: Portal) -> None:
    portal = with_provider(portal, ScriptedIdentity())
    await prove(portal, ANNA)
    names = (browser(3), browser(4))
    await asyncio.gather(
        *(portal.identity.start(ANNA, Purpose.LOGIN, RETURN, next_key=name.visitor_key) for name in names)
    )
    views = [await portal.recovery.current(name) for name in (ANNA, *names)]

    assert [view.step for view in views if view] == [RecoveryStep.NEW_PASSWORD]
    assert views[0] is None


async def test_another_person_who_sits_down_finds_nothing(portal: Portal) -> None:
    portal = with_provider(portal, ScriptedIdentity())
    await prove(portal, ANNA)
    state = await leave(portal, ANNA)
    await asyncio.gather(*(portal.visitors.leave(ANNA.visitor_key) for _ in range(3)))

    (row,) = await recoveries_of(portal)
    assert (row.step, row.left_at) == (RecoveryStep.ABANDONED, portal.clock())
    with pytest.raises(IdentityRefused):
        await come_back(portal, ANNA, state, VERA)


async def test_windows_that_register_the_same_person_at_once_make_one_account(portal: Portal) -> None:
    portal = with_provider(portal, ScriptedIdentity())
    visitors = [browser(number) for number in range(6)]
    states = [await leave(portal, visitor, consent=VERSION) for visitor in visitors]
    outcomes = await asyncio.gather(
        *(come_back(portal, visitor, state, VERA) for visitor, state in zip(visitors, states, strict=True))
    )

    assert all(isinstance(outcome, OpenedSession) for outcome in outcomes)
    with portal.database.reading() as session:
        connection = session.connection()
        for table in ("linked_identity", "personal_data_consent"):
            assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 1
        people = text("SELECT count(*) FROM patient WHERE phone = :phone")
        assert connection.execute(people, {"phone": MOBILE}).scalar_one() == 1


@pytest.mark.parametrize("answer", ["consent", "not_mine"])
async def test_the_same_person_who_answers_in_two_browsers_at_once_gets_one_account(
    portal: Portal, answer: str
) -> None:
    """Each finds no one with this identity before the other has committed: who loses meets the winner's account."""
    portal = with_provider(portal, ScriptedIdentity())
    person = VERA if answer == "consent" else replace(VERA, phone=KNOWN)
    given = "" if answer == "consent" else VERSION
    for visitor in (ANNA, BORIS):
        await come_back(portal, visitor, await leave(portal, visitor, consent=given), person)
    tickets = await raced(portal, lambda answers, visitor: getattr(answers, answer)(visitor))

    owners = [await owner_of(portal, visitor, ticket) for visitor, ticket in zip((ANNA, BORIS), tickets, strict=True)]
    assert owners[0] == owners[1]
    assert await count_of(portal, "linked_identity") == await count_of(portal, "personal_data_consent") == 1


async def test_the_same_identity_linked_to_two_accounts_at_once_opens_the_first(portal: Portal) -> None:
    portal = with_provider(portal, ScriptedIdentity())
    phones = {ANNA: KNOWN, BORIS: DEMO_ACCOUNTS[1].phone}
    passwords = {ANNA: PASSWORD, BORIS: DEMO_ACCOUNTS[1].password}
    with portal.database.writing() as session:
        names = {"last_name": VERA.last_name, "first_name": VERA.first_name, "birth_date": VERA.birth_date}
        session.exec(update(Patient).where(col(Patient.phone).in_(phones.values())).values(**names))
    nameless = replace(VERA, phone="", phone_verified=False, snils="")
    for visitor in (ANNA, BORIS):
        await come_back(portal, visitor, await leave(portal, visitor), nameless)
        await portal.answers.have_account(visitor)
    outcomes = await raced(
        portal, lambda answers, visitor: answers.prove_by_password(visitor, phones[visitor], passwords[visitor])
    )

    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["AccountOfAnother", "str"]
    assert await count_of(portal, "linked_identity") == 1


async def raced(portal: Portal, act: Callable[[IdentityAnswers, Client], Awaitable[str]]) -> list[str | BaseException]:
    """Both browsers act; neither commits before both have looked for the other's row or wait for its lock."""
    held = HeldDatabase(portal.config.database)
    first = asyncio.ensure_future(act(replace(portal.answers, database=held), ANNA))
    await reached(held.reached)
    second = asyncio.ensure_future(act(portal.answers, BORIS))
    async with asyncio.timeout(PATIENCE):
        while not second.done() and not await is_waiting_for_a_lock(portal):
            await asyncio.sleep(0)
    held.let_go.set()
    outcomes = await asyncio.gather(first, second, return_exceptions=True)
    await held.close()
    return [*outcomes]


async def owner_of(portal: Portal, visitor: Client, ticket: str | BaseException) -> str:
    assert isinstance(ticket, str), ticket
    opened = await portal.login.open_session(visitor, ticket)
    assert opened is not None
    who = await portal.login.who(token_hash(opened.token))
    assert who is not None
    return who.patient_id


async def count_of(portal: Portal, table: str) -> int:
    with portal.database.reading() as session:
        counted = session.connection().execute(text(f"SELECT count(*) FROM {table}"))
        return int(counted.scalar_one())


async def test_of_twenty_cards_that_do_not_fit_exactly_five_are_asked_for(portal: Portal) -> None:
    registry = ScriptedRegistry()
    cards = with_registry(portal, registry).cards
    key = token_hash(await sign_in(portal, ANNA))
    outcomes = await asyncio.gather(
        *(cards.link(key, "7700000000000012", "01.09.2015", representative=True) for _ in range(20)),
        return_exceptions=True,
    )

    assert Counter(type(outcome).__name__ for outcome in outcomes) == {"CardNotFound": 5, "RateLimited": 15}
    assert len(registry.asked) == 5


async def test_of_ten_accounts_that_try_one_policy_exactly_five_ask_the_registry(portal: Portal) -> None:
    registry = ScriptedRegistry()
    cards = with_registry(portal, registry).cards
    keys = []
    for number in range(10):
        phone = f"+7900000{7000 + number}"
        await portal.accounts.add(NewAccount(phone, PASSWORD, "Ли", "Анна", "", phone_proved=True))
        keys.append(token_hash(await sign_in(portal, browser(number), phone)))
    outcomes = await asyncio.gather(
        *(cards.link(key, "7700000000000012", "01.09.2015", representative=True) for key in keys for _ in range(2)),
        return_exceptions=True,
    )

    assert Counter(type(outcome).__name__ for outcome in outcomes) == {"CardNotFound": 5, "RateLimited": 15}
    assert len(registry.asked) == 5


async def test_two_who_ask_each_other_at_once_both_ask_and_one_answer_counts(portal: Portal) -> None:
    """Each request holds both rows: taken in no order, they would wait for each other."""
    born = date(1990, 1, 1)
    people = [
        NewAccount(f"+790000071{number:02}", PASSWORD, "Ли", name, "", born, phone_proved=True)
        for number, name in enumerate(("Анна", "Бэла", "Вера"))
    ]
    own = [
        replace(
            FRIEND,
            ref=f"card-{person.first_name}",
            last_name="Ли",
            first_name=person.first_name,
            oms_policy=f"770000000000002{number}",
        )
        for number, person in enumerate(people)
    ]
    cards = with_registry(portal, ScriptedRegistry(own)).cards
    keys = []
    for number, (person, card) in enumerate(zip(people, own, strict=True)):
        await portal.accounts.add(person)
        keys.append(token_hash(await sign_in(portal, browser(number), person.phone)))
        await cards.link(keys[-1], card.oms_policy, "01.01.1990")
    asked = await asyncio.gather(
        *(cards.link(key, card.oms_policy, "01.01.1990") for key in keys for card in own), return_exceptions=True
    )

    for one in asked:
        if isinstance(one, SQLAlchemyError):
            raise one  # a deadlock would say so
    assert Counter(type(one).__name__ for one in asked) == {"CardAlreadyLinked": 3, "AskedConsent": 6}
    requests = [(key, one.id) for key in keys for one in (await cards.kept(key)).consents.to_answer]
    assert len(requests) == 6
    answers = [
        act(key, request) for key, request in requests for act in (cards.consent.grant, cards.consent.refuse) * 2
    ]
    outcomes = await asyncio.gather(*answers, return_exceptions=True)
    assert Counter(type(one).__name__ for one in outcomes) == {"NoneType": 6, "NoSuchRequest": 18}


async def test_of_twenty_presses_of_refresh_at_the_same_moment_one_asks_the_registry(portal: Portal) -> None:
    registry = ScriptedRegistry()
    cards = with_registry(portal, registry).cards
    key = token_hash(await sign_in(portal, ANNA))
    views = await asyncio.gather(*(cards.current(key, ask_again=True) for _ in range(20)))

    assert Counter(bool(view.wait) for view in views) == {False: 1, True: 19}


async def test_a_new_phone_is_saved_with_everything_that_waited_for_its_code(portal: Portal) -> None:
    key = token_hash(await sign_in(portal, ANNA))
    form = SettingsForm("+79000006001", "", "Иванова", "Марья", "KorablLipa47", "KorablLipa47")
    assert (await portal.settings.save(signed_in(key), form, CALL)).code_needed
    outcomes = await asyncio.gather(
        *(portal.settings.confirm_phone(key, code) for code in [await last_code(portal)] * 5), return_exceptions=True
    )

    assert sum(isinstance(outcome, Saved) for outcome in outcomes) == 1
    assert await sign_in(portal, BORIS, "+79000006001", "KorablLipa47")


class HeldDatabase(Database):
    """Holds every writing transaction open before its commit until it is let go."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.reached = threading.Event()
        self.let_go = threading.Event()

    @contextmanager
    def writing(self) -> Iterator[Session]:
        with super().writing() as session:
            yield session
            session.flush()
            self.reached.set()
            if not self.let_go.wait(PATIENCE):
                raise TimeoutError


async def reached(event: threading.Event) -> None:
    """Wait until a database thread has come so far; the loop goes on meanwhile."""
    if not await asyncio.to_thread(event.wait, PATIENCE):
        raise TimeoutError


async def is_waiting_for_a_lock(portal: Portal) -> bool:
    question = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    return await portal.database.read(lambda session: bool(session.connection().execute(question).scalar_one()))


async def test_a_session_opened_while_the_password_changes_does_not_outlive_it(portal: Portal) -> None:
    clock = portal.clock
    assert isinstance(clock, MovableClock)
    await prove(portal, ANNA)
    ticket = await portal.login.log_in(BORIS, KNOWN, PASSWORD)
    clock.move(seconds=1)
    held = HeldDatabase(portal.config.database)
    opening = asyncio.create_task(replace(portal.login, database=held).open_session(BORIS, ticket))
    changing = asyncio.create_task(held_back(held, portal.recovery.set_password(ANNA, NEW)))
    async with asyncio.timeout(PATIENCE):
        while not changing.done() and not await is_waiting_for_a_lock(portal):
            await asyncio.sleep(0)
    held.let_go.set()
    opened, changed = await asyncio.gather(opening, changing)
    await held.close()

    assert changed.step is RecoveryStep.DONE
    assert opened is not None
    assert await portal.login.who(token_hash(opened.token)) is None


async def held_back(held: HeldDatabase, action: Awaitable[RecoveryView]) -> RecoveryView:
    """Act once the held transaction has done everything but commit."""
    await reached(held.reached)
    return await action


async def test_equal_refusals_are_one_row_and_one_load_reads_a_bounded_part(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "SCAN", 20)
    key = token_hash(await sign_in(portal, ANNA))
    await fill(portal, 20 * SCANS + 5, JournalEvent.SIGN_IN_REFUSED)
    first = await portal.journal.mine(key)
    second = await portal.journal.mine(key, first.rows[-1].number)

    assert [(row.event, row.times) for row in first.rows] == [(JournalEvent.SIGN_IN_REFUSED, 20 * SCANS)]
    assert first.more
    assert [(row.event, row.times) for row in second.rows] == [
        (JournalEvent.SIGN_IN_REFUSED, 5),
        (JournalEvent.SIGNED_IN, 1),
        (JournalEvent.ACCOUNT_MADE, 1),
    ]


@pytest.mark.parametrize("check", ACCOUNT_LIMITS, ids=lambda check: check.__name__)
async def test_limits_of_an_account_are_exact(portal: Portal, check: Callable[[Portal], Awaitable[None]]) -> None:
    await check(portal)


async def test_a_ticket_does_not_outlive_its_password_whatever_the_clock_says(portal: Portal) -> None:
    ticket = await portal.login.log_in(ANNA, KNOWN, PASSWORD)
    before = await patient_with(portal)
    assert before.password_hash is not None
    assert before.password_changed_at is not None
    with portal.database.writing() as session:
        patients.set_password(session, before.id, before.password_hash, before.password_changed_at)

    assert await portal.login.open_session(ANNA, ticket) is None


async def test_of_two_who_sign_out_at_once_one_takes_the_providers_token_along(portal: Portal) -> None:
    portal = with_provider(portal, ScriptedIdentity())
    opened = await come_back(portal, ANNA, await leave(portal, ANNA, consent=VERSION), VERA)
    assert isinstance(opened, OpenedSession)
    key = token_hash(opened.token)
    ended = await asyncio.gather(*(portal.login.close_session(key) for _ in range(5)))
    (one,) = [session for session in ended if session is not None]
    with portal.database.reading() as session:
        row = session.exec(select(AccountSession)).one()

    assert portal.identity.persons.open(one.provider_token_sealed) == VERA.id_token
    assert row.provider_token_sealed == ""


async def test_begins_at_once_for_one_phone_leave_one_live_code(portal: Portal) -> None:
    async def begin(visitor: int, way: ChannelName) -> str:
        try:
            await portal.recovery.begin(Client(visitor_key=f"{visitor:064x}"), KNOWN, way)
        except (RateLimited, TooManyCodes) as refusal:
            return type(refusal).__name__
        return "sent"

    outcomes = Counter(await asyncio.gather(*(begin(number, way) for number in range(10) for way in GUIDE_CHANNELS)))

    assert outcomes == {"sent": 1, "RateLimited": 19}
    assert len(await rows_of(portal)) == 1


async def test_a_double_click_leaves_one_recovery_and_one_code(portal: Portal) -> None:
    views = await asyncio.gather(*(portal.recovery.begin(ANNA, KNOWN, CALL) for _ in range(10)))

    assert {view.step for view in views} == {RecoveryStep.CODE}
    assert (len(await rows_of(portal)), len(await recoveries_of(portal))) == (1, 1)


async def test_fifty_begins_at_once_spend_the_cap_and_no_kopeck_more(portal: Portal) -> None:
    budgets = {CALL: Budget(price=90, cap=900)}
    issuer = replace(
        portal.recovery.codes.issuer, spending=Spending(budgets, portal.recovery.codes.issuer.spending.alarms)
    )
    service = replace(portal.recovery, codes=replace(portal.recovery.codes, issuer=issuer))

    async def begin(number: int) -> str:
        try:
            await service.begin(browser(number), f"+7900500{number:04}", CALL)
        except ChannelOverBudget:
            return "over"
        return "sent"

    assert Counter(await asyncio.gather(*map(begin, range(50)))) == {"sent": 10, "over": 40}
    with portal.database.reading() as session:
        assert limits.spent(session, billing_day(portal.clock())) == {CALL: 900}


async def test_wrong_codes_at_once_over_all_phones_open_the_breaker_once(
    portal: Portal, caplog: pytest.LogCaptureFixture
) -> None:
    visitors = [browser(number) for number in range(20)]
    for number, visitor in enumerate(visitors):
        await portal.recovery.begin(visitor, f"+7900500{number:04}", CALL)
    codes = {row.phone: code_in(portal, row) for row in await rows_of(portal)}

    async def miss(number: int) -> None:
        with pytest.raises(CodeMismatch):
            await portal.recovery.confirm_code(visitors[number], wrong(codes[f"+7900500{number:04}"]))

    await asyncio.gather(*(miss(number) for number in range(20) for _ in range(3)))
    assert caplog.text.count("ALARM breaker-open: the circuit breaker of codes is open for 30 min") == 1
    with portal.database.reading() as session:
        assert codes_circuit_breaker.state(session).times == 1


async def test_of_thirty_wrong_birth_dates_at_once_three_are_judged(portal: Portal) -> None:
    always = StepUp(StepUpPolicy(StepUpWhen.ALWAYS, timedelta(days=30), timedelta(days=90)))
    service = replace(portal.recovery, step_up=always)
    await service.begin(ANNA, KNOWN, CALL)
    assert (await service.confirm_code(ANNA, await last_code(portal))).step is RecoveryStep.BIRTH_DATE

    async def answer(day: int) -> str:
        try:
            return (await service.confirm_birth_date(ANNA, f"{day:02}.01.1990")).step
        except BirthDateMismatch as refusal:
            return f"mismatch {refusal.attempts_left}"

    outcomes = Counter(await asyncio.gather(*map(answer, range(1, 31))))
    assert [outcomes[f"mismatch {left}"] for left in (2, 1)] == [1, 1]
    recovery = (await recoveries_of(portal))[0]
    assert (recovery.birth_date_misses, recovery.step) == (3, RecoveryStep.REFUSED)


@pytest.mark.parametrize("scenario", strangers.SCENARIOS, ids=lambda one: one.__name__)
async def test_what_a_stranger_does_inside_the_account_leaves_the_owner_a_way(
    portal: Portal, scenario: strangers.Scenario
) -> None:
    await scenario(with_provider(portal, ScriptedIdentity()))
    assert (await portal.journal_keeper.examine()).fault == ""


@dataclass
class FirstLock:
    """Stops the first transaction that calls one of some functions after that call, until it is let go."""

    reached: threading.Event = field(default_factory=threading.Event)
    let_go: threading.Event = field(default_factory=threading.Event)

    def after(self, monkeypatch: pytest.MonkeyPatch, *functions: Callable[..., object]) -> None:
        for function in functions:
            monkeypatch.setattr(sys.modules[function.__module__], function.__name__, self._stopping(function))

    def _stopping(self, function: Callable[..., object]) -> Callable[..., object]:
        def stopping(*arguments: object, **named: object) -> object:
            outcome = function(*arguments, **named)
            if not self.reached.is_set():
                self.reached.set()
                if not self.let_go.wait(PATIENCE):
                    raise TimeoutError
            return outcome

        return stopping


Act: TypeAlias = Callable[[], Awaitable[object]]


async def a_refused_call_and_another_code(portal: Portal) -> tuple[Act, Act]:
    """The refused one gives its money back, the other one takes some."""
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    assert (await last_row(portal)).price > 0
    strangers.move(portal, minutes=2)
    channel = ScriptedChannel(answers=deque([NumberRefused()]))
    refused = dispatcher_of(portal, flash_call=channel)
    return lambda: dispatch(refused), lambda: portal.recovery.resend(ANNA, CALL)


async def two_phones_in_one_browser(portal: Portal) -> tuple[Act, Act]:
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    strangers.move(portal, minutes=2)
    return lambda: portal.recovery.begin(ANNA, UNKNOWN, CALL), lambda: portal.recovery.resend(ANNA, CALL)


async def another_code_and_another_number_in_the_settings(portal: Portal) -> tuple[Act, Act]:
    keys = [token_hash(await sign_in(portal, visitor)) for visitor in (ANNA, BORIS)]
    form = SettingsForm("+79000008881", "", "Иванова", "Мария", "", "")
    await portal.settings.save(signed_in(keys[0]), form, CALL)
    strangers.move(portal, minutes=2)
    other = replace(form, phone="+79000008882")
    return lambda: portal.settings.resend(signed_in(keys[0]), CALL), lambda: portal.settings.save(
        signed_in(keys[1]), other, CALL
    )


async def the_right_code_and_an_erasure(portal: Portal) -> tuple[Act, Act]:
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    code = await last_code(portal)
    return lambda: portal.recovery.confirm_code(ANNA, code), lambda: portal.desk.personal_data.erase(KNOWN)


async def a_dispute_and_a_notice_that_was_sent(portal: Portal) -> tuple[Act, Act]:
    me = await portal.login.who(token_hash(await sign_in(portal, ANNA)))
    assert me is not None
    token = await link_of(portal, me.patient_id)
    strangers.move(portal, minutes=1)
    for _ in range(2):
        with portal.database.writing() as session:
            portal.notices.put(session, me.patient_id, Told(KNOWN, About.PASSWORD, Text.ACCESS_CHANGED))
        strangers.move(portal, minutes=1)
    return lambda: portal.dispute.raise_(token), lambda: told(portal)


async def a_dispute_and_a_sign_in_through_gosuslugi(portal: Portal) -> tuple[Act, Act]:
    await strangers.stranger_links(portal)
    patient = (await strangers.identities(portal))[0].patient_id
    with portal.database.reading() as session:
        notice = session.exec(select(Notice).where(Notice.patient_id == patient)).one()
    links = DisputeLinks("", Sealer(portal.config.key, "dispute"))
    token = links.link(notice.id, notice.dispute_hash or "").removeprefix("#")
    state = await leave(portal, ANNA)
    return lambda: portal.dispute.raise_(token), lambda: come_back(portal, ANNA, state, strangers.THIEFS)


async def an_identity_taken_off_and_a_ticket_of_it(portal: Portal) -> tuple[Act, Act]:
    await portal.accounts.add(NewAccount(strangers.PHONE, PASSWORD, VERA.last_name, VERA.first_name))
    await come_back(portal, BORIS, await leave(portal, BORIS), strangers.THIEFS)
    await portal.answers.have_account(BORIS)
    ticket = await portal.answers.prove_by_password(BORIS, strangers.PHONE, PASSWORD)
    key = token_hash(await sign_in(portal, ANNA, strangers.PHONE))
    (one,) = await portal.identities.all(key)
    return lambda: portal.identities.unlink(key, one.number), lambda: portal.login.open_session(BORIS, ticket)


async def a_number_at_the_desk_and_a_notice_that_waits_for_money(portal: Portal) -> tuple[Act, Act]:
    """The act ends the link of the notice, which is claimed in this moment; both pay."""
    patient = (await patient_with(portal)).id
    await link_of(portal, patient)
    with portal.database.writing() as session:
        session.exec(update(Notice).values(paid_at=None))
    strangers.move(portal, minutes=1)
    money = Spending({NOTICE: Budget(price=100, cap=100_000)}, portal.alarms)
    links, phone = portal.notices._links, Phone()
    queue = NoticeQueue(portal.clock, wording, links, money, writes_texts=True, writes_mail=False)
    desk = replace(portal.desk.personal_data, notices=queue)
    sender = NoticeService(portal.database, portal.clock, phone, wording, links, money)
    with portal.database.reading() as session:
        row = session.exec(select(Notice)).one()
    return (
        lambda: desk.set_phone(KNOWN, UNKNOWN),
        lambda: sender._take(row, to_phone(phone), portal.clock()),
    )


async def a_new_password_and_a_right_code_in_another_browser(portal: Portal) -> tuple[Act, Act]:
    await prove(portal, ANNA)
    strangers.move(portal, minutes=2)
    await portal.recovery.begin(BORIS, KNOWN, CALL)
    code = await last_code(portal)
    return lambda: portal.recovery.set_password(ANNA, NEW), lambda: portal.recovery.confirm_code(BORIS, code)


# After any of these a transaction has a lock. Wherever it stops, the other goes on as far as it can.
LOCKS: dict[str, list[Callable[..., object]]] = {
    "code": [codes.kill_live, codes.set_delivery, codes.judge],
    "money": [limits.add_within, limits.give_back],
    "patient": [patients.by_id_held, patients.hold, patients.by_phone_held],
    "last": [
        password_recoveries.set_left,
        password_recoveries.move,
        account_changes.finish,
        notices.take_dispute,
        notices.record_sent,
        notices.take,
        notices.end_links_elsewhere,
        login.take_ticket,
        gosuslugi.linked,
    ],
}


PAIRS = {
    a_refused_call_and_another_code: ("code", "money"),
    two_phones_in_one_browser: ("money", "last"),
    another_code_and_another_number_in_the_settings: ("money", "patient", "last"),
    the_right_code_and_an_erasure: ("code", "patient"),
    a_dispute_and_a_notice_that_was_sent: ("patient", "last"),
    a_dispute_and_a_sign_in_through_gosuslugi: ("patient", "last"),
    an_identity_taken_off_and_a_ticket_of_it: ("patient", "last"),
    a_number_at_the_desk_and_a_notice_that_waits_for_money: ("patient", "last", "money"),
    a_new_password_and_a_right_code_in_another_browser: ("code", "patient", "last"),
}


@pytest.mark.parametrize("way", ["there", "back"])
@pytest.mark.parametrize(
    ("pair", "lock"),
    [pytest.param(pair, lock, id=f"{pair.__name__}-{lock}") for pair, stops in PAIRS.items() for lock in stops],
)
async def test_two_at_once_take_their_locks_in_one_order(
    portal: Portal,
    monkeypatch: pytest.MonkeyPatch,
    pair: Callable[[Portal], Awaitable[tuple[Act, Act]]],
    way: str,
    lock: str,
) -> None:
    """The second waits for the first, or goes past it: PostgreSQL has to break no deadlock (the order: `storage.engine`)."""
    portal = with_provider(priced(portal), ScriptedIdentity())
    acts = await pair(portal)
    first, second = acts if way == "there" else reversed(acts)
    stopped = FirstLock()
    stopped.after(monkeypatch, *LOCKS[lock])
    one = asyncio.ensure_future(first())
    reaching = asyncio.ensure_future(reached(stopped.reached))
    await asyncio.wait((one, reaching), return_when=asyncio.FIRST_COMPLETED)
    stopped.reached.set()  # it may have ended without such a lock: the other is not stopped
    await reaching
    two = asyncio.ensure_future(second())
    async with asyncio.timeout(PATIENCE):
        while not two.done() and not await is_waiting_for_a_lock(portal):
            await asyncio.sleep(0)
    stopped.let_go.set()
    outcomes = await asyncio.gather(one, two, return_exceptions=True)

    assert [outcome for outcome in outcomes if isinstance(outcome, SQLAlchemyError | AssertionError)] == []


HELD: dict[str, Callable[[Session, Patient], Patient | None]] = {
    "by-id": lambda session, read: patients.by_id_held(session, read.id),
    "several": lambda session, read: patients.held(session, {read.id}).get(read.id),
    "by-phone": lambda session, read: patients.by_phone_held(session, read.phone or ""),
    "by-snils": lambda session, read: patients.by_snils_held(session, [read.snils_index or ""]),
}


@pytest.mark.parametrize("lock", [pytest.param(lock, id=name) for name, lock in HELD.items()])
async def test_a_lock_gives_the_patient_as_it_found_them(
    portal: Portal, lock: Callable[[Session, Patient], Patient | None]
) -> None:
    """A session gives a row again as it was read: what another transaction changed meanwhile must not be missed, nor what this
    one has changed itself be lost."""
    of_maria = update(Patient).where(col(Patient.phone) == KNOWN)
    with portal.database.writing() as session:
        session.exec(of_maria.values(snils_index="maria"))
    with portal.database.writing() as session:
        patient = session.exec(select(Patient).where(Patient.phone == KNOWN)).one()
        with portal.database.writing() as other:
            other.exec(of_maria.values(last_name="Новая"))
        patient.patronymic = "Павловна"
        held = lock(session, patient)

        assert held is patient
        assert (held.last_name, held.patronymic) == ("Новая", "Павловна")


def priced(portal: Portal) -> Portal:
    """Each call costs money, so that the day's sum is a row that everybody wants."""
    old = portal.recovery.codes.issuer
    issuer = replace(old, spending=Spending({CALL: Budget(price=90, cap=90_000)}, old.spending.alarms))
    recovery, settings = portal.recovery, portal.settings
    return replace(
        portal,
        recovery=replace(recovery, codes=replace(recovery.codes, issuer=issuer)),
        settings=replace(settings, codes=replace(settings.codes, issuer=issuer)),
    )


async def test_a_frozen_server_is_named_by_the_watch_and_forgotten_when_it_goes_on(
    portal: Portal, clock: MovableClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(database_watch, "ANSWER_WITHIN", timedelta(seconds=0.2))
    watch = DatabaseWatch(portal.database, clock, portal.alarms)
    await watch.look()
    with portal.database.reading() as session:
        backends = session.connection().execute(
            text("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
        )
        pids = list(backends.scalars())
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        await watch.look()
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
    assert caplog.messages[-1].startswith("ALARM database-gone: the database does not answer (")
    said = len(caplog.messages)
    monkeypatch.setattr(database_watch, "ANSWER_WITHIN", timedelta(seconds=PATIENCE))
    await watch.look()
    assert len(caplog.messages) == said


async def test_connections_and_the_patience_for_locks_are_settings(portal: Portal, tmp_path: Path) -> None:
    config = config_in(
        tmp_path,
        database_url=portal.config.database,
        database_connections=3,
        database_lock_timeout="1.5 s",
        database_statement_timeout="2.5 s",
    )
    other = build_portal(config)
    told = await other.database.read(engine.patience)
    await other.close()
    said = "a statement ends after 2500ms, a wait for a lock ends after 1500ms, an idle transaction ends after 15s"
    assert told == said
    assert other.database.engine.pool.size() == 3  # type: ignore[attr-defined]


async def test_a_statement_that_takes_too_long_is_cut_and_a_patient_is_asked_to_try_again(
    portal: Portal, tmp_path: Path
) -> None:
    config = config_in(
        tmp_path,
        database_url=portal.config.database,
        database_lock_timeout="0.1 s",
        database_statement_timeout="0.2 s",
    )
    other = build_portal(config)

    def half_done(session: Session) -> None:
        session.connection().execute(text("UPDATE patient SET email = 'changed@example.ru'"))
        session.connection().execute(text("SELECT pg_sleep(60)"))

    with pytest.raises(OperationalError) as cut:
        await other.database.write(half_done)
    assert cut.value.orig.sqlstate == "57014"  # query_canceled
    assert is_outage(cut.value)  # so the screen says DATABASE_AWAY
    with other.database.reading() as session:
        assert (
            session.connection().execute(text("SELECT count(*) FROM patient WHERE email LIKE 'changed%'")).scalar() == 0
        )
    await other.close()


async def test_migrations_and_commands_are_not_cut(portal: Portal, tmp_path: Path) -> None:
    """Not even where the database has a time-out of its own."""
    config = config_in(
        tmp_path,
        database_url=portal.config.database,
        database_lock_timeout="0.1 s",
        database_statement_timeout="0.2 s",
    )
    with portal.database.writing() as session:
        name = session.connection().execute(text("SELECT current_database()")).scalar_one()
        session.connection().execute(text(f'ALTER DATABASE "{name}" SET statement_timeout = 200'))
    desk = build_desk(config)
    bare = Database(config.database)  # as migrations have it
    for database in (desk.database, bare):
        with database.reading() as session:
            assert session.connection().execute(text("SHOW statement_timeout")).scalar_one() == "0"
    await desk.close()
    await bare.close()
