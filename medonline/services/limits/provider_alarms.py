"""Alarms about a provider that fails. Each failure is counted, and the alarm is chosen by what the operator must do."""

from __future__ import annotations

from collections import Counter

from medonline.domain.errors import DeliveryFailed, NumberNotReachable, NumberRefused, OutOfMoney, ProviderDown
from medonline.metrics import names as metrics
from medonline.services.limits.alarms import Alarm, Alarms

DOWN_IN_A_ROW = 3  # the network may be at fault for a single missing answer


class ProviderAlarms:
    """Alarms about the providers of codes, or about those of notices. Use it on the event loop."""

    def __init__(self, alarms: Alarms) -> None:
        self._alarms = alarms
        self._down: Counter[str] = Counter()

    def well(self, provider: str) -> None:
        """The provider accepted something, or said why it does not accept this one number."""
        self._down.pop(provider, None)

    def failed(self, provider: str, error: DeliveryFailed) -> None:
        """The provider did not accept something. An error about the number alone is no trouble of the provider."""
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
