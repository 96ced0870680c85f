"""«Подтвердите, что это вы» above the settings. Actions that need a proof of the last 15 minutes ask for it here."""

from __future__ import annotations

import reflex as rx


class ReauthenticationState(rx.State):
    """What the panel shows. `SettingsState.prove` takes the password."""

    asked: bool = False
    error: str = ""
    error_no: int = 0
    _again: str = ""

    def _ask(self, again: str) -> None:
        self.asked, self.error, self._again = True, "", again

    def _refuse(self, sentence: str) -> None:
        self.error = sentence
        self.error_no += 1

    def _close(self) -> str:
        """Close the panel. Returns the name of the button that was refused."""
        again, self.asked, self.error, self._again = self._again, False, "", ""
        return again


async def panel_of(state: rx.State) -> ReauthenticationState:
    """The panel of this patient."""
    return await state.get_state(ReauthenticationState)


async def ask_proof(state: rx.State, again: str) -> None:
    """Ask for a proof of identity. `again`: the name of the refused button, which the patient presses again after the proof."""
    (await panel_of(state))._ask(again)
