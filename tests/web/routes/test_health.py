"""Health: alive is the process; ready is the process, the database and the dispatcher."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from medonline.bootstrap import Portal
from medonline.domain.password_recovery import RecoveryStep
from tests.patience import PATIENCE
from tests.services.world import ANNA, CALL, KNOWN, SECRET_KEY, MovableClock, opened, sign_in
from tests.web.conftest import Browser


@pytest.fixture
async def _turning(portal: Portal):
    task = asyncio.create_task(portal.dispatcher.outbox.run())
    async with asyncio.timeout(PATIENCE):
        while not portal.dispatcher.outbox.is_running():
            await asyncio.sleep(0)
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@pytest.mark.usefixtures("_turning")
async def test_a_working_portal_is_ready(open_browser: Browser) -> None:
    answer = await open_browser().get("/health/ready")

    assert (answer.status_code, answer.json()) == (200, {"database": "ok", "dispatcher": "ok"})


@pytest.mark.usefixtures("_turning")
async def test_a_portal_that_was_told_to_end_is_alive_but_not_ready(open_browser: Browser, portal: Portal) -> None:
    portal.stopping.set()
    ready, live = await open_browser().get("/health/ready"), await open_browser().get("/health/live")

    assert (ready.status_code, ready.json()["process"]) == (503, "stopping")
    assert live.status_code == 200


async def test_a_portal_whose_dispatcher_stands_still_is_not_ready(open_browser: Browser) -> None:
    answer = await open_browser().get("/health/ready")

    assert (answer.status_code, answer.json()) == (503, {"database": "ok", "dispatcher": "not running"})


@pytest.mark.usefixtures("_turning")
async def test_a_stalled_dispatcher_is_noticed(open_browser: Browser, portal: Portal, clock: MovableClock) -> None:
    portal.dispatcher.outbox._last_turn = clock.now
    clock.move(seconds=15)
    answer = await open_browser().get("/health/ready")

    assert (answer.status_code, answer.json()["dispatcher"]) == (503, "not running")


@pytest.mark.usefixtures("_turning")
async def test_a_portal_whose_database_refuses_to_write_is_not_ready_until_it_writes_again(
    open_browser: Browser, portal: Portal
) -> None:
    state = {"on": 1}

    def set_it(_connection: Any, record: Any, _proxy: Any) -> None:
        cursor = record.dbapi_connection.cursor()
        cursor.execute(f"PRAGMA query_only={state['on']}")
        cursor.close()

    event.listen(portal.database.engine, "checkout", set_it)
    browser = open_browser()
    with pytest.raises(OperationalError):
        await portal.recovery.begin(ANNA, KNOWN, CALL)
    refused = [await browser.get("/health/ready") for _ in range(2)]
    state["on"] = 0
    async with asyncio.timeout(PATIENCE):
        while (await browser.get("/health/ready")).status_code != 200:
            await asyncio.sleep(0)

    assert [(answer.status_code, answer.json()["database"]) for answer in refused] == [(503, "takes no writes")] * 2
    assert (await portal.recovery.begin(ANNA, KNOWN, CALL)).step is RecoveryStep.CODE


@pytest.mark.usefixtures("_turning")
async def test_behind_a_lock_one_trial_waits_and_the_answer_does_not(
    open_browser: Browser, portal: Portal, folder: Path
) -> None:
    portal.database.write_fault = "takes no writes"
    with closing(sqlite3.connect(folder / "medonline.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        browser = open_browser()
        answers = [await browser.get("/health/ready") for _ in range(2)]
        trial = portal.database._trial
        other.execute("ROLLBACK")

    assert [answer.status_code for answer in answers] == [503, 503]
    assert trial is not None
    await trial
    assert (await browser.get("/health/ready")).status_code == 200


async def test_a_portal_without_its_database_is_alive_but_not_ready(
    open_browser: Browser, portal: Portal, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    portal.database.engine.dispose()
    for file in folder.glob("medonline.sqlite3*"):
        file.unlink()
    (folder / "medonline.sqlite3").mkdir()
    ready, live = await open_browser().get("/health/ready"), await open_browser().get("/health/live")

    assert (ready.status_code, ready.json()["database"]) == (503, "no answer")
    assert (live.status_code, live.text) == (200, "live\n")
    assert str(folder) not in ready.text
    assert "The database does not answer: OperationalError" in caplog.text


@pytest.mark.usefixtures("_turning")
async def test_a_process_without_the_key_of_the_newest_row_is_not_ready(
    open_browser: Browser, portal: Portal, folder: Path, clock: MovableClock
) -> None:
    new_key = "another-key-for-tests-of-more-than-32-characters"
    async with opened(folder, clock, secret_key=new_key, old_secret_keys=SECRET_KEY) as rotated:
        await sign_in(rotated, ANNA)
    ready, live = await open_browser().get("/health/ready"), await open_browser().get("/health/live")

    assert (ready.status_code, live.status_code) == (503, 200)
    assert ready.json()["journal"] == "its newest row is of a key that this process does not have"
