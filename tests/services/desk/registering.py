"""An account made through Gosuslugi."""

from __future__ import annotations

from medonline.bootstrap import Portal
from medonline.domain.client import Client
from medonline.domain.personal_data_consent import VERSION
from medonline.services.login.password_login import OpenedSession
from tests.services.outside import arrive
from tests.services.world import ANNA


async def register(portal: Portal, visitor: Client = ANNA) -> OpenedSession:
    """VERA's account, with СНИЛС and policy."""
    outcome = await arrive(portal, visitor, consent=VERSION)
    assert isinstance(outcome, OpenedSession)
    return outcome
