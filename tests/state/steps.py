"""A recovery over the wire, up to a step."""

from __future__ import annotations

import re

from tests.state.tab import RECOVERY, Tab


def begin(tab: Tab, phone: str, channel: str = "flash_call") -> None:
    tab.call(f"{RECOVERY}.begin", form={"phone": phone, "channel": channel})
    wait_for_step(tab, "code")


def wait_for_step(tab: Tab, step: str) -> None:
    """News of the delivery may come in between."""
    while tab.wait_for(RECOVERY, "screen")["step"] != step:
        pass


def has_shown(tab: Tab, step: str) -> bool:
    """Whether anything the server sent is at this step."""
    return re.search(rf'"step":\s*"{step}"', "".join(tab.said)) is not None
