"""Limits on what comes from one network, to one block of numbers, and on sign-in.

They slow down whoever tries many phones or passwords; what must be exact over a restart (codes per phone, money) is counted
from the database instead. Keys are HMACs: whoever reads the store learns no phone and no address.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeAlias

from medonline.domain.errors import (
    LimitReached,
    NumberBlockBusy,
    SignInsOverloaded,
    TooManyJourneys,
    TooManyPhones,
    TooManyRequests,
    TooManySignIns,
)
from medonline.domain.limits import Limit
from medonline.domain.phone import PhoneNumber
from medonline.services.crypto.field_encryption import Sealer
from medonline.services.limits.alarms import Alarms
from medonline.services.limits.networks import Level, Network, asker_of

log = logging.getLogger(__name__)

Window: TypeAlias = tuple[Limit, str]  # a limit and the key that it is counted under


class LimitStore(Protocol):
    """Where moving windows are counted."""

    async def full_until(self, limit: Limit, key: str) -> datetime | None:
        """The moment (UTC) at which the window has room again; None when it has now."""

    async def take(self, limit: Limit, key: str) -> bool:
        """Count one; False, and nothing counted, when the window is full. Exact under parallel calls."""

    async def take_all(self, windows: Sequence[Window]) -> int | None:
        """Count one in each of these, which differ; or the number of the first that is full, and nothing counted in any.

        Exact under parallel calls.
        """

    async def give_back(self, windows: Sequence[Window]) -> None:
        """Count one less in each of these: the newest goes, whoever took it."""

    async def forget(self, limit: Limit, key: str) -> None:
        """Begin the window anew."""

    async def check(self) -> str:
        """For `medonline doctor`: one English sentence; raises `LimitStoreDown`."""

    async def close(self) -> None:
        """Release connections."""


class LimitStoreDown(Exception):
    """The store does not answer; the text names no address and no password."""


@dataclass(frozen=True, slots=True)
class RequestPolicy:
    """The numbers (settings). `raised_…` are for networks shared by many patients: clinics, operators."""

    per_network: tuple[Limit, ...]
    phones_per_network: tuple[Limit, ...]
    raised_per_network: tuple[Limit, ...]
    raised_phones_per_network: tuple[Limit, ...]
    per_block: tuple[Limit, ...]
    sign_ins_per_account: tuple[Limit, ...]
    sign_ins_per_network: tuple[Limit, ...]
    raised_sign_ins_per_network: tuple[Limit, ...]
    sign_ins_in_all: tuple[Limit, ...]
    journeys_per_visitor: tuple[Limit, ...]
    journeys_per_network: tuple[Limit, ...]
    raised_journeys_per_network: tuple[Limit, ...]
    raised_networks: tuple[Network, ...]


@dataclass(frozen=True, slots=True)
class _Gate:
    """One counter and what its refusal is."""

    refusal: type[LimitReached]
    key: str
    limits: tuple[Limit, ...]


@dataclass(slots=True)
class CodePlace:
    """A place for one code within the limits, taken before the transaction that may issue the code.

    The store of limits answers over the network, and a transaction waits for nothing. So the answer is fetched before, and
    counts only where it is used: other refusals come first, and a second click needs no place.

    refusal: why there is no place; None when there is one.
    taken: the windows that the place was counted in.
    new_phones: of those, the windows that count the phone as one more of a network; with each the mark that says so.
    """

    phone: PhoneNumber
    client_ip: str
    refusal: LimitReached | None
    taken: tuple[Window, ...] = ()
    new_phones: tuple[tuple[Window, Window], ...] = ()
    used: bool = False

    def use(self) -> None:
        """Issue a code on this place.

        Raises:
            LimitReached: there is none.
        """
        if self.refusal is not None:
            raise self.refusal
        self.used = True


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """Lets pass and counts, or refuses and counts nothing."""

    store: LimitStore
    policy: RequestPolicy
    keys: Sealer
    alarms: Alarms

    @asynccontextmanager
    async def place_for_code(self, phone: PhoneNumber, client_ip: str, now: datetime) -> AsyncIterator[CodePlace]:
        """A place for one more code, around the transaction that issues it; what it did not use is given back.

        `CodePlace.use` raises:
            TooManyRequests: from this network.
            TooManyPhones: this network has asked for codes to other numbers already.
            NumberBlockBusy: to numbers that begin with the same seven digits; an alarm is sounded.
        """
        place = await self._place_for_code(phone, client_ip, now)
        try:
            yield place
        except asyncio.CancelledError:
            place.used = True  # the transaction goes on in its thread, and may issue the code yet
            raise
        except BaseException as error:
            place.used = False  # the transaction was rolled back
            if error is place.refusal:
                _log(place.refusal)
                if isinstance(error, NumberBlockBusy):
                    block = _block(phone)
                    self.alarms.sound(f"block {block}", f"the limit of codes to numbers +{block}xxxx is reached")
            raise
        finally:
            await self._settle(place)

    async def _settle(self, place: CodePlace) -> None:
        """Give back what was not used; mark the phone of a code that was issued as one that the network has asked for.

        Danger: marked before its code is issued, it would not be counted for a second request at the same moment; and if the
        first issued nothing, the code of the second would be counted for no phone.
        """
        over = list(place.taken)
        if place.used:
            over = [phones for phones, mark in place.new_phones if not await self.store.take(*mark)]
        if over:
            await self.store.give_back(over)

    async def _place_for_code(self, phone: PhoneNumber, client_ip: str, now: datetime) -> CodePlace:
        gates = [_Gate(NumberBlockBusy, self._key("block", _block(phone)), self.policy.per_block)]
        new_phones: list[tuple[Window, Window]] = []
        asker = asker_of(client_ip, self.policy.raised_networks)
        if asker is not None:
            requests, phones = (
                (self.policy.raised_per_network, self.policy.raised_phones_per_network)
                if asker.raised
                else (self.policy.per_network, self.policy.phones_per_network)
            )
            for level in asker.levels:
                gates.append(self._network_gate(TooManyRequests, "network", level, requests))
                for limit in phones:
                    mark = Limit(1, limit.per), self._key("pair", level.network, phone.e164)
                    if await self.store.full_until(*mark) is None:  # not a phone that this network asked for before
                        gate = self._network_gate(TooManyPhones, "phones", level, (limit,))
                        gates.append(gate)
                        new_phones.append(((gate.limits[0], gate.key), mark))
        refusal = await self._refusal(gates, now)
        if refusal is not None:
            return CodePlace(phone, client_ip, refusal)
        taken = tuple((limit, gate.key) for gate in gates for limit in gate.limits)
        return CodePlace(phone, client_ip, None, taken, tuple(new_phones))

    async def admit_sign_in(self, account: str, client_ip: str, now: datetime) -> None:
        """One more password is tried. `account` is what was typed as its name: known or not makes no difference.

        Raises:
            TooManySignIns: for this account from this network, or from this network.
            SignInsOverloaded: over all; an alarm is sounded.
        """
        asker = asker_of(client_ip, self.policy.raised_networks)
        gates = [
            _Gate(SignInsOverloaded, self._key("sign-ins"), self.policy.sign_ins_in_all),
            *self._account_gates(account, client_ip),
        ]
        if asker is not None:
            raised, usual = self.policy.raised_sign_ins_per_network, self.policy.sign_ins_per_network
            limits = raised if asker.raised else usual
            gates += [self._network_gate(TooManySignIns, "sign-ins", level, limits) for level in asker.levels]
        try:
            await self._pass(gates, now)
        except SignInsOverloaded:
            self.alarms.sound("sign-ins", "the limit of sign-ins over all accounts is reached")
            raise

    async def forgive_sign_ins(self, account: str, client_ip: str) -> None:
        """The right password was typed: the misses before it are forgotten, for this account and network only."""
        for gate in self._account_gates(account, client_ip):
            for limit in gate.limits:
                await self.store.forget(limit, gate.key)

    async def admit_journey(self, visitor_key: str, client_ip: str, now: datetime) -> None:
        """One more browser leaves for the identity provider.

        Raises:
            TooManyJourneys: begun in this browser, or from this network.
        """
        await self._pass(self._journey_gates(visitor_key, client_ip), now)

    async def journeys_full_until(self, visitor_key: str, client_ip: str) -> datetime | None:
        """The moment (UTC) from which `admit_journey` lets pass again; None when it would now. Counts nothing."""
        gates = self._journey_gates(visitor_key, client_ip)
        untils = [await self._full_until(gate) for gate in gates]
        return max((until for until in untils if until is not None), default=None)

    def _journey_gates(self, visitor_key: str, client_ip: str) -> list[_Gate]:
        gates = [_Gate(TooManyJourneys, self._key("journeys of", visitor_key), self.policy.journeys_per_visitor)]
        asker = asker_of(client_ip, self.policy.raised_networks)
        if asker is not None:
            raised, usual = self.policy.raised_journeys_per_network, self.policy.journeys_per_network
            limits = raised if asker.raised else usual
            gates += [self._network_gate(TooManyJourneys, "journeys", level, limits) for level in asker.levels]
        return gates

    def _account_gates(self, account: str, client_ip: str) -> list[_Gate]:
        asker = asker_of(client_ip, self.policy.raised_networks)
        levels = asker.levels if asker else (Level("", 1),)
        limits = self.policy.sign_ins_per_account
        return [self._network_gate(TooManySignIns, "account", level, limits, account) for level in levels]

    def _network_gate(
        self, refusal: type[LimitReached], use: str, level: Level, limits: tuple[Limit, ...], *more: str
    ) -> _Gate:
        """A gate of one network, as wide as the network is."""
        scaled = tuple(Limit(limit.count * level.times, limit.per) for limit in limits)
        return _Gate(refusal, self._key(use, *more, level.network), scaled)

    def _key(self, *parts: str) -> str:
        return self.keys.index("|".join(parts))

    async def _pass(self, gates: Sequence[_Gate], now: datetime) -> None:
        refusal = await self._refusal(gates, now)
        if refusal is not None:
            _log(refusal)
            raise refusal

    async def _refusal(self, gates: Sequence[_Gate], now: datetime) -> LimitReached | None:
        """Count one at each gate, or say why not. All are looked at first: a refusal by one costs nothing at the others."""
        refused = [(until, gate) for gate in gates for until in [await self._full_until(gate)] if until is not None]
        if not refused:
            windows = [(limit, gate) for gate in gates for limit in gate.limits]
            full = await self.store.take_all([(limit, gate.key) for limit, gate in windows])
            if full is not None:  # somebody was faster since it was looked at
                limit, gate = windows[full]
                refused.append((await self.store.full_until(limit, gate.key) or now, gate))
        if not refused:
            return None
        until, gate = max(refused, key=lambda refusal: refusal[0])
        return gate.refusal(now, max(until, now + timedelta(seconds=1)))

    async def _full_until(self, gate: _Gate) -> datetime | None:
        untils = [await self.store.full_until(limit, gate.key) for limit in gate.limits]
        return max((until for until in untils if until is not None), default=None)


def _block(phone: PhoneNumber) -> str:
    return phone.digits[:7]


def _log(refusal: LimitReached) -> None:
    log.warning("A limit is reached: %s", type(refusal).__name__)  # whose it is stays out
