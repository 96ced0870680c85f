"""An unexpected error in a handler. It is logged without values under a short number, and the patient sees that number."""

from __future__ import annotations

import logging
import re
import secrets

import reflex as rx
from reflex.event import EventSpec

from medonline.services.outages import is_outage
from medonline.wording.errors import DATABASE_AWAY, SOMETHING_WRONG

log = logging.getLogger(__name__)

_ERROR_NAME = re.compile(r"[A-Z][A-Za-z]{0,38}(?:Error|Exception)(?=:|$)", re.MULTILINE)


class FailureState(rx.State):
    """The sentence at the foot of the page."""

    text: str = ""

    @rx.event
    def show(self, number: str, outage: bool = False) -> None:
        """Say that something went wrong. Anybody may call this, so it takes only six characters of the number.

        outage: the database is in trouble. Nothing was written, and the patient may send the form again.
        """
        number = number[:6] if isinstance(number, str) and number.isalnum() else ""
        sentence = DATABASE_AWAY if outage is True else SOMETHING_WRONG
        self.text = f"{sentence} Номер для поддержки: {number}." if number else ""

    @rx.event
    def dismiss(self) -> None:
        """The patient has read the message."""
        self.text = ""


async def dismiss_failure(state: rx.State) -> None:
    """Remove the message of an earlier failure. A handler calls it when it succeeds."""
    failure = await state.get_state(FailureState)
    if failure.text:
        failure.text = ""


def report_failure(exception: Exception) -> EventSpec | None:
    """Log where the error happened, and show its number. The error's text stays out of the log: it may quote what a client sent."""
    last = exception.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    place = f"{last.tb_frame.f_code.co_filename}:{last.tb_lineno}" if last else "unknown place"
    number = secrets.token_hex(3)
    log.error("A handler failed [%s]: %s at %s", number, type(exception).__name__, place)
    return FailureState.show(number, is_outage(exception))


def report_page_failure(exception: Exception) -> None:
    """Log that a page failed in a browser. The log keeps only the error's name, because anybody may send such a report."""
    name = _ERROR_NAME.match(str(exception))
    log.error("A page failed in a browser: %s", name[0] if name else "an error without a name")
