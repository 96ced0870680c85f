"""The marks that tell a page which of its presses the server has handled (`browser/portal/answers.js`)."""

from __future__ import annotations

import reflex as rx

MAX_NUMBER = 40  # characters; the page's script uses about fifteen


class AnswersState(rx.State):
    """A page sends a mark after each press. The server handles a tab's events in order, so when the mark is back, the press was handled."""

    answered: str = ""
    probed: str = ""

    @rx.event
    def answer(self, number: str) -> None:
        """Return the mark of a press."""
        self.answered = _number(number)

    @rx.event
    def probe(self, number: str) -> None:
        """Return the mark of a page load."""
        self.probed = _number(number)


def _number(number: object) -> str:
    return number[:MAX_NUMBER] if isinstance(number, str) and number.replace(".", "").isalnum() else ""
