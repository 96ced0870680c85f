"""The outside world as the services see it: Protocols of two or three verbs, implemented in `providers/`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Protocol, runtime_checkable

from medonline.domain.phone import PhoneNumber


class DeliveryReport(StrEnum):
    """What a provider knows of a message that it accepted; each next one replaces the one before."""

    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class CodeMessage:
    """One code on its way to one phone.

    Attributes:
        idempotency_key: up to 64 ASCII characters; the same key never makes two calls where the provider allows that.
        phone: a Russian mobile number.
        code: 4 digits for a call, 4-8 for a messenger; the one we would like, a call provider may choose another.
        life: how long the code will be accepted.
        client_ip: address of the person who asked, where the provider wants it; empty when unknown.
    """

    idempotency_key: str
    phone: PhoneNumber
    code: str
    life: timedelta
    client_ip: str = ""


@dataclass(frozen=True, slots=True)
class SentCode:
    """What a provider answered: its reference, the code that really went out, the price as the provider states it."""

    provider_ref: str
    code: str
    cost: str = ""


class CodeChannel(Protocol):
    """A way of getting a code to a phone: a call, a messenger."""

    @property
    def provider(self) -> str:
        """The adapter's name for operators: `ucaller`, `sms_ru`, `telegram_gateway`."""

    @property
    def idempotent(self) -> bool:
        """Whether a repeated `send_code` with the same key cannot make a second call or message."""

    async def send_code(self, message: CodeMessage) -> SentCode:
        """Send one code.

        Raises:
            DeliveryFailed: one of its subclasses (`domain.errors`); nothing else leaves this method.
        """

    async def delivery_report(self, provider_ref: str) -> DeliveryReport | None:
        """Ask the provider what became of a code it accepted; None when it cannot tell (yet, or ever).

        Raises:
            DeliveryFailed: when the question itself could not be asked.
        """

    async def check(self) -> str:
        """For `medonline doctor`: one English sentence on reachability; costs nothing and sends nothing.

        Raises:
            DeliveryFailed: when the provider cannot be reached at all.
        """

    async def close(self) -> None:
        """Release connections."""


@runtime_checkable
class LearnsOutcome(Protocol):
    """A channel whose provider likes to hear that its code was entered."""

    async def report_entered(self, provider_ref: str, code: str) -> None:
        """Tell the provider, as well as it can be done; never raises `DeliveryFailed`."""


class Hasher(Protocol):
    """Password hashing, as recovery and accounts need it."""

    async def hash(self, password: str) -> str:
        """The encoded hash; raises `Busy`."""

    async def verify(self, encoded: str | None, password: str) -> bool:
        """Whether the password belongs to the hash; raises `Busy`."""
