"""The database locked, full, read-only and gone while patients are served: a sentence, nothing half-done, and on it goes."""

from __future__ import annotations

import asyncio
import re
import resource
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from medonline.bootstrap import Portal
from medonline.domain.client import Client
from medonline.domain.password_recovery import RecoveryStep
from medonline.services.account_settings.form import SettingsForm
from medonline.services.crypto.tokens import token_hash
from medonline.services.gosuslugi.login import Purpose
from medonline.wording.errors import DATABASE_AWAY
from tests.attacks.conftest import StartServer
from tests.attacks.raw import processes_of
from tests.e2e.server import Server
from tests.in_clear import holds_code
from tests.patience import PATIENCE
from tests.services.outside import RETURN, ScriptedIdentity, dump, with_provider
from tests.services.world import (
    ANNA,
    BORIS,
    CALL,
    KNOWN,
    PASSWORD,
    UNKNOWN,
    MovableClock,
    PlainHasher,
    ScriptedChannel,
    dispatch,
    dispatcher_of,
    last_code,
    last_row,
    patient_with,
    prove,
    settled,
    sign_in,
    signed_in,
    told_of,
)
from tests.state.steps import begin, wait_for_step
from tests.state.tab import FAILURE, LOGIN, RECOVERY, Tab
from tests.state.watching import code_to, fresh_phone, log_of, new_tab, record, step_of
from tests.web.conftest import Browser

NAME = "medonline.sqlite3"
NEW_PASSWORD = "KorablLipa47"
Trouble = Callable[[Server], AbstractContextManager[None]]


# --- a server whose database is in trouble ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def served(start_server: StartServer) -> Server:
    return start_server()


@contextmanager
def locked(server: Server) -> Iterator[None]:
    """Another process holds the write lock, as a backup or a shell that was left open does."""
    with closing(sqlite3.connect(server.data_dir / NAME, isolation_level=None, timeout=PATIENCE)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def full(server: Server) -> Iterator[None]:
    """The server's processes may write no file beyond 256 KB; the log that the database writes ahead is longer."""
    with closing(sqlite3.connect(server.data_dir / NAME, isolation_level=None, timeout=PATIENCE)) as other:
        other.execute("CREATE TABLE filler (a)")
        other.execute("INSERT INTO filler VALUES (zeroblob(400000))")
        other.execute("DROP TABLE filler")
        assert (server.data_dir / f"{NAME}-wal").stat().st_size > 300_000
        assert server.log.stat().st_size < 200_000
        limit_files(server, 256 * 1024)
        yield
        limit_files(server, resource.RLIM_INFINITY)


def limit_files(server: Server, most: int) -> None:
    for process in processes_of(server):
        resource.prlimit(process, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))


@contextmanager
def gone(server: Server) -> Iterator[None]:
    """The file with what belongs to it is moved away, and comes back."""
    aside = server.data_dir / "aside"
    aside.mkdir()
    for file in server.data_dir.glob(f"{NAME}*"):
        file.rename(aside / file.name)
    yield
    assert list(server.data_dir.glob(f"{NAME}*")) == []  # no empty one was made in its place
    for file in aside.iterdir():
        file.rename(server.data_dir / file.name)
    aside.rmdir()


def told(tab: Tab) -> str:
    """The number in the sentence that the patient reads."""
    while True:
        text = tab.wait_for(FAILURE, "text")
        if text:
            found = re.fullmatch(rf"{re.escape(DATABASE_AWAY)} Номер для поддержки: (\w{{6}})\.", text)
            assert found
            return found[1]


@pytest.mark.parametrize("trouble", [locked, full, gone], ids=lambda trouble: trouble.__name__)
def test_a_patient_reads_a_sentence_and_goes_on_when_the_database_is_back(served: Server, trouble: Trouble) -> None:
    phone, logged = fresh_phone(), len(log_of(served))
    browser = httpx.Client(base_url=served.url, trust_env=False, timeout=PATIENCE)
    with new_tab(served) as tab, browser as http:
        http.cookies.update(tab.cookies)
        begin(tab, phone)
        code = code_to(served, phone)
        before = record(served)
        with trouble(served):
            tab.call(f"{RECOVERY}.confirm_code", form={"code": code})
            answer = http.post("/gosuslugi/start", data={"purpose": "login"}, headers={"Origin": served.url})
            number = told(tab)
        assert (answer.status_code, answer.headers["content-type"]) == (503, "text/html; charset=utf-8")
        assert "Портал временно не отвечает" in answer.text
        assert record(served) == before
        assert step_of(served, tab) == "code"

        tab.call(f"{RECOVERY}.confirm_code", form={"code": code})
        wait_for_step(tab, "no_account")
    served.assert_alive()
    news = log_of(served)[logged:]
    assert f"A handler failed [{number}]: OperationalError" in news
    assert not holds_code(news, code)
    for secret in (phone[1:], tab.cookies["medonline_visitor"].partition(".")[0], "Traceback", "UPDATE "):
        assert secret not in news


