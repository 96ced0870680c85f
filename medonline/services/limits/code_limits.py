"""Limits on codes: what a network or a block of numbers asked for and did not confirm, and its wrong guesses.

A person who pumps codes leaves unconfirmed ones, a guesser leaves wrong ones, and a crowd behind one address confirms nine of ten. So a
code takes a place until it is confirmed. A wrong guess counts until the same network confirms a code to the same phone. It makes no
difference whether the phone has an account, because the code was right. Counts that must stay exact over a restart (codes per phone, money)
are in the database instead.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from medonline.domain.codes.channels import CALLED, GUIDE_CHANNELS, ChannelName
from medonline.domain.errors import LimitReached, NumberBlockBusy, TooManyRequests, TooManyWrongCodes
from medonline.domain.limits import Limit
from medonline.domain.phone import PhoneNumber
from medonline.services.limits.alarms import Alarm, Alarms
from medonline.services.limits.networks import Level
from medonline.services.limits.policy import UNBOUNDED, NetworkPolicy, RequestPolicy
from medonline.services.limits.sign_in_limits import Counted
from medonline.services.limits.windows import NO_ADDRESS, Gate, Window, Windows, log_refusal, scaled
from medonline.storage.tables.columns import new_id

# A network's confirmed codes are counted up to this number. More confirmed codes allow no more unconfirmed ones.
CONFIRMED_COUNTED = 10_000
# The codes that a network asked for one phone are remembered for this long. There are at most as many as the limit per phone allows.
OF_PHONE = Limit(1000, timedelta(days=1))
MISSES_OF_A_CODE = 3
# One way of each kind that has its own count in a block of numbers.
_KINDS = {GUIDE_CHANNELS[0]: "codes to", **dict.fromkeys(CALLED[:1], "calls from")}


@dataclass(slots=True)
class CodePlace:
    """A place for one code within the limits, taken before the transaction that may issue the code.

    The store of limits answers over the network, and a transaction must not wait for that. So the answer is fetched first, and counts only
    where it is used: other refusals come first, and a second click needs no place.

    code_id: the id of the code that may be issued on this place. It finds the place again when the code is confirmed.
    refusal: why there is no place; None when there is one.
    taken: the windows in which the place was counted.
    """

    phone: PhoneNumber
    client_ip: str
    code_id: str
    refusal: LimitReached | None
    taken: tuple[Window, ...] = ()
    used: bool = False

    def use(self) -> None:
        """Issue a code on this place.

        Raises:
            LimitReached: there is no place.
        """
        if self.refusal is not None:
            raise self.refusal
        self.used = True


@dataclass(frozen=True, slots=True)
class CodeAsked:
    """A code that was issued: its id, its way, its phone, and the address from which it was asked for."""

    code_id: str
    channel: str
    phone: str
    client_ip: str


@dataclass(slots=True)
class CodeGuess:
    """A place for one guess. Before the transaction that judges the guess, it is counted as wrong.

    suspicious: the network has guessed wrong so often that the right code alone is not enough.
    refusal: why the guess is not judged; None when it is.
    wrong: the code that was judged, and how many wrong guesses it has had including this one.
    right: the code that was confirmed.
    """

    member: str = field(default_factory=new_id)
    suspicious: bool = False
    refusal: LimitReached | None = None
    taken: tuple[Window, ...] = ()
    wrong: tuple[CodeAsked, int] | None = None
    right: CodeAsked | None = None

    def use(self) -> None:
        """Judge a guess on this place.

        Raises:
            LimitReached: there is no place; no attempt is lost.
        """
        if self.refusal is not None:
            raise self.refusal


@dataclass(frozen=True, slots=True)
class CodeLimits:
    """Allows and counts, or refuses and counts nothing."""

    windows: Windows
    policy: RequestPolicy
    alarms: Alarms

    @asynccontextmanager
    async def place_for_code(
        self, phone: PhoneNumber, channel: ChannelName, client_ip: str, now: datetime
    ) -> AsyncIterator[CodePlace]:
        """A place for one more code. It encloses the transaction that issues the code, and is given back if it was not used.

        `CodePlace.use` raises:
            TooManyRequests: this network confirmed too few of its codes.
            TooManyWrongCodes: the code comes by a call, and this network guessed wrong too often.
            NumberBlockBusy: too many codes to numbers that begin with the same seven digits; an alarm is sounded.
        """
        place = await self._place_for_code(phone, channel, client_ip, now)
        try:
            yield place
        except asyncio.CancelledError:
            place.used = True  # the transaction goes on in its thread, and may still issue the code
            raise
        except BaseException as error:
            place.used = False  # the transaction was rolled back
            if error is place.refusal:
                log_refusal(place.refusal)
                if isinstance(error, NumberBlockBusy):
                    block = _block(phone)
                    text = f"the limit of codes to numbers +{block}xxxx is reached"
                    self.alarms.sound(Alarm.NUMBER_BLOCK, text, of=block)
            raise
        finally:
            if not place.used:
                await self.windows.store.give_back(place.taken, [place.code_id])

    @asynccontextmanager
    async def guess(self, code: CodeAsked | None, now: datetime) -> AsyncIterator[CodeGuess]:
        """A place for a guess at a code. It encloses the transaction that judges the guess. Without a code there is nothing to guess.

        The six digits of a messenger need no such limit: three guesses succeed with 3·10⁻⁶.

        `CodeGuess.use` raises:
            TooManyWrongCodes: the network from which the code was asked for guessed wrong too often.
        """
        guess = CodeGuess()
        if code is not None and ChannelName(code.channel).facts.guessable:
            await self._reserve(guess, code, now)
        try:
            yield guess
        except asyncio.CancelledError:
            guess.taken = ()  # the transaction goes on in its thread, and the guess may be wrong
            raise
        except BaseException as error:
            guess.wrong = guess.right = None  # the transaction was rolled back
            if error is guess.refusal:
                log_refusal(guess.refusal)
            raise
        finally:
            await self._settle(guess)

    async def not_sent(self, code: CodeAsked) -> None:
        """Forget a code that nobody can type in, because the provider was down. It says nothing of its network.

        Otherwise patients behind one address who ask while calls fail would also keep everybody there from the messenger.
        """
        open_ = [window for window, _ in self._unconfirmed(code.phone, code.client_ip)]
        await self.windows.store.give_back(
            [*open_, *self._open_of_block(code.phone, code.channel).windows], [code.code_id]
        )

    async def counted(self, phone: PhoneNumber, client_ip: str) -> list[Counted]:
        """The counts of codes for a network, and for the numbers that begin like this one. The question itself counts nothing."""
        named = [
            *(
                ("unconfirmed codes", level.network, (limit, self.windows.key("unconfirmed", level.network)))
                for level, policy in self._levels(client_ip)
                for limit in scaled(policy.unconfirmed_codes, level)
            ),
            *(
                ("wrong codes", level.network, (limit, self._wrong_key(level)))
                for level, policy in self._levels(client_ip)
                for limit in scaled(policy.wrong_codes, level)
            ),
            *(
                (f"{kind} its block of numbers", "", window)
                for way, kind in _KINDS.items()
                for window in self._of_block(phone.e164, way).windows
            ),
            *(
                (f"unconfirmed {kind} its block of numbers", "", window)
                for way, kind in _KINDS.items()
                for window in self._open_of_block(phone.e164, way).windows
            ),
        ]
        counts = await self.windows.store.counts([window for _, _, window in named])
        return [
            Counted(of, network, window[0], count) for (of, network, window), count in zip(named, counts, strict=True)
        ]

    async def forgive(self, phone: PhoneNumber, client_ip: str) -> None:
        """Reset the counts of a network, and of the unconfirmed codes in the number's block.

        The block's total stays, because it limits the cost of a day.
        """
        open_ = [window for window, _ in self._unconfirmed(phone.e164, client_ip)]
        block = [window for way in _KINDS for window in self._open_of_block(phone.e164, way).windows]
        await self.windows.store.forget([*open_, *self._all_wrong(client_ip), *block])

    async def _place_for_code(
        self, phone: PhoneNumber, channel: ChannelName, client_ip: str, now: datetime
    ) -> CodePlace:
        code_id = new_id()
        open_ = self._unconfirmed(phone.e164, client_ip)
        confirmed = await self.windows.store.counts([window for _, window in open_])
        gates = [self._of_block(phone.e164, channel), self._open_of_block(phone.e164, channel)]
        gates += [
            Gate(TooManyRequests, key, (self.policy.unconfirmed_allowed(limit, count),))
            for ((limit, key), _), count in zip(open_, confirmed, strict=True)
        ]
        # Beyond this limit the people who share the address can still use a way with longer codes.
        guessed_at = self._wrong_codes(client_ip) if channel.facts.guessable else []
        refusal = await self.windows.refusal(guessed_at, now)
        refusal = refusal or await self.windows.taken(gates, code_id, now)
        if refusal is not None:
            return CodePlace(phone, client_ip, code_id, refusal)
        of_phone = self._of_phone(phone.e164, client_ip)
        await self.windows.store.take_all([of_phone], code_id)
        taken = tuple(window for gate in gates for window in gate.windows)
        return CodePlace(phone, client_ip, code_id, None, (*taken, of_phone))

    async def _reserve(self, guess: CodeGuess, code: CodeAsked, now: datetime) -> None:
        """Count the guess as wrong until it is judged, so that guesses made at once get no more tries than guesses in a row."""
        store, gates = self.windows.store, self._wrong_codes(code.client_ip)
        looked_at = [
            ((limit, self._wrong_key(level)), limit.count)
            for level, policy in self._levels(code.client_ip)
            for limit in scaled(policy.guesses_without_more, level)
        ]
        refused = [window for gate in gates for window in gate.windows]
        spans = {(limit.per, key) for limit, key in refused}
        more = [(Limit(UNBOUNDED, limit.per), key) for (limit, key), _ in looked_at if (limit.per, key) not in spans]
        full = await store.take_all([*refused, *more], guess.member)
        if full is not None:
            guess.refusal = await self.windows.refusal(gates, now) or TooManyWrongCodes(now, now + timedelta(seconds=1))
            return
        guess.taken = (*refused, *more)
        counts = await store.counts([window for window, _ in looked_at])
        guess.suspicious = any(count > most for count, (_, most) in zip(counts, looked_at, strict=True))

    async def _settle(self, guess: CodeGuess) -> None:
        store = self.windows.store
        if guess.wrong is not None:
            code, misses = guess.wrong
            await store.rename(guess.taken, guess.member, _name_of_miss(code.code_id, misses))
        else:
            await store.give_back(guess.taken, [guess.member])
        if guess.right is not None:
            await self._confirmed(guess.right)

    async def _confirmed(self, code: CodeAsked) -> None:
        """Give back everything that this network asked for this phone and mistyped: it was the phone's owner."""
        store, of_phone = self.windows.store, self._of_phone(code.phone, code.client_ip)
        codes = list({*await store.members(*of_phone), code.code_id})
        open_ = self._unconfirmed(code.phone, code.client_ip)
        await store.take_all([window for _, window in open_], code.code_id)
        of_block = self._open_of_block(code.phone, code.channel).windows
        await store.give_back([*(window for window, _ in open_), *of_block], codes)
        misses = [_name_of_miss(of, number) for of in codes for number in range(1, MISSES_OF_A_CODE + 1)]
        await store.give_back(self._all_wrong(code.client_ip), misses)
        await store.give_back([of_phone], codes)

    def _levels(self, client_ip: str) -> list[tuple[Level, NetworkPolicy]]:
        asker = self.windows.asker(client_ip)
        if asker is None:
            return []
        return [(level, self.policy.of(raised=asker.raised)) for level in asker.levels]

    def _unconfirmed(self, phone: str, client_ip: str) -> list[tuple[Window, Window]]:
        """For each network around an address: the window of open codes, and the window of confirmed ones that widens it."""
        return [
            (
                (limit, self.windows.key("unconfirmed", level.network)),
                (Limit(CONFIRMED_COUNTED, limit.per), self.windows.key("confirmed", level.network)),
            )
            for level, policy in self._levels(client_ip)
            for limit in scaled(policy.unconfirmed_codes, level)
        ]

    def _of_block(self, phone: str, channel: str) -> Gate:
        key = self.windows.key(f"block{_kind(channel)}", _block(PhoneNumber(phone)))
        return Gate(NumberBlockBusy, key, self.policy.codes_per_block)

    def _open_of_block(self, phone: str, channel: str) -> Gate:
        key = self.windows.key(f"unconfirmed of block{_kind(channel)}", _block(PhoneNumber(phone)))
        return Gate(NumberBlockBusy, key, self.policy.unconfirmed_codes_per_block)

    def _of_phone(self, phone: str, client_ip: str) -> Window:
        asker = self.windows.asker(client_ip)
        level = asker.levels[0] if asker else NO_ADDRESS[0]
        return OF_PHONE, self.windows.key("codes to", phone, level.network)

    def _wrong_codes(self, client_ip: str) -> list[Gate]:
        return [
            self.windows.gate(TooManyWrongCodes, "wrong codes", level, policy.wrong_codes)
            for level, policy in self._levels(client_ip)
        ]

    def _wrong_key(self, level: Level) -> str:
        return self.windows.key("wrong codes", level.network)

    def _all_wrong(self, client_ip: str) -> Sequence[Window]:
        return [
            (limit, self._wrong_key(level))
            for level, policy in self._levels(client_ip)
            for limit in {limit.per: limit for limit in (*policy.wrong_codes, *policy.guesses_without_more)}.values()
        ]


def _name_of_miss(code_id: str, misses: int) -> str:
    return f"{code_id}:{misses}"


def _kind(channel: str) -> str:
    """The kind of count. Calls have their own, so that calls which nobody makes cannot keep the owners of a block's numbers from codes."""
    return " of calls" if ChannelName(channel).facts.patient_calls else ""


def _block(phone: PhoneNumber) -> str:
    return phone.digits[:7]
