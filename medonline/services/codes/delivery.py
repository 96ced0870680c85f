"""The states of a code's delivery, as the record and the screen name them."""

from __future__ import annotations

from enum import StrEnum

from medonline.domain.errors import (
    DeliveryFailed,
    MailboxUnknown,
    NumberNotReachable,
    NumberRefused,
    OutOfMoney,
    ProviderDown,
    ProviderRefused,
)
from medonline.services.ports import DeliveryReport


class DeliveryState(StrEnum):
    """Queued → sending → sent → delivered → read. Each of the first three may also end in failed."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"


class DeliveryProblem(StrEnum):
    """Why a code did not arrive, as far as the reason matters to the patient."""

    NUMBER_NOT_REACHABLE = "number_not_reachable"
    NUMBER_REFUSED = "number_refused"
    CHANNEL_DOWN = "channel_down"
    NOT_ANSWERED = "not_answered"


IN_FLIGHT = (DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.SENT)

_PROBLEMS: dict[type[DeliveryFailed], DeliveryProblem] = {
    NumberNotReachable: DeliveryProblem.NUMBER_NOT_REACHABLE,
    NumberRefused: DeliveryProblem.NUMBER_REFUSED,
    MailboxUnknown: DeliveryProblem.NUMBER_NOT_REACHABLE,
    OutOfMoney: DeliveryProblem.CHANNEL_DOWN,
    ProviderRefused: DeliveryProblem.CHANNEL_DOWN,
    ProviderDown: DeliveryProblem.CHANNEL_DOWN,
}


def problem_of(error: DeliveryFailed) -> DeliveryProblem:
    """What a provider's refusal means for the patient."""
    return _PROBLEMS.get(type(error), DeliveryProblem.CHANNEL_DOWN)


# For each report: the state to which it moves a delivery, and why the delivery failed.
REPORTED: dict[DeliveryReport, tuple[DeliveryState, DeliveryProblem | None]] = {
    DeliveryReport.SENT: (DeliveryState.SENT, None),
    DeliveryReport.DELIVERED: (DeliveryState.DELIVERED, None),
    DeliveryReport.READ: (DeliveryState.READ, None),
    DeliveryReport.FAILED: (DeliveryState.FAILED, DeliveryProblem.NOT_ANSWERED),
    DeliveryReport.NO_ROUTE: (DeliveryState.FAILED, DeliveryProblem.NUMBER_NOT_REACHABLE),
    DeliveryReport.STOP_LIST: (DeliveryState.FAILED, DeliveryProblem.NUMBER_REFUSED),
}
# The states from which each report may move a delivery. Reports come late, twice and in the wrong order.
EARLIER: dict[DeliveryState, tuple[DeliveryState, ...]] = {
    DeliveryState.SENT: (DeliveryState.SENDING,),
    DeliveryState.DELIVERED: (DeliveryState.SENDING, DeliveryState.SENT),
    DeliveryState.READ: (DeliveryState.SENDING, DeliveryState.SENT, DeliveryState.DELIVERED),
    DeliveryState.FAILED: (DeliveryState.SENDING, DeliveryState.SENT),
}
