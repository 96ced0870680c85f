"""The vendors of one way of getting a code, in the order in which they are asked, each behind a circuit.

A vendor that failed a few codes in a row gets no codes for a while. Then one code goes to it on trial. Meanwhile codes go to the next
vendor at once. So nobody waits for the first one's time-outs, and only few codes are in doubt because it may have called nevertheless. The
circuits belong to this process. Another process finds out for itself.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from medonline.domain.errors import DeliveryFailed, NumberNotReachable, NumberRefused
from medonline.services.clock import Clock
from medonline.services.ports import CodeChannel

FAILURES = 3  # this many failures in a row open a circuit
OPEN_FOR = timedelta(seconds=30)  # the first time; it doubles after each trial that fails
LONGEST = timedelta(minutes=10)


@dataclass(slots=True)
class _Circuit:
    """`trial_at`: when an open circuit lets the next code through; None: it is closed."""

    failures: int = 0
    opened: int = 0
    trial_at: datetime | None = None


class Vendors:
    """Decides which vendor is asked next. Safe to call from any thread."""

    def __init__(self, clock: Clock, in_order: Sequence[CodeChannel]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._circuits = {vendor.provider: _Circuit() for vendor in in_order}
        self.in_order = tuple(in_order)

    def first(self) -> CodeChannel:
        """The vendor to which a code goes: the first whose circuit lets it through, or the first of all when no circuit does."""
        return self._through(self.in_order) or self.in_order[0]

    def after(self, vendor: CodeChannel) -> CodeChannel | None:
        """The vendor that takes over a code that `vendor` certainly did not send. None when there is no other."""
        return self._through(self.in_order[self.in_order.index(vendor) + 1 :])

    def named(self, provider: str) -> CodeChannel | None:
        """The vendor with this name. None when it is not set up here (any more)."""
        return next((vendor for vendor in self.in_order if vendor.provider == provider), None)

    def note(self, vendor: CodeChannel, error: DeliveryFailed | None) -> None:
        """Record the outcome of one code: the vendor took it, or refused it with this error."""
        with self._lock:
            circuit = self._circuits[vendor.provider]
            if error is None or not is_trouble_of_vendor(error):
                circuit.failures, circuit.opened, circuit.trial_at = 0, 0, None
                return
            circuit.failures += 1
            if circuit.failures >= FAILURES:
                circuit.trial_at = self._clock() + min(OPEN_FOR * (1 << min(circuit.opened, 8)), LONGEST)
                circuit.opened += 1

    def _through(self, vendors: Sequence[CodeChannel]) -> CodeChannel | None:
        with self._lock:
            return next((vendor for vendor in vendors if self._is_through(self._circuits[vendor.provider])), None)

    def _is_through(self, circuit: _Circuit) -> bool:
        if circuit.trial_at is None:
            return True
        now = self._clock()
        if now < circuit.trial_at:
            return False
        circuit.trial_at = now + OPEN_FOR  # this code is on trial; the others go to the next vendor meanwhile
        return True


def is_trouble_of_vendor(error: DeliveryFailed) -> bool:
    """Whether another vendor might do better. A number that cannot be called, or does not want to be, is the same for every vendor."""
    return not isinstance(error, NumberNotReachable | NumberRefused)
