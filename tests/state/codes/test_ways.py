"""The choice «Способ получения кода»: the guide's ways at once, the others folded, and the first one checked."""

from __future__ import annotations

import pytest

from medonline.domain.codes.channels import ChannelName
from medonline.state.codes.ways import Way, offered
from medonline.wording.channels import FAILING

CALL, TELEGRAM, SMS = ChannelName.FLASH_CALL, ChannelName.TELEGRAM, ChannelName.SMS


def values(ways: list[Way]) -> list[str]:
    return [way.value for way in ways]


@pytest.mark.parametrize(
    ("channels", "first", "further"),
    [
        ((CALL, TELEGRAM), [CALL, TELEGRAM], []),
        ((SMS, CALL, TELEGRAM), [CALL, TELEGRAM], [SMS]),
        ((TELEGRAM, SMS, CALL), [TELEGRAM, CALL], [SMS]),
        ((TELEGRAM, SMS), [TELEGRAM], [SMS]),
        ((SMS,), [SMS], []),
        ((), [], []),
    ],
)
def test_the_guides_ways_are_shown_at_once_and_alone_where_one_is_open(
    channels: tuple[ChannelName, ...], first: list[str], further: list[str]
) -> None:
    shown, folded = offered(channels)

    assert (values(shown), values(folded)) == (first, further)
    assert [way.checked for way in [*shown, *folded]] == [number == 0 for number in range(len(channels))]


@pytest.mark.parametrize(
    ("channels", "failing", "first", "further"),
    [
        ((TELEGRAM, SMS, CALL), {CALL}, [TELEGRAM, CALL], [SMS]),
        ((SMS, TELEGRAM, CALL), {CALL, TELEGRAM}, [SMS, TELEGRAM, CALL], []),
    ],
)
def test_a_failing_way_says_so_and_is_never_all_that_is_shown(
    channels: tuple[ChannelName, ...], failing: set[ChannelName], first: list[str], further: list[str]
) -> None:
    shown, folded = offered(channels, failing)

    assert (values(shown), values(folded)) == (first, further)
    assert {way.value for way in shown if way.note == FAILING} == failing
