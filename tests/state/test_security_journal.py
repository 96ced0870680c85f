"""«Журнал» in a tab: what the page does not offer is not done for a call either."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from medonline.state.account import AccountState
from medonline.state.security_journal import MAX_SHOWN, JournalScreen, JournalState


@pytest.mark.parametrize(
    ("shown", "more", "asks"),
    [(0, False, False), (MAX_SHOWN, False, False), (MAX_SHOWN, True, False), (MAX_SHOWN - 1, True, True)],
    ids=["nothing there", "full", "more than a tab keeps", "the button is there"],
)
async def test_older_rows_are_added_only_where_the_button_is(shown: int, more: bool, asks: bool) -> None:
    asked: list[bool] = []

    async def add() -> Any:
        asked.append(True)
        return AccountState.require_session

    tab = SimpleNamespace(rows=[JournalScreen()] * shown, more=more, _add=add)
    answer = await JournalState.show_more.fn(tab)

    assert (bool(asked), answer) == (asks, AccountState.require_session)
