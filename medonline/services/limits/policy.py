"""The numbers of what is counted in moving windows (settings): what is suspicious, not what is asked."""

from __future__ import annotations

from dataclasses import dataclass

from medonline.domain.limits import Limit
from medonline.services.limits.networks import Network

UNBOUNDED = 10**9  # more than ever happens


@dataclass(frozen=True, slots=True)
class NetworkPolicy:
    """What one network may do; a wider IPv6 network so many times as much (`networks.V6_LEVELS`).

    Attributes:
        unconfirmed_codes: codes that were asked for and not confirmed (yet). More of them pass where enough others were
            confirmed: see `RequestPolicy.confirmed_percent`.
        guesses_without_more: wrong codes; beyond them the right one is not enough by itself (step-up).
        wrong_codes: wrong codes; beyond them nothing is judged.
        wrong_passwords: passwords that did not fit.
        journeys: sign-ins through the identity provider that were begun.
        passkeys: sign-ins by passkey, and passkeys to add, that were begun.
    """

    unconfirmed_codes: tuple[Limit, ...]
    guesses_without_more: tuple[Limit, ...]
    wrong_codes: tuple[Limit, ...]
    wrong_passwords: tuple[Limit, ...]
    journeys: tuple[Limit, ...]
    passkeys: tuple[Limit, ...]


@dataclass(frozen=True, slots=True)
class RequestPolicy:
    """All of them.

    Attributes:
        raised: for networks shared by many patients, as the operator names them.
        confirmed_percent: of the codes to a network. While so many are confirmed, `unconfirmed_codes` does not refuse.
        unconfirmed_codes_per_block: to numbers that begin with the same seven digits.
        codes_per_block: to those numbers, confirmed or not.
        wrong_passwords_per_account: from one network, or from one browser that signed in to the account before.
        wrong_passwords_in_all: over all accounts, from browsers that did not sign in before.
    """

    usual: NetworkPolicy
    raised: NetworkPolicy
    raised_networks: tuple[Network, ...]
    confirmed_percent: int
    unconfirmed_codes_per_block: tuple[Limit, ...]
    codes_per_block: tuple[Limit, ...]
    wrong_passwords_per_account: tuple[Limit, ...]
    wrong_passwords_in_all: tuple[Limit, ...]
    journeys_per_visitor: tuple[Limit, ...]
    passkeys_per_visitor: tuple[Limit, ...]

    def of(self, *, raised: bool) -> NetworkPolicy:
        """The numbers of a network."""
        return self.raised if raised else self.usual

    def unconfirmed_allowed(self, limit: Limit, confirmed: int) -> Limit:
        """How many codes may be open in a window in which so many were confirmed."""
        if not self.confirmed_percent:
            return Limit(UNBOUNDED, limit.per)
        return Limit(max(limit.count, confirmed * (100 - self.confirmed_percent) // self.confirmed_percent), limit.per)
