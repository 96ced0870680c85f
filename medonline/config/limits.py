"""Settings of limits, money and step-up: a part of `Config`. The defaults are those of the table «Limits»."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from ipaddress import ip_network
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, NoDecode

from medonline.config.types import Duration, parse_duration
from medonline.domain.codes.channels import ChannelName
from medonline.domain.codes.step_up import StepUpPolicy, StepUpWhen
from medonline.domain.limits import Limit
from medonline.services.codes.circuit_breaker import BreakerPolicy
from medonline.services.limits.budgets import NOTICE, Budget
from medonline.services.limits.networks import Network
from medonline.services.limits.policy import NetworkPolicy, RequestPolicy
from medonline.services.security_journal.account_pace import Act

_LIMIT = re.compile(r"\s*(\d+)\s+per\s+(.+)")


def parse_limit(text: str) -> Limit:
    """Read `5 per 15 min` as a limit. The number before the unit may be missing (`20 per h`)."""
    match = _LIMIT.fullmatch(text)
    span = parse_duration(match[2] if match[2][:1].isdigit() else f"1 {match[2]}") if match else None
    if match is None or not isinstance(span, timedelta) or int(match[1]) < 1 or span < timedelta(seconds=1):
        msg = f"{text!r} is not a limit; write it as '5 per 15 min' or '3 per 1 h, 5 per 24 h'"
        raise ValueError(msg)
    return Limit(int(match[1]), span)


def _limits(text: object) -> object:
    if not isinstance(text, str):
        return text
    return tuple(parse_limit(part) for part in text.split(",") if part.strip())


def _some(limits: tuple[Limit, ...]) -> tuple[Limit, ...]:
    if not limits:
        msg = "name at least one limit, as '5 per 15 min'"
        raise ValueError(msg)
    return limits


def _of_spans(limits: tuple[Limit, ...]) -> tuple[Limit, ...]:
    if len({limit.per for limit in limits}) < len(limits):
        msg = "two limits of one span: leave out the wider one"
        raise ValueError(msg)
    return limits


def _networks(text: object) -> object:
    if not isinstance(text, str):
        return text
    try:
        return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError:
        msg = f"{text!r} are not networks; write them as '203.0.113.0/24, 2001:db8::/32'"
        raise ValueError(msg) from None


Limits = Annotated[
    tuple[Limit, ...], NoDecode, BeforeValidator(_limits), AfterValidator(_some), AfterValidator(_of_spans)
]
OneLimit = Annotated[
    Limit, NoDecode, BeforeValidator(lambda text: parse_limit(text) if isinstance(text, str) else text)
]
Networks = Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_networks)]
Roubles = Annotated[Decimal, Field(ge=0, le=10_000_000, decimal_places=2)]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


# Settings that no longer exist, and the setting that replaces each. It counts something else.
GONE = {
    "codes_per_network": "unconfirmed_codes_per_network",
    "phones_per_network": "unconfirmed_codes_per_network",
    "raised_codes_per_network": "raised_unconfirmed_codes_per_network",
    "raised_phones_per_network": "raised_unconfirmed_codes_per_network",
    "sign_ins_per_account": "wrong_passwords_per_account",
    "sign_ins_per_network": "wrong_passwords_per_network",
    "raised_sign_ins_per_network": "raised_wrong_passwords_per_network",
    "sign_ins_in_all": "wrong_passwords_in_all",
    "step_up_dead_code_within": "step_up_misses_within",
}


class LimitsConfig(BaseSettings):
    """Each field is `MEDONLINE_` plus its name in capitals. `raised_…`: for the networks in `raised_networks`."""

    limits_storage: SecretStr = SecretStr("memory")
    codes_per_phone: Limits = (Limit(3, HOUR), Limit(5, DAY), Limit(10, 7 * DAY))
    unconfirmed_codes_per_network: Limits = (Limit(60, HOUR), Limit(300, DAY))
    confirmed_codes_percent: int = Field(70, ge=0, le=100)
    unconfirmed_codes_per_block: Limits = (Limit(20, HOUR),)
    codes_per_block: Limits = (Limit(200, HOUR),)
    guesses_without_more_per_network: Limits = (Limit(6, HOUR), Limit(30, DAY))
    wrong_codes_per_network: Limits = (Limit(45, HOUR),)
    wrong_passwords_per_account: Limits = (Limit(5, timedelta(minutes=15)),)
    wrong_passwords_per_network: Limits = (Limit(60, timedelta(minutes=1)), Limit(600, HOUR))
    wrong_passwords_in_all: Limits = (Limit(1000, timedelta(minutes=5)),)
    journeys_per_visitor: Limits = (Limit(20, timedelta(minutes=10)),)
    journeys_per_network: Limits = (Limit(300, timedelta(minutes=1)),)
    passkeys_per_visitor: Limits = (Limit(60, timedelta(minutes=10)),)
    passkeys_per_network: Limits = (Limit(600, timedelta(minutes=1)),)
    sessions_per_account: Limits = (Limit(30, HOUR), Limit(100, DAY))
    proofs_per_account: Limits = (Limit(10, HOUR), Limit(40, DAY))
    changes_per_account: Limits = (Limit(10, HOUR), Limit(20, DAY))
    notices_per_account: Limits = (Limit(6, DAY),)
    new_device_notices_per_account: Limits = (Limit(3, DAY),)
    raised_networks: Networks = ()
    raised_unconfirmed_codes_per_network: Limits = (Limit(1000, HOUR), Limit(10_000, DAY))
    raised_guesses_without_more_per_network: Limits = (Limit(150, HOUR), Limit(450, DAY))
    raised_wrong_codes_per_network: Limits = (Limit(450, HOUR),)
    raised_wrong_passwords_per_network: Limits = (Limit(600, timedelta(minutes=1)),)
    raised_journeys_per_network: Limits = (Limit(3000, timedelta(minutes=1)),)
    raised_passkeys_per_network: Limits = (Limit(6000, timedelta(minutes=1)),)

    breaker_misses: OneLimit = Limit(50, timedelta(minutes=10))
    breaker_confirmed_percent: int = Field(40, ge=0, le=100)
    breaker_open: Duration = timedelta(minutes=30)

    price_flash_call: Roubles = Decimal(0)
    price_telegram: Roubles = Decimal(0)
    price_sms: Roubles = Decimal(0)
    price_max: Roubles = Decimal(0)
    price_inbound_call: Roubles = Decimal(0)
    price_notice: Roubles = Decimal(0)
    daily_cap_flash_call: Roubles = Decimal(0)
    daily_cap_telegram: Roubles = Decimal(0)
    daily_cap_sms: Roubles = Decimal(0)
    daily_cap_max: Roubles = Decimal(0)
    daily_cap_inbound_call: Roubles = Decimal(0)
    daily_cap_notice: Roubles = Decimal(0)

    step_up: StepUpWhen = StepUpWhen.RISK
    step_up_misses_within: Duration = timedelta(days=30)
    step_up_proof_age: Duration = timedelta(days=90)

    @property
    def limits_in_memory(self) -> bool:
        """Whether this process counts only for itself."""
        return self.limits_storage.get_secret_value() == "memory"

    @property
    def request_policy(self) -> RequestPolicy:
        """Limits per network, per block of numbers and per account."""
        return RequestPolicy(
            usual=NetworkPolicy(
                unconfirmed_codes=self.unconfirmed_codes_per_network,
                guesses_without_more=self.guesses_without_more_per_network,
                wrong_codes=self.wrong_codes_per_network,
                wrong_passwords=self.wrong_passwords_per_network,
                journeys=self.journeys_per_network,
                passkeys=self.passkeys_per_network,
            ),
            raised=NetworkPolicy(
                unconfirmed_codes=self.raised_unconfirmed_codes_per_network,
                guesses_without_more=self.raised_guesses_without_more_per_network,
                wrong_codes=self.raised_wrong_codes_per_network,
                wrong_passwords=self.raised_wrong_passwords_per_network,
                journeys=self.raised_journeys_per_network,
                passkeys=self.raised_passkeys_per_network,
            ),
            raised_networks=self.raised_networks,
            confirmed_percent=self.confirmed_codes_percent,
            unconfirmed_codes_per_block=self.unconfirmed_codes_per_block,
            codes_per_block=self.codes_per_block,
            wrong_passwords_per_account=self.wrong_passwords_per_account,
            wrong_passwords_in_all=self.wrong_passwords_in_all,
            journeys_per_visitor=self.journeys_per_visitor,
            passkeys_per_visitor=self.passkeys_per_visitor,
        )

    @property
    def account_limits(self) -> Mapping[Act, tuple[Limit, ...]]:
        """How often an account may do each act that the journal records."""
        return {
            Act.SIGN_IN: self.sessions_per_account,
            Act.PROOF: self.proofs_per_account,
            Act.SAVE: self.changes_per_account,
        }

    @property
    def breaker_policy(self) -> BreakerPolicy:
        """When the circuit breaker opens, and for how long."""
        return BreakerPolicy(self.breaker_misses, self.breaker_confirmed_percent, self.breaker_open)

    @property
    def budgets(self) -> Mapping[str, Budget]:
        """Price and daily cap of each way of getting a code, and of notices."""
        return {
            line: Budget.of_roubles(getattr(self, f"price_{line}"), getattr(self, f"daily_cap_{line}"))
            for line in (*ChannelName, NOTICE)
        }

    @property
    def step_up_policy(self) -> StepUpPolicy:
        """When a call alone is not enough."""
        return StepUpPolicy(self.step_up, self.step_up_misses_within, self.step_up_proof_age)

    def limits_faults(self) -> list[str]:
        """Settings that cannot be used: one English sentence each."""
        faults = []
        address = self.limits_storage.get_secret_value()
        if address != "memory" and not _is_redis(address):
            # The value is not repeated, because it contains a password.
            faults.append("MEDONLINE_LIMITS_STORAGE must be 'memory' or an address as 'redis://:password@host:6379/0'.")
        for line, budget in self.budgets.items():
            if budget.cap and not budget.price:
                name = line.upper()
                faults.append(f"MEDONLINE_DAILY_CAP_{name} needs MEDONLINE_PRICE_{name}, in roubles, as '0.90'.")
        return faults


def _is_redis(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return parts.scheme in ("redis", "rediss") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return False


def demo_limits() -> dict[str, Any]:
    """The settings of the demo: one machine plays all patients, and all their numbers are in one block."""
    return {
        "raised_networks": "127.0.0.0/8, ::1/128",
        "codes_per_block": "1000 per 1 h",
        "unconfirmed_codes_per_block": "1000 per 1 h",
    }
