"""The marks that tell a page which of its presses were handled (`browser/portal/answers.js`)."""

from __future__ import annotations

import reflex as rx

MAX_NUMBER = 40  # characters; the page's script makes about fifteen


class AnswersState(rx.State):
    """A page sends a mark behind each press. A tab's events are handled in order: a mark that is back says that the press was."""

    answered: str = ""
    probed: str = ""

    @rx.event
    def answer(self, number: str) -> None:
        """The press before this mark was handled."""
        self.answered = _number(number)

    @rx.event
    def probe(self, number: str) -> None:
        """What the page loaded before this mark was handled."""
        self.probed = _number(number)


def _number(number: object) -> str:
    return number[:MAX_NUMBER] if isinstance(number, str) and number.replace(".", "").isalnum() else ""
