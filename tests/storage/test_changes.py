"""What a committed transaction announces is heard, by who listened before; nothing else is."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta

import pytest
from sqlmodel import Session

from medonline.bootstrap import Portal
from medonline.storage.changes import Changes
from medonline.storage.engine import announce
from tests.patience import PATIENCE

LONG = timedelta(seconds=PATIENCE)
AT_ONCE = timedelta()


async def test_a_committed_change_is_heard_on_its_topic_only(portal: Portal) -> None:
    ear, other = (portal.database.changes.listen(topic) for topic in ("here", "there"))
    await portal.database.write(lambda session: announce(session, "here"))

    assert await ear.wait(LONG)
    assert not await other.wait(AT_ONCE)


async def test_what_was_rolled_back_is_not_heard(portal: Portal) -> None:
    ear = portal.database.changes.listen("here")

    def fails(session: Session) -> None:
        announce(session, "here")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await portal.database.write(fails)
    await portal.database.write(lambda session: announce(session, "there"))

    assert not await ear.wait(AT_ONCE)


async def test_a_caller_that_is_gone_does_not_keep_the_change_to_itself(portal: Portal) -> None:
    ear = portal.database.changes.listen("here")
    begun, go_on = threading.Event(), threading.Event()

    def slow(session: Session) -> None:
        announce(session, "here")
        begun.set()
        assert go_on.wait(PATIENCE)

    writing = asyncio.ensure_future(portal.database.write(slow))
    assert await asyncio.to_thread(begun.wait, PATIENCE)
    writing.cancel()
    go_on.set()

    assert await ear.wait(LONG)


async def test_what_is_heard_before_the_wait_is_not_lost_and_what_was_known_is_not_heard_again() -> None:
    changes = Changes()
    ear = changes.listen("here")
    changes.tell(["here"])

    assert await ear.wait(AT_ONCE)
    ear.forget()
    assert not await ear.wait(AT_ONCE)


async def test_a_closed_ear_leaves_nothing_behind() -> None:
    changes = Changes()
    ears = [changes.listen("here") for _ in range(3)]
    for ear in ears:
        ear.close()
        ear.close()
    changes.tell(["here"])

    assert changes.listening == 0
    assert not await ears[0].wait(AT_ONCE)