def test_with_the_database_gone_the_portal_says_that_it_is_not_ready_until_it_is_back(served: Server) -> None:
    def answer(path: str) -> tuple[int, str]:
        answered = httpx.get(f"{served.url}{path}", trust_env=False, timeout=PATIENCE)
        return answered.status_code, answered.json()["database"] if path == "/health/ready" else ""

    with gone(served):
        assert answer("/health/ready") == (503, "no answer")
        assert answer("/health/live")[0] == 200
        assert answer("/")[0] == 200  # the page itself needs no database
    assert answer("/health/ready")[1] == "ok"


def test_a_code_that_was_sent_while_the_database_was_locked_is_recorded_and_accepted(served: Server) -> None:
    phone = fresh_phone()
    with new_tab(served) as tab:
        begin(tab, phone, "telegram")
        with locked(served):
            tab.call(f"{LOGIN}.log_in", form={"phone": phone, "password": "Wrong12345", "page": "p"})
            tab.settle()  # reading goes on
        tab.call(f"{RECOVERY}.confirm_code", form={"code": code_to(served, phone)})
        wait_for_step(tab, "no_account")


# --- every write of the services ----------------------------------------------------------------------------------

Verb = Callable[[Portal], Awaitable[Any]]


@contextmanager
def read_only(portal: Portal) -> Iterator[None]:
    """Every connection refuses to write, as on a disk that was remounted so."""
    state = {"on": 1}

    def set_it(_connection: Any, record: Any, _proxy: Any) -> None:
        cursor = record.dbapi_connection.cursor()
        cursor.execute(f"PRAGMA query_only={state['on']}")
        cursor.close()

    event.listen(portal.database.engine, "checkout", set_it)
    yield
    state["on"] = 0


async def _begun(portal: Portal) -> Verb:
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    code = await last_code(portal)
    return lambda served: served.recovery.confirm_code(ANNA, code)


async def _proved(portal: Portal) -> Verb:
    await prove(portal, ANNA)
    return lambda served: served.recovery.set_password(ANNA, NEW_PASSWORD)


async def _nothing(_portal: Portal) -> Verb:
    return lambda served: served.recovery.begin(BORIS, UNKNOWN, CALL)


async def _left(portal: Portal) -> Verb:
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    return lambda served: served.recovery.leave(ANNA)


async def _signing_in(_portal: Portal) -> Verb:
    return lambda served: served.login.log_in(ANNA, KNOWN, PASSWORD)


async def _with_ticket(portal: Portal) -> Verb:
    ticket = await portal.login.log_in(ANNA, KNOWN, PASSWORD)
    return lambda served: served.login.open_session(ANNA, ticket)


async def _signed_in(portal: Portal) -> Verb:
    key = token_hash(await sign_in(portal, ANNA))
    return lambda served: served.login.close_session(key)


async def _in_settings(portal: Portal) -> Verb:
    key = token_hash(await sign_in(portal, ANNA))
    form = SettingsForm(KNOWN, "", "Иванова", "Марья", NEW_PASSWORD, NEW_PASSWORD)
    return lambda served: served.settings.save(signed_in(key), form, CALL)


async def _new_phone(portal: Portal) -> Verb:
    key = token_hash(await sign_in(portal, ANNA))
    form = SettingsForm("+79000006001", "", "Иванова", "Мария", "", "")
    return lambda served: served.settings.save(signed_in(key), form, CALL)


async def _off_to_gosuslugi(_portal: Portal) -> Verb:
    return lambda served: served.identity.start(ANNA, Purpose.LOGIN, RETURN)


