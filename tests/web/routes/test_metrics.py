"""`/metrics`: numbers for whoever knows the token, and nothing of a patient."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from medonline.bootstrap import Portal
from medonline.domain.errors import CodeMismatch, InvalidCredentials, ProviderRefused
from medonline.services.password_recovery.reader import PURPOSE
from medonline.storage.engine import Database
from medonline.web.edge.boundary import Boundary
from medonline.web.routes import metrics as route
from tests.metrics.reading import number
from tests.services.world import (
    ANNA,
    CALL,
    KNOWN,
    MovableClock,
    ScriptedChannel,
    dispatch,
    dispatcher_of,
    last_code,
    opened,
    wrong,
)
from tests.web.conftest import ORIGIN

TOKEN = "a-token-of-thirty-characters-0"
SiteOf = Callable[[Portal], Boundary]


async def read(site: Boundary, authorization: str | bytes = f"Bearer {TOKEN}") -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(site), base_url=ORIGIN) as client:
        return await client.get("/metrics", headers={"Authorization": authorization} if authorization else {})


@pytest.mark.parametrize(
    "authorization", ["", "Bearer ", "Bearer a-token", f"Basic {TOKEN}", f"bearer {TOKEN}x", b"Bearer \xff"]
)
async def test_without_the_token_there_is_nothing(
    folder: Path, clock: MovableClock, site_of: SiteOf, authorization: str | bytes
) -> None:
    async with opened(folder, clock, metrics_token=TOKEN) as portal:
        answer = await read(site_of(portal), authorization)

    assert answer.status_code == 404
    assert "medonline_" not in answer.text


async def test_where_no_token_is_set_nobody_reads_them(portal: Portal, site_of: SiteOf) -> None:
    for authorization in ("", "Bearer ", "Bearer"):
        assert (await read(site_of(portal), authorization)).status_code == 404


async def test_a_journey_is_counted_and_no_label_tells_whose_it_was(
    folder: Path, clock: MovableClock, site_of: SiteOf
) -> None:
    async with opened(folder, clock, metrics_token=TOKEN) as portal:
        site = site_of(portal)
        before = (await read(site)).content
        await portal.recovery.begin(ANNA, KNOWN, CALL)
        await dispatch(dispatcher_of(portal, flash_call=ScriptedChannel()))
        code = await last_code(portal)
        with pytest.raises(CodeMismatch):
            await portal.recovery.confirm_code(ANNA, wrong(code))
        clock.move(seconds=40)
        await portal.recovery.confirm_code(ANNA, code)
        with pytest.raises(InvalidCredentials):
            await portal.login.log_in(ANNA, KNOWN, "wrongpassword1")
        after = (await read(site)).content

    def more(series: str, **labels: str) -> float:
        return number(after, series, **labels) - number(before, series, **labels)

    way = {"channel": "flash_call"}
    of_provider = {**way, "provider": "scripted"}
    assert more("medonline_codes_asked_total", **way, purpose=PURPOSE) == 1
    assert more("medonline_codes_sent_total", **of_provider) == 1
    assert more("medonline_codes_mistyped_total", **way) == 1
    assert more("medonline_codes_entered_total", **of_provider) == 1
    assert more("medonline_code_entering_seconds_sum", **way) == pytest.approx(40, abs=1)
    assert more("medonline_sign_ins_total", way="password", outcome="wrong") == 1
    assert more("medonline_journal_events_total", event="code_asked") == 1
    assert more("medonline_transaction_seconds_count", kind="write") > 0
    assert number(after, "medonline_database_up") == 1
    assert number(after, "medonline_journal_rows") >= 3
    assert KNOWN[2:].encode() not in after


async def test_a_code_that_does_not_go_out_is_counted_with_its_reason(
    folder: Path, clock: MovableClock, site_of: SiteOf
) -> None:
    async with opened(folder, clock, metrics_token=TOKEN) as portal:
        site = site_of(portal)
        labels = {"channel": "flash_call", "provider": "scripted", "problem": "channel_down"}
        before = number((await read(site)).content, "medonline_codes_failed_total", **labels)
        await portal.recovery.begin(ANNA, KNOWN, CALL)
        refusing = ScriptedChannel(answers=deque([ProviderRefused("scripted: no")]))
        await dispatch(dispatcher_of(portal, flash_call=refusing))
        after = number((await read(site)).content, "medonline_codes_failed_total", **labels)

    assert after == before + 1


async def test_what_waits_is_told_with_its_age(folder: Path, clock: MovableClock, site_of: SiteOf) -> None:
    async with opened(folder, clock, metrics_token=TOKEN) as portal:
        await portal.recovery.begin(ANNA, KNOWN, CALL)
        clock.move(seconds=60)
        text = (await read(site_of(portal))).content

    assert number(text, "medonline_outbox_waiting", queue="codes") == 1
    assert 30 <= number(text, "medonline_outbox_lag_seconds", queue="codes") <= 60
    assert number(text, "medonline_outbox_waiting", queue="notices") == 0


async def test_a_database_that_is_gone_is_told_and_the_counters_with_it(
    folder: Path, clock: MovableClock, site_of: SiteOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(*_args: object, **_more: object) -> None:
        raise TimeoutError

    async with opened(folder, clock, metrics_token=TOKEN) as portal:
        site = site_of(portal)
        await read(site)
        monkeypatch.setattr(Database, "read", silent)
        monkeypatch.setattr(route, "READ_WITHIN_S", 0.01)
        answer = await read(site)

    assert answer.status_code == 200
    assert number(answer.content, "medonline_database_up") == 0
    assert number(answer.content, "medonline_transaction_seconds_count", kind="read") > 0
