"""Registration through Gosuslugi: a new patient gives the consent before the way there or after it."""

from __future__ import annotations

from typing import Any

import reflex as rx

from medonline import routes
from medonline.bootstrap import portal
from medonline.domain.errors import (
    MedonlineError,
    NoPendingIdentity,
)
from medonline.domain.personal_data_consent import VERSION
from medonline.services.gosuslugi.login import Waiting
from medonline.services.gosuslugi.pending_person import PendingView
from medonline.state.account import AccountState
from medonline.state.input import page_of, said, visitor_of
from medonline.state.page_load import KeepsAnswers
from medonline.wording.personal_data_consent import consent_text


class RegisterState(KeepsAnswers, rx.State):
    """«Регистрация»: the consent, before Gosuslugi or after it."""

    ready: bool = False
    refused: bool = False
    came_from_gosuslugi: bool = False
    full_name: str = ""
    birth_date: str = ""
    paragraphs: list[str] = []
    version: str = VERSION
    error: str = ""
    error_no: int = 0
    ticket: str = ""
    ticket_page: str = ""

    @rx.event
    async def load(self) -> Any:
        """Show who has to give the consent in this browser, if anybody."""
        if not self._note_load():
            self._clear()
        view = await portal().answers.current(visitor_of(self))
        if view is not None and view.waits_for is Waiting.PROOF:
            return [AccountState.load_page, rx.redirect(routes.LINK_ACCOUNT, replace=True)]
        self._show(view)
        return AccountState.load_page

    @rx.event
    async def consent(self, form: dict[str, Any]) -> None:
        """«Да, я согласен» of a person who came back from Gosuslugi."""
        self._note_answer()
        try:
            self.ticket_page = page_of(form)
            self.ticket = await portal().answers.consent(visitor_of(self))
        except MedonlineError as error:
            self.error = said(self, error)
            self.error_no += 1

    @rx.event
    async def refuse(self) -> None:
        """«Нет, я отказываюсь». The portal keeps nothing of the registration."""
        self._note_answer()
        await portal().answers.refuse(visitor_of(self))
        self.came_from_gosuslugi = self.full_name != ""
        self.refused, self.full_name, self.birth_date, self.error = True, "", "", ""

    @rx.event
    async def have_account(self) -> Any:
        """The person has an account by phone already, and goes on to prove it."""
        self._note_answer()
        try:
            await portal().answers.have_account(visitor_of(self))
        except NoPendingIdentity as error:
            self.error = said(self, error)
            self.error_no += 1
            return None
        return rx.redirect(routes.LINK_ACCOUNT)

    def _clear(self) -> None:
        """Clear what an earlier visit left."""
        self.refused, self.error, self.ticket = False, "", ""

    def _show(self, view: PendingView | None) -> None:
        self.paragraphs = list(consent_text(portal().config.operator_name))
        self.full_name, self.birth_date = (view.full_name, view.birth_date) if view else ("", "")
        self.ready = True


async def lead_to_consent(state: rx.State) -> rx.event.EventSpec:
    """Go to the page of the consent for a person who has to give it in this browser. The screen is filled before the page loads.

    An empty screen would be the consent before the way to Gosuslugi. «Да, я согласен» would then lead there once more, and the person
    would have to answer everything again.
    """
    register = await state.get_state(RegisterState)
    register._clear()
    register._show(await portal().answers.current(visitor_of(state)))
    return rx.redirect(routes.REGISTER)
