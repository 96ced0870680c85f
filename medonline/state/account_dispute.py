"""«Это не я»: the page behind the link of a notice. The link's token comes from the form, never from the address."""

from __future__ import annotations

from typing import Any

import reflex as rx

from medonline.bootstrap import portal
from medonline.domain.errors import DisputeNotPossible, MedonlineError
from medonline.state.account import AccountState
from medonline.state.input import said, text_field, visitor_of
from medonline.state.page_load import KeepsAnswers
from medonline.wording.limits import clock_time


class NotMeState(KeepsAnswers, rx.State):
    """The result of «Это не я». The state does not keep the token."""

    done: bool = False
    refused: bool = False  # the link is not valid any more
    stopped_clock: str = ""
    error: str = ""
    error_no: int = 0

    @rx.event
    async def load(self) -> Any:
        """Load the page. Opening it must not change anything, because link scanners open it too."""
        if not self._note_load():
            self.done, self.refused, self.stopped_clock, self.error = False, False, "", ""
        return AccountState.load_page

    @rx.event
    async def dispute(self, form: dict[str, Any]) -> None:
        """«Это не я»."""
        self._note_answer()
        try:
            until = await portal().dispute.raise_(text_field(form, "token"), visitor_of(self).device)
        except MedonlineError as error:
            self.error, self.refused = said(self, error), isinstance(error, DisputeNotPossible)
            self.error_no += 1
            return
        self.done, self.error = True, ""
        self.stopped_clock = clock_time(until, portal().clock(), portal().config.zone)
