"""The proof of the e-mail address in the settings: each handler guards, calls the service, shows what came of it."""

from __future__ import annotations

from typing import Any

import reflex as rx

from medonline.bootstrap import portal
from medonline.domain.errors import CodeRefused, MedonlineError, NoChangeInProgress, NotSignedIn
from medonline.state.account import sign_in_again
from medonline.state.input import said, text_field, visitor_of


class EmailProofState(rx.State):
    """A cache of the record for the screen. The code is never kept here."""

    offered: bool = False
    proved: bool = False
    waiting: bool = False
    notices_to: str = ""
    sent_again: bool = False
    error: str = ""
    error_no: int = 0

    @rx.event
    async def load(self) -> Any:
        """Rebuild from the record; the settings call it, too, when an address was saved."""
        self.error, self.sent_again = "", False
        return await self._show()

    @rx.event
    async def send(self) -> Any:
        """«Подтвердить адрес», «Отправить код ещё раз»."""
        again, self.error, self.sent_again = self.waiting, "", False
        try:
            await portal().email_proof.send(visitor_of(self).session_key)
            self.sent_again = again
        except NotSignedIn:
            return sign_in_again()
        except NoChangeInProgress:
            pass  # proved, or gone, in another window: what is on record is shown
        except MedonlineError as error:
            self._refuse(error)
        return await self._show()

    @rx.event
    async def confirm(self, form: dict[str, Any]) -> Any:
        """The code from the mail."""
        visitor, self.error, self.sent_again = visitor_of(self), "", False
        try:
            await portal().email_proof.confirm(visitor.session_key, text_field(form, "code"))
        except NotSignedIn:
            return sign_in_again()
        except (CodeRefused, NoChangeInProgress) as error:
            self._refuse(error)
        return await self._show()

    async def _show(self) -> Any:
        try:
            view = await portal().email_proof.view(visitor_of(self).session_key)
        except NotSignedIn:
            return None  # the page itself leads to the sign-in
        except NoChangeInProgress:
            return sign_in_again()
        self.offered, self.proved = view.offered, view.proved
        self.waiting, self.notices_to = view.waiting, view.notices_to
        return None

    def _refuse(self, error: MedonlineError) -> None:
        self.error = said(self, error)
        self.error_no += 1
