"""Somebody who guesses at codes, and the birth date that is asked for then."""

from __future__ import annotations

import pytest

from medonline.bootstrap import Portal
from medonline.domain.client import Client
from medonline.domain.errors import CodeMismatch, MedonlineError
from tests.services.world import ANNA, BORIS, CALL, KNOWN, MovableClock, last_code, wrong

BORN = "21.05.1958"  # of the known patient


async def kill_code(portal: Portal, clock: MovableClock, to: str = KNOWN, visitor: Client = BORIS) -> None:
    """Three wrong guesses, and the pause after them."""
    await portal.recovery.begin(visitor, to, CALL)
    code = await last_code(portal, to)
    for by in range(1, 4):
        with pytest.raises(CodeMismatch):
            await portal.recovery.confirm_code(visitor, wrong(code, by))
    clock.move(minutes=2)


async def answer(portal: Portal, typed: str, visitor: Client = ANNA) -> str:
    try:
        return (await portal.recovery.confirm_birth_date(visitor, typed)).step
    except MedonlineError as refusal:
        return f"{type(refusal).__name__}{getattr(refusal, 'attempts_left', '')}"
