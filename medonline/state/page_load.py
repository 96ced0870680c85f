"""A press can reach a state before the page's own `load` does. The load clears the screen, but must then keep the answer.

This happens to a press that was held until the page connected (`browser/early/held_presses.js`), and to a form that was sent while the
connection was lost. Both go out with the socket's first packets, and the load is queued after them.
"""

from __future__ import annotations

import reflex as rx

from medonline.framework.states import socket_of


class KeepsAnswers(rx.State, mixin=True):  # type: ignore[call-arg]  # the keyword of Reflex, which mypy does not see
    """A state whose `load` clears what an earlier visit left, but keeps an answer to the page that it loads."""

    _answered_over: str = ""
    _loaded_over: str = ""

    def _note_answer(self) -> None:
        """Remember that a handler has answered. Call it in each handler whose answer `load` would clear."""
        self._answered_over = socket_of(self)

    def _note_load(self) -> bool:
        """Call it in `load`. True if a handler has answered over this socket before its first load. Then the answer must stay."""
        socket = socket_of(self)
        overtaken = self._answered_over == socket and self._loaded_over != socket
        self._loaded_over = socket
        return overtaken
