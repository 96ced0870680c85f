"""The steps of a recovery and the table of allowed moves between them."""

from __future__ import annotations

from enum import StrEnum


class RecoveryStep(StrEnum):
    """The step at which a recovery is. At step 1 of the wizard (the phone) there is no recovery yet."""

    CODE = "code"
    BIRTH_DATE = "birth_date"
    NEW_PASSWORD = "new_password"  # noqa: S105 (a step's name)
    DONE = "done"
    NO_ACCOUNT = "no_account"
    REFUSED = "refused"
    STOPPED = "stopped"
    ABANDONED = "abandoned"


class RecoveryMove(StrEnum):
    """What can happen to a recovery."""

    RESEND = "resend"
    CONFIRM_CODE = "confirm_code"
    ASK_BIRTH_DATE = "ask_birth_date"
    CONFIRM_BIRTH_DATE = "confirm_birth_date"
    REFUSE = "refuse"
    STOP = "stop"
    FIND_NO_ACCOUNT = "find_no_account"
    SET_PASSWORD = "set_password"  # noqa: S105 (a move's name)
    ABANDON = "abandon"


MOVES: dict[tuple[RecoveryStep, RecoveryMove], RecoveryStep] = {
    (RecoveryStep.CODE, RecoveryMove.RESEND): RecoveryStep.CODE,
    (RecoveryStep.CODE, RecoveryMove.CONFIRM_CODE): RecoveryStep.NEW_PASSWORD,
    (RecoveryStep.CODE, RecoveryMove.ASK_BIRTH_DATE): RecoveryStep.BIRTH_DATE,
    (RecoveryStep.CODE, RecoveryMove.FIND_NO_ACCOUNT): RecoveryStep.NO_ACCOUNT,
    (RecoveryStep.CODE, RecoveryMove.STOP): RecoveryStep.STOPPED,
    (RecoveryStep.CODE, RecoveryMove.ABANDON): RecoveryStep.ABANDONED,
    (RecoveryStep.BIRTH_DATE, RecoveryMove.CONFIRM_BIRTH_DATE): RecoveryStep.NEW_PASSWORD,
    (RecoveryStep.BIRTH_DATE, RecoveryMove.RESEND): RecoveryStep.CODE,
    (RecoveryStep.BIRTH_DATE, RecoveryMove.REFUSE): RecoveryStep.REFUSED,
    (RecoveryStep.BIRTH_DATE, RecoveryMove.STOP): RecoveryStep.STOPPED,
    (RecoveryStep.BIRTH_DATE, RecoveryMove.ABANDON): RecoveryStep.ABANDONED,
    (RecoveryStep.NEW_PASSWORD, RecoveryMove.SET_PASSWORD): RecoveryStep.DONE,
    (RecoveryStep.NEW_PASSWORD, RecoveryMove.STOP): RecoveryStep.STOPPED,
    (RecoveryStep.NEW_PASSWORD, RecoveryMove.ABANDON): RecoveryStep.ABANDONED,
    (RecoveryStep.NO_ACCOUNT, RecoveryMove.ABANDON): RecoveryStep.ABANDONED,
    (RecoveryStep.REFUSED, RecoveryMove.ABANDON): RecoveryStep.ABANDONED,
    (RecoveryStep.STOPPED, RecoveryMove.ABANDON): RecoveryStep.ABANDONED,
}


def source_of(move: RecoveryMove) -> tuple[RecoveryStep, ...]:
    """The steps from which `move` is allowed, in table order."""
    return tuple(step for step, allowed in MOVES if allowed is move)


def after(step: RecoveryStep, move: RecoveryMove) -> RecoveryStep | None:
    """The step that `move` leads to from `step`; None when the table forbids it."""
    return MOVES.get((step, move))
