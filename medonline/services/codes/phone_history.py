"""The last codes to one phone, read once, and what follows from them: from when the next one may be asked for, and by which way."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from medonline.domain.codes.channels import ChannelName
from medonline.domain.codes.one_time_code import CodePolicy
from medonline.domain.errors import RateLimited, TooManyCodes
from medonline.domain.limits import open_from
from medonline.services.codes.delivery import IN_FLIGHT, DeliveryState
from medonline.storage.queries.codes import PastCode

PAUSE_MEMORY = timedelta(days=1)
# A patient who hears nothing for so long is offered another way.
NEWS_WITHIN = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class PhoneHistory:
    """`codes` are those that any browser asked for, the newest first, as many as `looked_at` says.

    Calls that patients make have pauses and limits of their own: asking for one costs the owner of a number nothing, and so it takes
    nothing from the ways that do.
    """

    policy: CodePolicy
    codes: tuple[PastCode, ...]

    @staticmethod
    def codes_needed(policy: CodePolicy) -> int:
        """How many codes of the past the policy looks at; at least one of each way, which say whether all failed."""
        return max(len(ChannelName), len(policy.resend_pauses), *(limit.count for limit in policy.per_phone))

    @classmethod
    def looked_at(cls, policy: CodePolicy) -> int:
        """How many codes of both kinds are read: of neither there are more within the span of a limit than the limit allows."""
        return 2 * cls.codes_needed(policy)

    def of(self, channel: str) -> PhoneHistory:
        """What counts for this way: codes that go to the phone, or calls that come from it."""
        called = ChannelName(channel).facts.patient_calls
        same = (code for code in self.codes if ChannelName(code.channel).facts.patient_calls is called)
        return PhoneHistory(self.policy, tuple(same))

    @property
    def may_have_live(self) -> bool:
        """Whether a code to this phone might still be accepted. Of a history that is cut off the rest is not known: a clock that
        was set back leaves the code issued last among the oldest."""
        return len(self.codes) >= self.codes_needed(self.policy) or any(code.open for code in self.codes)

    def followed_by(self, issued_at: datetime, channel: str, delivery: str) -> PhoneHistory:
        """The history once a code with these facts has replaced what was live."""
        newest = PastCode(issued_at, channel, delivery, replaced=False, open=True)
        # A call that is awaited ends no code of another browser, and a code ends no such wait.
        replaces = {id(code) for code in self.of(channel).codes if code.open}
        before = (replace(code, replaced=True, open=False) if id(code) in replaces else code for code in self.codes)
        codes = sorted((newest, *before), key=lambda code: code.issued_at, reverse=True)
        return PhoneHistory(self.policy, tuple(codes[: self.looked_at(self.policy)]))

    @property
    def resend_at(self) -> datetime | None:
        """The moment (UTC) from which a code may be asked for by the same way; None when none was issued."""
        ends = (self._pause_end, self._limit_end)
        return max((end for end in ends if end is not None), default=None)

    def refusal(self, channel: ChannelName, now: datetime) -> TooManyCodes | RateLimited | None:
        """Why no code may be issued by this way now; None when one may."""
        return self.of(channel)._refusal(channel, now)

    def _refusal(self, channel: ChannelName, now: datetime) -> TooManyCodes | RateLimited | None:
        pause_end, limit_end = self._pause_end, self._limit_end
        if limit_end is not None and now < limit_end:
            return TooManyCodes(now, limit_end)
        if pause_end is None or now >= pause_end or self._is_way_out(channel, now):
            return None
        return RateLimited(pause_end - now)

    @property
    def _pause_end(self) -> datetime | None:
        if not self.codes:
            return None
        last = self.codes[0].issued_at
        issued = sum(code.issued_at >= last - PAUSE_MEMORY for code in self.codes)
        return self.policy.resend_at(issued, last)

    @property
    def _limit_end(self) -> datetime | None:
        return open_from([code.issued_at for code in self.codes], self.policy.per_phone)

    def _is_way_out(self, channel: ChannelName, now: datetime) -> bool:
        """Whether another way just failed, and this one is not among those that failed one after the other: then it is offered at
        once, without a pause. A way that gives no news is as good as failed: of all ways each is free of a pause once."""
        # Each next code replaces the one before; times alone would err after the clock was set back.
        last = max(self.codes, key=lambda code: (not code.replaced, code.issued_at))
        is_silent = last.delivery in IN_FLIGHT and now >= last.issued_at + NEWS_WITHIN
        if last.channel == channel or not (is_silent or last.delivery == DeliveryState.FAILED):
            return False
        tried = {last.channel}
        for before in (code for code in self.codes if code.issued_at < last.issued_at):
            failed = before.delivery == DeliveryState.FAILED or (is_silent and before.delivery in IN_FLIGHT)
            if not failed or before.channel in tried:
                break
            tried.add(before.channel)
        return channel not in tried
