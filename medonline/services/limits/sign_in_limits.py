"""Limits on passwords. Only wrong ones count.

An attempt is counted as wrong before it is verified, and given back when it was right: so of many at once no more are allowed than of the
same number in a row. A right password gives back the earlier misses of its own account only. Otherwise an attacker could clear the
network's count with an account of their own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from medonline.domain.client import Client
from medonline.domain.errors import InvalidCredentials, SignInsOverloaded, TooManySignIns
from medonline.domain.limits import Limit
from medonline.services.limits.alarms import Alarm, Alarms
from medonline.services.limits.networks import Asker
from medonline.services.limits.policy import RequestPolicy
from medonline.services.limits.windows import NO_ADDRESS, Gate, Windows
from medonline.storage.tables.columns import new_id

# The networks between which a moving patient changes: the phone's, one at home, one at work.
NETWORKS_OF_A_SESSION = 3
# An attacker needs this many IPv4 addresses: each may try 300 of the 1000 in five minutes.
NETWORKS_TO_USE_ALL_UP = 4


@dataclass(frozen=True, slots=True)
class Counted:
    """The count of one window. `of`: what is counted, such as `account`, `all accounts` or `wrong codes`.

    network: where it came from; empty for everywhere.
    """

    of: str
    network: str
    limit: Limit
    count: int


@dataclass(frozen=True, slots=True)
class SignInLimits:
    """Allows and counts, or refuses and counts nothing."""

    windows: Windows
    policy: RequestPolicy
    alarms: Alarms

    @asynccontextmanager
    async def attempt(
        self, account: str, client: Client, now: datetime, *, known_browser: str = "", in_session: bool = False
    ) -> AsyncIterator[None]:
        """Encloses the verification of one password, which raises `InvalidCredentials` for a wrong one.

        account: the typed name of the account. It makes no difference whether it exists.
        known_browser: the name of a browser that signed in to this account before. It has its own count, and strangers do not affect it.
        in_session: the client's own session of the account asks. Strangers do not affect it either. It has one count for all networks,
            because it may have been stolen.

        Raises:
            TooManySignIns: for this account from this network or browser, or from this network.
            SignInsOverloaded: over all accounts; an alarm is sounded.
        """
        asker = self.windows.asker(client.address)
        of_account = self._of_account(account, asker)
        if in_session:
            gates = of_account = [*of_account, self._of_session(client.session_key)]
        else:
            gates = [*of_account, *self._of_all(asker)]
        if known_browser:
            key = self.windows.key("browser", known_browser, account)
            gates = of_account = [Gate(TooManySignIns, key, self.policy.wrong_passwords_per_account)]
        member = new_id()
        try:
            await self.windows.admit(gates, member, now)
        except SignInsOverloaded:
            self.alarms.sound(Alarm.SIGN_INS_OVERLOADED, "the limit of wrong passwords over all accounts is reached")
            raise
        try:
            yield
        except (InvalidCredentials, asyncio.CancelledError):
            raise  # the password was wrong, or the caller left before the answer, which may be that it is wrong
        except BaseException:
            await self._give_back(gates, member)
            raise
        await self._give_back(gates, member)
        await self.windows.store.forget([window for gate in of_account for window in gate.windows])

    async def closed(self, client: Client, now: datetime) -> TooManySignIns | SignInsOverloaded | None:
        """Why no password is verified from this network, whatever the account. None when passwords are verified. Counts nothing."""
        refusal = await self.windows.refusal(self._of_all(self.windows.asker(client.address)), now)
        return refusal if isinstance(refusal, TooManySignIns | SignInsOverloaded) else None

    async def counted(self, account: str, client: Client) -> list[Counted]:
        """The counts for an account, and for all accounts, from the client's network. The question itself counts nothing."""
        asker = self.windows.asker(client.address)
        levels = [level.network for level in (asker.levels if asker else NO_ADDRESS)]
        of_all = self._of_all(asker)
        gates = [
            *(
                ("account", network, gate)
                for network, gate in zip(levels, self._of_account(account, asker), strict=True)
            ),
            *(("all accounts", network, gate) for network, gate in zip(["", *levels], of_all, strict=False)),
        ]
        named = [(of, network, window) for of, network, gate in gates for window in gate.windows]
        counts = await self.windows.store.counts([window for _, _, window in named])
        return [
            Counted(of, network, window[0], count) for (of, network, window), count in zip(named, counts, strict=True)
        ]

    async def forgive(self, account: str, client: Client) -> None:
        """Reset the count for an account from the client's network."""
        gates = self._of_account(account, self.windows.asker(client.address))
        await self.windows.store.forget([window for gate in gates for window in gate.windows])

    async def _give_back(self, gates: list[Gate], member: str) -> None:
        await self.windows.store.give_back([window for gate in gates for window in gate.windows], [member])

    def _of_account(self, account: str, asker: Asker | None) -> list[Gate]:
        limits = self.policy.wrong_passwords_per_account
        levels = asker.levels if asker else NO_ADDRESS
        return [self.windows.gate(TooManySignIns, "account", level, limits, account) for level in levels]

    def _of_session(self, session_key: str) -> Gate:
        most = tuple(
            Limit(limit.count * NETWORKS_OF_A_SESSION, limit.per) for limit in self.policy.wrong_passwords_per_account
        )
        return Gate(TooManySignIns, self.windows.key("session", session_key), most)

    def _of_all(self, asker: Asker | None) -> list[Gate]:
        in_all = Gate(SignInsOverloaded, self.windows.key("sign-ins"), self.policy.wrong_passwords_in_all)
        if asker is None:
            return [in_all]
        limits = self.policy.of(raised=asker.raised).wrong_passwords
        gates = [self.windows.gate(TooManySignIns, "sign-ins", level, limits) for level in asker.levels]
        return [in_all, *gates, *([] if asker.raised else self._shares(asker))]

    def _shares(self, asker: Asker) -> list[Gate]:
        """The shares of the total that the IPv6 networks around one household may use up.

        Otherwise one customer's /48 could use up all of it.
        """
        share = tuple(
            Limit(max(limit.count // NETWORKS_TO_USE_ALL_UP, 1), limit.per)
            for limit in self.policy.wrong_passwords_in_all
        )
        return [Gate(TooManySignIns, self.windows.key("share", level.network), share) for level in asker.levels[1:]]
