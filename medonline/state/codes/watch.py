"""One watch of a sent code: the screen follows the database until there is nothing to follow or the tab is gone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

import reflex as rx

from medonline.bootstrap import portal
from medonline.framework.states import socket_of
from medonline.services.codes.flow import CodeView
from medonline.services.codes.watch import Followed
from medonline.state.codes.screen import CodeScreen, code_screen
from medonline.state.input import visitor_of
from medonline.web.sockets.server import Visitor

View = TypeVar("View", bound=Followed)


class FollowsCode(rx.State, mixin=True):  # type: ignore[call-arg]  # the keyword of Reflex, which mypy does not see
    """What `follow` needs of a state with a code on its screen."""

    _watching: int = 0  # counts the watches that began; only the last one continues


async def follow(
    state: FollowsCode,
    is_on_screen: Callable[[], bool],
    look: Callable[[Visitor], Awaitable[View | None]],
    show: Callable[[View], bool],
) -> AsyncIterator[None]:
    """Read the record and show it at each change. Yields when the handler must send the changes to the page.

    It ends when there is nothing to follow, when a later watch of the tab has begun, when the tab has reconnected (and has a new watch),
    and when the socket has another browser behind it or is gone.

    state: the proxy that a background handler gets as `self`.
    is_on_screen: whether the screen shows a code to follow. It is called before each reading, while the state is locked, to save a
        query where there is nothing to follow.
    look: reads what this visitor waits for, without locking the state. None ends the watch.
    show: puts it on the screen while the state is locked. False ends the watch.
    """
    async with state:
        state._watching += 1
        mine, sid = state._watching, socket_of(state)
        visitor = visitor_of(state)
        if not is_on_screen():
            return
    watch = portal().recovery.codes.watch()
    try:
        while (view := await look(visitor)) is not None:
            async with state:
                if mine != state._watching or sid != socket_of(state):
                    return
                # Danger: a handler may have held the lock for long. Its answer may then be newer than this view.
                behind = watch.is_behind
                if not behind and not show(view):
                    return
            if not behind:
                yield
            await watch.until_next_look(view, portal().clock())
            if visitor != visitor_of(state):
                return
            # Most changes come from this tab's own handlers. This waits for the handler, which often leaves nothing to follow.
            async with state:
                if not is_on_screen():
                    return
            watch.begin_look()
    finally:
        watch.close()


def code_now(view: CodeView) -> CodeScreen:
    """The screen of a code at this moment."""
    config = portal().config
    return code_screen(view, portal().clock(), config.zone, config.code_channels)
