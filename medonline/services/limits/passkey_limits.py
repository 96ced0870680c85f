"""Limits on challenges for passkeys: each one costs a row, and its answer is a signature to verify."""

from __future__ import annotations

from medonline.domain.errors import TooManyPasskeyTries
from medonline.domain.limits import Limit
from medonline.services.limits.journey_limits import BegunLimits


class PasskeyLimits(BegunLimits):
    """Limits on browsers that ask for a challenge."""

    __slots__ = ()
    refused = TooManyPasskeyTries
    kind = "passkeys"
    counted_as = "passkey tries"

    def _per_visitor(self) -> tuple[Limit, ...]:
        return self.policy.passkeys_per_visitor

    def _per_network(self, *, raised: bool) -> tuple[Limit, ...]:
        return self.policy.of(raised=raised).passkeys
