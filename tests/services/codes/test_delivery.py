"""Where a code is on its way: what each refusal means for the patient, and which report may follow which."""

from __future__ import annotations

from itertools import permutations

import pytest

from medonline.domain import errors
from medonline.domain.errors import DeliveryFailed
from medonline.services.codes.delivery import EARLIER, IN_FLIGHT, DeliveryProblem, DeliveryState, problem_of

REPORTS = (DeliveryState.SENT, DeliveryState.DELIVERED, DeliveryState.READ)
PROBLEMS = {
    errors.NumberNotReachable: DeliveryProblem.NUMBER_NOT_REACHABLE,
    errors.NumberRefused: DeliveryProblem.NUMBER_REFUSED,
    errors.MailboxUnknown: DeliveryProblem.NUMBER_NOT_REACHABLE,
    errors.OutOfMoney: DeliveryProblem.CHANNEL_DOWN,
    errors.ProviderRefused: DeliveryProblem.CHANNEL_DOWN,
    errors.ProviderDown: DeliveryProblem.CHANNEL_DOWN,
    DeliveryFailed: DeliveryProblem.CHANNEL_DOWN,  # one of a kind that is not known yet
}


def after(reports: tuple[DeliveryState, ...]) -> DeliveryState:
    """Where a code that is being sent is after these reports, in this order."""
    state = DeliveryState.SENDING
    for report in reports:
        state = report if state in EARLIER[report] else state
    return state


@pytest.mark.parametrize(("kind", "problem"), list(PROBLEMS.items()))
def test_what_is_the_patients_to_change_is_told_apart_from_what_is_not(
    kind: type[DeliveryFailed], problem: DeliveryProblem
) -> None:
    assert problem_of(kind()) is problem


def test_every_refusal_is_looked_at_here() -> None:
    leaves = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, DeliveryFailed)}

    assert set(PROBLEMS) == leaves


@pytest.mark.parametrize("order", list(permutations(REPORTS)))
def test_in_whatever_order_reports_come_the_last_thing_that_happened_is_shown(order: tuple[DeliveryState, ...]) -> None:
    assert after(order) is DeliveryState.READ
    assert after(order[:1]) is order[0]


@pytest.mark.parametrize("report", [*REPORTS, DeliveryState.FAILED])
def test_a_report_that_comes_twice_changes_nothing_the_second_time(report: DeliveryState) -> None:
    assert report not in EARLIER[report]
    assert after((report, report)) is report


@pytest.mark.parametrize("report", REPORTS)
def test_a_code_that_failed_stays_failed(report: DeliveryState) -> None:
    assert after((DeliveryState.FAILED, report)) is DeliveryState.FAILED


@pytest.mark.parametrize("arrived", [DeliveryState.DELIVERED, DeliveryState.READ])
def test_a_code_that_arrived_does_not_fail_any_more(arrived: DeliveryState) -> None:
    assert after((arrived, DeliveryState.FAILED)) is arrived


def test_a_code_that_was_never_taken_up_has_no_report() -> None:
    assert not any(DeliveryState.QUEUED in earlier for earlier in EARLIER.values())
    assert set(EARLIER) == {*REPORTS, DeliveryState.FAILED}


def test_a_code_is_on_its_way_until_it_arrived_or_failed() -> None:
    assert set(DeliveryState) - set(IN_FLIGHT) == {DeliveryState.DELIVERED, DeliveryState.READ, DeliveryState.FAILED}
