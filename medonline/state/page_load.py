"""What is pressed as soon as a page is there can reach its state before the page's own load: the answer must outlive the load.

A held button (`browser/early/held_presses.js`) and a form sent while the connection was lost go out with the socket's first
packets, and the load is queued behind what the connection itself asks for.
"""

from __future__ import annotations

import reflex as rx

from medonline.framework.states import socket_of


class KeepsAnswers(rx.State, mixin=True):  # type: ignore[call-arg]  # the keyword of Reflex, which mypy does not see
    """A state whose `load` clears what an earlier visit left, but no answer to the page that it loads."""

    _answered_over: str = ""
    _loaded_over: str = ""

    def _note_answer(self) -> None:
        """To be called by each handler whose answer `load` would clear."""
        self._answered_over = socket_of(self)

    def _note_load(self) -> bool:
        """Whether an answer overtook this load: given over this socket, which loads the page for the first time."""
        socket = socket_of(self)
        overtaken = self._answered_over == socket and self._loaded_over != socket
        self._loaded_over = socket
        return overtaken
