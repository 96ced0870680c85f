"""«Вход временно закрыт»: the waits that really apply to this browser, and until when."""

from __future__ import annotations

import reflex as rx

from medonline.bootstrap import portal
from medonline.domain.password_recovery import RecoveryStep
from medonline.state.input import help_of, visitor_of
from medonline.state.login import told_to_wait
from medonline.wording.errors import closed_sentence
from medonline.wording.limits import next_code


class WaitsState(rx.State):
    """A sentence for each wait, read when the dialog opens; empty where there is none."""

    asked: bool = False
    sign_in: str = ""
    code: str = ""

    @rx.event
    async def load(self) -> None:
        """Read the limits and the record. This counts as no attempt."""
        visitor, now = visitor_of(self), portal().clock()
        closed = await portal().login.closed(visitor)
        if closed is not None:
            self.sign_in = closed_sentence(closed, portal().config.zone, help_of(self))
        else:
            self.sign_in = await told_to_wait(self, now)
        view = await portal().recovery.current(visitor) if visitor.visitor_key else None
        waits = view is not None and view.step in (RecoveryStep.CODE, RecoveryStep.BIRTH_DATE)
        self.code = next_code(view, now, portal().config.zone) if view is not None and waits else ""
        self.asked = True
