from __future__ import annotations

import pytest

from medonline.bootstrap import Portal
from tests.services.passkeys.device import Device, add
from tests.services.passkeys.owners import signed_in


@pytest.fixture
async def owned(portal: Portal) -> Device:
    """A device that opens the known account."""
    device = Device()
    await add(portal, await signed_in(portal), device)
    return device
