"""A screen that follows a code looks at the first moment at which there may be something to see."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from medonline.bootstrap import Portal
from medonline.domain.errors import CodeMismatch
from medonline.services.codes import watch as module
from medonline.services.codes.delivery import DeliveryState
from medonline.services.codes.flow import CodeView
from medonline.services.codes.phone_history import NEWS_WITHIN
from tests.patience import PATIENCE
from tests.services.statement_counts import send
from tests.services.world import ANNA, BORIS, CALL, KNOWN, TELEGRAM, MovableClock, last_code, wrong


@pytest.fixture(autouse=True)
def _only_what_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A change that is not told of is never seen."""
    monkeypatch.setattr(module, "LOST_AFTER", timedelta(seconds=10 * PATIENCE))
    monkeypatch.setattr(module, "FIRST_WAIT", timedelta(seconds=10 * PATIENCE))


async def seen_after(portal: Portal, action: object, clock: MovableClock) -> CodeView | None:
    """What the next look of a screen shows that watched while this was done elsewhere."""
    view = await portal.recovery.current(ANNA)
    assert view is not None
    watch = portal.recovery.codes.watch()
    waiting = asyncio.ensure_future(watch.until_next_look(view, clock.now))
    await asyncio.sleep(0)  # it listens
    await action  # type: ignore[misc]
    async with asyncio.timeout(PATIENCE):
        await waiting
    watch.close()
    return await portal.recovery.current(ANNA)


async def test_it_sees_that_the_code_was_sent(portal: Portal, clock: MovableClock) -> None:
    before = await portal.recovery.begin(ANNA, KNOWN, CALL)
    after = await seen_after(portal, send(portal), clock)

    assert after is not None
    assert (before.delivery, after.delivery) == ("queued", "sent")


async def test_it_sees_a_miss_in_another_tab(portal: Portal, clock: MovableClock) -> None:
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    await send(portal)

    async def miss() -> None:
        with pytest.raises(CodeMismatch):
            await portal.recovery.confirm_code(ANNA, wrong(await last_code(portal)))

    after = await seen_after(portal, miss(), clock)
    assert after is not None
    assert after.attempts_left == 2


async def test_it_sees_that_another_browser_got_a_newer_code(portal: Portal, clock: MovableClock) -> None:
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    clock.move(minutes=3)
    after = await seen_after(portal, portal.recovery.begin(BORIS, KNOWN, TELEGRAM), clock)

    assert after is not None
    assert not after.code_alive


async def test_it_sees_that_another_tab_gave_up(portal: Portal, clock: MovableClock) -> None:
    await portal.recovery.begin(ANNA, KNOWN, CALL)

    assert await seen_after(portal, portal.recovery.leave(ANNA), clock) is None


async def test_it_looks_when_the_clock_changes_the_screen(portal: Portal, clock: MovableClock, folder: Path) -> None:
    view = await portal.recovery.begin(ANNA, KNOWN, CALL)
    silent_at = view.issued_at + NEWS_WITHIN
    assert view.next_change(clock.now) == silent_at
    assert view.next_change(silent_at) == view.resend_at
    assert replace(view, delivery=DeliveryState.DELIVERED).next_change(clock.now) == view.resend_at
    assert view.next_change(view.resend_at) == view.expires_at
    assert view.next_change(view.expires_at) is None
    watch = portal.recovery.codes.watch()
    async with asyncio.timeout(PATIENCE):
        await watch.until_next_look(view, view.resend_at - timedelta(milliseconds=1))
    watch.close()


async def test_what_a_screen_follows_holds_no_whole_phone_for_a_log(portal: Portal) -> None:
    view = await portal.recovery.begin(ANNA, KNOWN, CALL)

    assert KNOWN in view.topic
    assert KNOWN not in repr(view)
