"""The choice «Способ получения кода»: the guide's ways at once, the others folded, and the first one checked."""

from __future__ import annotations

import pytest

from medonline.domain.codes.channels import ChannelName
from medonline.state.codes.ways import Way, offered

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
