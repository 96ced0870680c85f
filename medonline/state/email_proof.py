"""The proof of the e-mail address in the settings. Each handler guards itself, calls the service and shows the result."""

from __future__ import annotations

import asyncio
from typing import Any

import reflex as rx

from medonline.bootstrap import portal
from medonline.domain.errors import MedonlineError, NoChangeInProgress, NotSignedIn, ReauthenticationNeeded
from medonline.services.notices.sender import MailState
from medonline.state.account import sign_in_again
from medonline.state.input import said, text_field, visitor_of
from medonline.state.reauthentication import ask_proof

SEND, AGAIN = "Подтвердить адрес", "Отправить код ещё раз"
# The states of a mail that the screen tells apart.
ON_ITS_WAY, LATE, NO_MAILBOX = (state.value for state in (MailState.ON_ITS_WAY, MailState.LATE, MailState.NO_MAILBOX))
_LOOKS = (0.2, 0.3, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)  # seconds before each look


class EmailProofState(rx.State):
    """A cache of the record for the screen. The code is never kept here."""

    offered: bool = False
    proved: bool = False
    waiting: bool = False
    mail: str = ""  # the state of the mail with the code (`MailState`)
    notices_to: str = ""
    sent_again: bool = False
    error: str = ""
    error_no: int = 0

    @rx.event
    async def load(self) -> Any:
        """Rebuild the screen from the record. The settings call it too, when an address was saved."""
        self.error, self.sent_again = "", False
        return await self._show()

    @rx.event
    async def send(self) -> Any:
        """«Подтвердить адрес», «Отправить код ещё раз». Of a double press only the first counts."""
        again, self.error, self.sent_again = self.waiting, "", False
        try:
            await portal().email_proof.send(visitor_of(self).session_key)
            self.sent_again = again
        except NotSignedIn:
            return sign_in_again()
        except NoChangeInProgress:
            pass  # the address was proved or removed in another window: show what is on record
        except MedonlineError as error:
            self._refuse(error)
            if isinstance(error, ReauthenticationNeeded):
                await ask_proof(self, AGAIN if again else SEND)
        return await self._show() or EmailProofState.follow_mail

    @rx.event(background=True)
    async def follow_mail(self) -> None:
        """Look at the state of the mail until it is known, for half a minute at most."""
        for pause in _LOOKS:
            await asyncio.sleep(pause)
            async with self:
                if self.mail != ON_ITS_WAY or await self._show() is not None:
                    return

    @rx.event
    async def confirm(self, form: dict[str, Any]) -> Any:
        """Take the code from the mail."""
        visitor, self.error, self.sent_again = visitor_of(self), "", False
        try:
            await portal().email_proof.confirm(visitor.session_key, text_field(form, "code"))
        except NotSignedIn:
            return sign_in_again()
        except MedonlineError as error:
            self._refuse(error)
        return await self._show()

    async def _show(self) -> Any:
        try:
            view = await portal().email_proof.view(visitor_of(self).session_key)
        except NotSignedIn:
            return None  # the page itself redirects to the sign-in
        except NoChangeInProgress:
            return sign_in_again()
        self.offered, self.proved = view.offered, view.proved
        self.waiting, self.notices_to = view.waiting, view.notices_to
        self.mail = view.mail or ""
        return None

    def _refuse(self, error: MedonlineError) -> None:
        self.error = said(self, error)
        self.error_no += 1