VERBS = (
    _nothing, _begun, _proved, _left, _signing_in, _with_ticket, _signed_in, _in_settings, _new_phone, _off_to_gosuslugi
)  # fmt: skip


@pytest.mark.parametrize("prepare", VERBS, ids=lambda prepare: prepare.__name__.strip("_"))
async def test_where_nothing_can_be_written_nothing_is_half_done_and_the_next_try_succeeds(
    portal: Portal, folder: Path, prepare: Callable[[Portal], Awaitable[Verb]]
) -> None:
    ended = told_of(portal, "session")
    served = with_provider(portal, ScriptedIdentity())
    act = await prepare(served)
    before = dump(folder)
    with read_only(portal):
        with pytest.raises(OperationalError, match="readonly"):
            await act(served)
        assert ended == []  # no socket is closed for what was not committed
    assert dump(folder) == before

    await act(served)
    assert dump(folder) != before


async def test_a_full_database_refuses_whole_recoveries_and_forgets_none(portal: Portal, folder: Path) -> None:
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    limit = {"pages": 1}  # SQLite takes the size the database has, when that is more

    def set_it(_connection: Any, record: Any, _proxy: Any) -> None:
        cursor = record.dbapi_connection.cursor()
        cursor.execute(f"PRAGMA max_page_count={limit['pages']}")
        cursor.close()

    event.listen(portal.database.engine, "checkout", set_it)
    begun, refused = 0, None
    before = dump(folder)
    while refused is None and begun < 200:
        try:
            await portal.recovery.begin(Client(visitor_key=f"{begun:064d}"), f"+7900{4_000_000 + begun}", CALL)
            begun, before = begun + 1, dump(folder)
        except OperationalError as error:
            refused = error
    assert "database or disk is full" in str(refused)
    assert dump(folder) == before
    first = await portal.recovery.current(ANNA)
    assert first is not None  # a client that only asks is served
    assert first.step is RecoveryStep.CODE

    limit["pages"] = 1_000_000
    await portal.recovery.begin(Client(visitor_key=f"{begun:064d}"), f"+7900{4_000_000 + begun}", CALL)
    await portal.recovery.confirm_code(ANNA, await last_code(portal, KNOWN))
    recovery = portal.recovery
    service = replace(recovery, new_password=replace(recovery.new_password, hasher=PlainHasher()))
    assert (await service.set_password(ANNA, NEW_PASSWORD)).step is RecoveryStep.DONE
    assert (await patient_with(portal)).password_hash == f"plain:{NEW_PASSWORD}"


async def test_a_route_that_cannot_write_answers_with_a_russian_page(
    portal: Portal, open_browser: Browser, folder: Path
) -> None:
    anna = open_browser(raises=False)
    await anna.get("/")
    visitor = Client(visitor_key=token_hash(anna.cookies["medonline_visitor"].partition(".")[0]))
    ticket = await portal.login.log_in(visitor, KNOWN, PASSWORD)
    before = dump(folder)
    with read_only(portal):
        answer = await anna.post("/session/open", data={"ticket": ticket})
    assert (answer.status_code, "set-cookie" in answer.headers) == (503, False)
    assert answer.headers["retry-after"] == "60"
    assert "Портал временно не отвечает" in answer.text
    assert "readonly" not in answer.text
    assert dump(folder) == before

    assert (await anna.post("/session/open", data={"ticket": ticket})).headers["location"] == "/cards"


async def test_a_call_that_was_made_and_could_not_be_recorded_is_not_made_again_while_it_counts(
    portal: Portal, clock: MovableClock
) -> None:
    """The provider has rung, and the record of that fails for a moment."""
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    channel = ScriptedChannel(idempotent=False, hold=asyncio.Event())
    dispatcher = dispatcher_of(portal, flash_call=channel)
    await dispatcher.outbox.turn()
    await channel.arrived.wait()
    assert channel.hold is not None
    with read_only(portal):
        channel.hold.set()
        with pytest.raises(OperationalError):
            await settled(dispatcher.outbox)
    clock.move(seconds=60)
    await dispatch(dispatcher)

    assert len(channel.asked) == 1
    row = await last_row(portal)
    assert row.delivery == "failed"
    assert (await portal.recovery.confirm_code(ANNA, channel.asked[0].code)).step is RecoveryStep.NEW_PASSWORD
