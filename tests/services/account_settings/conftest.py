"""What the tests of this package start from."""

from __future__ import annotations

import pytest

from medonline.bootstrap import Portal
from medonline.services.crypto.tokens import token_hash
from tests.services.world import ANNA, sign_in


@pytest.fixture
async def key(portal: Portal) -> str:
    return token_hash(await sign_in(portal, ANNA))
