"""A provider that fails: counted each time, and told as an alarm by what there is to do about it."""

from __future__ import annotations

from collections import Counter

from medonline.domain.errors import DeliveryFailed, NumberNotReachable, NumberRefused, OutOfMoney, ProviderDown
from medonline.metrics import names as metrics
from medonline.services.limits.alarms import Alarm, Alarms

DOWN_IN_A_ROW = 3  # one answer that did not come may be the network's


class ProviderAlarms:
    """Of those who bring codes, or of those who bring notices. On the event loop."""

    def __init__(self, alarms: Alarms) -> None:
        self._alarms = alarms
        self._down: Counter[str] = Counter()

    def well(self, provider: str) -> None:
        """It took something, or said why it does not take this one number."""
        self._down.pop(provider, None)

    def failed(self, provider: str, error: DeliveryFailed) -> None:
        """It did not. What is about the number is no trouble of the provider."""
        if isinstance(error, NumberNotReachable | NumberRefused):
            self.well(provider)
            return
        code = error.code or "no code"
        if isinstance(error, ProviderDown):
            self._down[provider] += 1
            metrics.PROVIDER_TROUBLES.add(provider, "down")
            if self._down[provider] >= DOWN_IN_A_ROW:
                text = f"{provider} did not answer {self._down[provider]} times in a row ({code})"
                self._alarms.sound(Alarm.PROVIDER_DOWN, text, of=provider)
            return
        self.well(provider)
        if isinstance(error, OutOfMoney):
            metrics.PROVIDER_TROUBLES.add(provider, "money")
            self._alarms.sound(Alarm.PROVIDER_WITHOUT_MONEY, f"{provider} has no money ({code})", of=provider)
        else:
            metrics.PROVIDER_TROUBLES.add(provider, "refused")
            text = f"{provider} refuses us: the key, or an answer that cannot be read ({code})"
            self._alarms.sound(Alarm.PROVIDER_REFUSES, text, of=provider)
