"""The tab «ЛОГИН/ПАРОЛЬ»: phone and password in, a one-time ticket out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import reflex as rx

from medonline.bootstrap import portal
from medonline.domain.errors import CookiesMissing, InvalidInput, InvalidPhone, LimitReached, MedonlineError
from medonline.state.input import help_of, page_of, text_field, visitor_of
from medonline.state.page_load import KeepsAnswers
from medonline.wording.errors import closed_sentence, sign_in_sentence


class LoginState(KeepsAnswers, rx.State):
    """What the sign-in form shows. The ticket is valid once, for 30 s, in this browser only. Only the page load that asked for it posts
    it (`ticket_page`)."""

    error: str = ""
    error_field: str = ""
    error_no: int = 0
    ticket: str = ""
    ticket_page: str = ""
    # The last wait that this tab was told, for «Вход временно закрыт». A reload does not end it.
    _closed: str = ""
    _closed_until: datetime | None = None

    @rx.event
    async def log_in(self, form: dict[str, Any]) -> None:
        """Check phone and password. The page then posts the ticket to the route that sets the session cookie."""
        self._note_answer()
        visitor = visitor_of(self)
        self.error, self.error_field, self.ticket = "", "", ""
        try:
            if not visitor.visitor_key:
                raise CookiesMissing
            self.ticket_page = page_of(form)
            phone, password = text_field(form, "phone"), text_field(form, "password")
            self.ticket = await portal().login.log_in(visitor, phone, password)
        except MedonlineError as error:
            self._show(error)

    @rx.event
    def forget(self) -> None:
        """Clear what an earlier attempt left when a page loads. An answer to this very page stays: a press may come before the load."""
        if not self._note_load() and (self.error or self.error_field or self.ticket):
            self.error, self.error_field, self.ticket = "", "", ""

    def _show(self, error: MedonlineError) -> None:
        self.error = sign_in_sentence(error, portal().config.zone, help_of(self))
        self.error_no += 1
        if isinstance(error, LimitReached):
            self._closed = closed_sentence(error, portal().config.zone, help_of(self))
            self._closed_until = error.until
        if isinstance(error, InvalidPhone):
            self.error_field = "phone"
        elif isinstance(error, InvalidInput):
            self.error_field = "password"


async def told_to_wait(state: rx.State, now: datetime) -> str:
    """The sentence that refused a password in this tab, if its wait still lasts at `now` (UTC); else empty."""
    login = await state.get_state(LoginState)
    return login._closed if login._closed_until is not None and now < login._closed_until else ""


async def forget_attempt(state: rx.State) -> None:
    """Do the work of `LoginState.forget` within a page's own load: a separate event would cost as much as a database query."""
    login = await state.get_state(LoginState)
    login.forget()
