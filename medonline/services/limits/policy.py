"""The limits of moving windows (settings). They count what is suspicious, not what is asked for."""

from __future__ import annotations

from dataclasses import dataclass

from medonline.domain.limits import Limit
from medonline.services.limits.networks import Network

UNBOUNDED = 10**9  # more than ever happens


@dataclass(frozen=True, slots=True)
class NetworkPolicy:
    """The limits of one network. A wider IPv6 network has a multiple of them (`networks.V6_LEVELS`).

    Attributes:
        unconfirmed_codes: codes that were asked for and are not confirmed (yet). More are allowed where enough others were confirmed: see
            `RequestPolicy.confirmed_percent`.
        guesses_without_more: wrong codes. Beyond them the right code alone is not enough (step-up).
        wrong_codes: wrong codes. Beyond them no code is judged.
        wrong_passwords: passwords that did not match.
        journeys: sign-ins through the identity provider that were begun.
        passkeys: sign-ins by passkey, and additions of passkeys, that were begun.
    """

    unconfirmed_codes: tuple[Limit, ...]
    guesses_without_more: tuple[Limit, ...]
    wrong_codes: tuple[Limit, ...]
    wrong_passwords: tuple[Limit, ...]
    journeys: tuple[Limit, ...]
    passkeys: tuple[Limit, ...]


@dataclass(frozen=True, slots=True)
class RequestPolicy:
    """The limits of networks, and of everything else that is counted in moving windows.

    Attributes:
        raised: the limits of networks that many patients share, as the operator names them.
        confirmed_percent: `unconfirmed_codes` does not refuse while this share of a network's codes is confirmed.
        unconfirmed_codes_per_block: unconfirmed codes to numbers that begin with the same seven digits.
        codes_per_block: codes to those numbers, confirmed or not.
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
        """The limits of a network."""
        return self.raised if raised else self.usual

    def unconfirmed_allowed(self, limit: Limit, confirmed: int) -> Limit:
        """How many codes may be open in a window with this many confirmed codes."""
        if not self.confirmed_percent:
            return Limit(UNBOUNDED, limit.per)
        return Limit(max(limit.count, confirmed * (100 - self.confirmed_percent) // self.confirmed_percent), limit.per)
