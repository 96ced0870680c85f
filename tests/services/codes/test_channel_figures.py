"""How well each way works: counted from the record, with the median time and the day's money."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from medonline.services.codes.channel_figures import ChannelFigure
from tests.services.world import (
    ANNA,
    CALL,
    KNOWN,
    TELEGRAM,
    MovableClock,
    ScriptedChannel,
    dispatch,
    dispatcher_of,
    last_code,
    opened,
)


async def test_a_code_is_counted_at_each_stage(folder: Path, clock: MovableClock) -> None:
    money = {"price_flash_call": "1.50", "daily_cap_flash_call": "30"}
    async with opened(folder, clock, **money) as portal:
        await portal.recovery.begin(ANNA, KNOWN, CALL)
        asked = await portal.desk.channel_figures.over(timedelta(hours=1))
        await dispatch(dispatcher_of(portal, flash_call=ScriptedChannel()))
        clock.move(seconds=30)
        await portal.recovery.confirm_code(ANNA, await last_code(portal))
        entered = await portal.desk.channel_figures.over(timedelta(hours=1))
        clock.move(hours=2)
        later = await portal.desk.channel_figures.over(timedelta(hours=1))

    nothing = ChannelFigure(TELEGRAM, 0, 0, 0, 0, None, 0, 0)
    assert asked == [ChannelFigure(CALL, 1, 0, 0, 0, None, 150, 3000), nothing]
    # A typed code has arrived, whether the provider says so or not.
    assert entered == [ChannelFigure(CALL, 1, 1, 1, 1, 30.0, 150, 3000, {"scripted": 1}), nothing]
    assert later == [ChannelFigure(CALL, 0, 0, 0, 0, None, 150, 3000), nothing]
