"""The last codes to one phone, read once. They decide when and by which way the next code may be asked for."""

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
# A patient who hears nothing for this long is offered another way.
NEWS_WITHIN = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class PhoneHistory:
    """`codes` are the last codes that any browser asked for, the newest first. `looked_at` says how many.

    Calls that patients make have their own pauses and limits. To ask for such a call costs the owner of a number nothing, so it does not
    count against the other ways.
    """

    policy: CodePolicy
    codes: tuple[PastCode, ...]

    @staticmethod
    def codes_needed(policy: CodePolicy) -> int:
        """How many past codes the policy looks at. There is at least one for each way, which is enough to see whether all ways failed."""
        return max(len(ChannelName), len(policy.resend_pauses), *(limit.count for limit in policy.per_phone))

    @classmethod
    def looked_at(cls, policy: CodePolicy) -> int:
        """How many codes of both kinds are read. Neither kind has more codes within the span of a limit than the limit allows."""
        return 2 * cls.codes_needed(policy)

    def of(self, channel: str) -> PhoneHistory:
        """The part of the history that counts for this way: codes that go to the phone, or calls that come from it."""
        called = ChannelName(channel).facts.patient_calls
        same = (code for code in self.codes if ChannelName(code.channel).facts.patient_calls is called)
        return PhoneHistory(self.policy, tuple(same))

    @property
    def may_have_live(self) -> bool:
        """Whether a code to this phone might still be accepted. For a history that was cut off the answer is yes.

        After a clock was set back, the code that was issued last may be among the oldest, in the part that was not read.
        """
        return len(self.codes) >= self.codes_needed(self.policy) or any(code.open for code in self.codes)

    def followed_by(self, issued_at: datetime, channel: str, delivery: str) -> PhoneHistory:
        """The history after a code with these facts has replaced the live one."""
        newest = PastCode(issued_at, channel, delivery, replaced=False, open=True)
        # A call that is awaited ends no code of another browser, and a code ends no such wait.
        replaces = {id(code) for code in self.of(channel).codes if code.open}
        before = (replace(code, replaced=True, open=False) if id(code) in replaces else code for code in self.codes)
        codes = sorted((newest, *before), key=lambda code: code.issued_at, reverse=True)
        return PhoneHistory(self.policy, tuple(codes[: self.looked_at(self.policy)]))

    @property
    def resend_at(self) -> datetime | None:
        """The moment (UTC) from which a code may be asked for by the same way. None when no code was issued."""
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
        """Whether this way is offered at once, without a pause, because another way just failed. It must not be among the ways that failed
        in a row.

        A way that gives no news counts as failed. So each way can skip the pause once.
        """
        # Each new code replaces the one before. Times alone would be wrong after the clock was set back.
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
