"""An error no one expected, in a handler: logged without values under a short number, shown with that number."""

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
        """Say that something went wrong; anybody may call this, so only six characters are taken.

        outage: the database is in trouble, nothing was written, and what was typed may be sent once more.
        """
        number = number[:6] if isinstance(number, str) and number.isalnum() else ""
        sentence = DATABASE_AWAY if outage is True else SOMETHING_WRONG
        self.text = f"{sentence} Номер для поддержки: {number}." if number else ""

    @rx.event
    def dismiss(self) -> None:
        """Seen."""
        self.text = ""


async def dismiss_failure(state: rx.State) -> None:
    """A handler has gone well: what failed before is not said any more."""
    failure = await state.get_state(FailureState)
    if failure.text:
        failure.text = ""


def report_failure(exception: Exception) -> EventSpec | None:
    """Log where it happened; the text of an error may hold what a client sent and stays out."""
    last = exception.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    place = f"{last.tb_frame.f_code.co_filename}:{last.tb_lineno}" if last else "unknown place"
    number = secrets.token_hex(3)
    log.error("A handler failed [%s]: %s at %s", number, type(exception).__name__, place)
    return FailureState.show(number, is_outage(exception))


def report_page_failure(exception: Exception) -> None:
    """Log that a page failed in a browser; of what the browser says only the error's name is kept (anybody may say it)."""
    name = _ERROR_NAME.match(str(exception))
    log.error("A page failed in a browser: %s", name[0] if name else "an error without a name")
