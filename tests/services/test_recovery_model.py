"""Any walk of two browsers over two phones, compared step by step with a model in plain Python."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from medonline.bootstrap import Portal, build_portal
from medonline.domain.errors import (
    BirthDateMismatch,
    CodeExpired,
    CodeMismatch,
    CodeUsedUp,
    MedonlineError,
    NoRecoveryInProgress,
    PasswordAlreadySet,
    RateLimited,
    TooManyCodes,
)
from medonline.domain.one_time_code import ChannelName
from medonline.domain.password_recovery import RecoveryStep
from medonline.services.recovery_reading import RecoveryView
from tests.conftest import LONG_RUN
from tests.services.world import (
    ANNA,
    BORIS,
    KNOWN,
    UNKNOWN,
    MovableClock,
    PlainHasher,
    config_in,
    copy_database,
    last_code,
    patient_with,
    wrong,
)

PAUSES = (60, 120, 300)
BORN = "21.05.1958"  # of the known patient
PER_PHONE = ((3, 1), (5, 24), (10, 168))
LIFE = {ChannelName.FLASH_CALL: 5, ChannelName.TELEGRAM: 10}
visitors = st.sampled_from([ANNA, BORIS])
phones = st.sampled_from([KNOWN, UNKNOWN])
ways = st.sampled_from(ChannelName)


@dataclass
class Code:
    digits: str
    channel: ChannelName
    issued_at: datetime
    misses: int = 0
    replaced: bool = False
    confirmed: bool = False

    @property
    def expires_at(self) -> datetime:
        return self.issued_at + timedelta(minutes=LIFE[self.channel])

    def dead(self) -> bool:
        return self.replaced or self.confirmed or self.misses >= 3


@dataclass
class Recovery:
    phone: str
    created_at: datetime
    code: Code
    step: RecoveryStep = RecoveryStep.CODE
    proved_at: datetime | None = None
    finished_at: datetime | None = None
    wrong_dates: int = 0

    def ends_at(self) -> datetime:
        if self.step in (RecoveryStep.NEW_PASSWORD, RecoveryStep.BIRTH_DATE):
            assert self.proved_at
            return self.proved_at + timedelta(minutes=15)
        if self.step is RecoveryStep.DONE:
            assert self.finished_at
            return self.finished_at + timedelta(minutes=10)
        return self.created_at + timedelta(hours=1)


@dataclass
class Model:
    recoveries: dict[str, Recovery] = field(default_factory=dict)  # by browser
    left: dict[tuple[str, str], Recovery] = field(default_factory=dict)  # at the code, by browser and phone
    codes: dict[str, list[Code]] = field(default_factory=dict)  # by phone
    password: str | None = None
    phone_proved_at: datetime | None = None

    def needs_more(self, recovery: Recovery, now: datetime) -> bool:
        """A call is not enough after a dead code within 30 days, or when the last proof is over 90 days old."""
        if recovery.code.channel is not ChannelName.FLASH_CALL:
            return False
        dead = [code for code in self.codes[recovery.phone] if code.misses >= 3]
        if any(now - code.issued_at < timedelta(days=30) for code in dead):
            return True
        proved = self.phone_proved_at if recovery.phone == KNOWN else None
        return proved is not None and now - proved > timedelta(days=90)

    def shown(self, visitor: str, now: datetime) -> Recovery | None:
        recovery = self.recoveries.get(visitor)
        return recovery if recovery and now < recovery.ends_at() else None

    def resend_at(self, phone: str) -> datetime | None:
        issued = self.codes.get(phone, [])
        if not issued:
            return None
        last = issued[-1].issued_at
        count = sum(code.issued_at >= last - timedelta(days=1) for code in issued)
        return last + timedelta(seconds=PAUSES[min(count, 3) - 1])

    def full_until(self, phone: str) -> datetime | None:
        """Three codes an hour, five a day, ten a week."""
        times = [code.issued_at for code in self.codes.get(phone, [])]
        ends = [times[-count] + timedelta(hours=hours) for count, hours in PER_PHONE if len(times) >= count]
        return max(ends, default=None)

    def full(self, phone: str, now: datetime) -> bool:
        until = self.full_until(phone)
        return until is not None and now < until

    def paused(self, phone: str, now: datetime) -> bool:
        resend_at = self.resend_at(phone)
        return resend_at is not None and now < resend_at

    def issue(self, phone: str, code: Code) -> None:
        for old in self.codes.setdefault(phone, []):
            old.replaced = old.replaced or not old.confirmed
        self.codes[phone].append(code)


class RecoveryWalk(RuleBasedStateMachine):
    """The service on one side, the model on the other."""

    template: ClassVar[Path]

    @initialize()
    def open(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="recovery-walk-"))
        copy_database(self.template, self.folder)
        self.loop = asyncio.new_event_loop()
        self.clock = MovableClock()
        self.clock.move(days=1)
        self.portal: Portal = build_portal(config_in(self.folder), self.clock)
        self.service = replace(self.portal.recovery, hasher=PlainHasher())
        self.model = Model()

    def teardown(self) -> None:
        if hasattr(self, "portal"):
            self.loop.run_until_complete(self.portal.close())
            self.loop.close()
            shutil.rmtree(self.folder)

    def attempt(self, action: Awaitable[RecoveryView]) -> RecoveryView | MedonlineError:
        async def act() -> RecoveryView | MedonlineError:
            try:
                return await action
            except MedonlineError as error:
                return error

        return self.loop.run_until_complete(act())

    def put_issued(self, visitor: str, phone: str, channel: ChannelName, recovery: Recovery | None) -> None:
        digits = self.loop.run_until_complete(last_code(self.portal, phone))
        code = Code(digits, channel, self.clock.now)
        self.model.issue(phone, code)
        if recovery is None:
            self.model.recoveries[visitor] = Recovery(phone, self.clock.now, code)
        else:
            recovery.code, recovery.step, recovery.proved_at = code, RecoveryStep.CODE, None

    @rule(seconds=st.sampled_from([1, 5, 60, 120, 300, 600, 3600, 86400, 86400 * 31, 86400 * 91]))
    def time_passes(self, seconds: int) -> None:
        self.clock.move(seconds=seconds)

    @rule(visitor=visitors, phone=phones, channel=ways)
    def begin(self, visitor: str, phone: str, channel: ChannelName) -> None:
        now = self.clock.now
        before = self.model.recoveries.get(visitor) or self.model.left.get((visitor, phone))
        came = self.attempt(self.service.begin(visitor, phone, channel))
        same = (
            before is not None
            and (before.step, before.phone, before.code.channel) == (RecoveryStep.CODE, phone, channel)
            and not before.code.dead()
            and now < before.code.expires_at
        )
        if same:
            assert isinstance(came, RecoveryView)
            assert before
            self.model.recoveries[visitor] = before
            self.model.left.pop((visitor, phone), None)
        elif self.model.full(phone, now):
            assert isinstance(came, TooManyCodes)
            assert came.until == self.model.full_until(phone)
        elif self.model.paused(phone, now):
            assert isinstance(came, RateLimited)
            assert now + came.resets_in == self.model.resend_at(phone)
        else:
            assert isinstance(came, RecoveryView)
            self.put_issued(visitor, phone, channel, None)

    @rule(visitor=visitors, channel=ways)
    def resend(self, visitor: str, channel: ChannelName) -> None:
        now, recovery = self.clock.now, self.model.shown(visitor, self.clock.now)
        came = self.attempt(self.service.resend(visitor, channel))
        here = (
            (RecoveryStep.CODE,) if channel is ChannelName.FLASH_CALL else (RecoveryStep.CODE, RecoveryStep.BIRTH_DATE)
        )
        if recovery is None or recovery.step not in here:
            assert isinstance(came, NoRecoveryInProgress)
            return
        last = recovery.code
        if last.channel is channel and now - last.issued_at < timedelta(seconds=5) and not last.misses:
            assert isinstance(came, RecoveryView)
        elif self.model.full(recovery.phone, now):
            assert isinstance(came, TooManyCodes)
        elif self.model.paused(recovery.phone, now):
            assert isinstance(came, RateLimited)
        else:
            assert isinstance(came, RecoveryView)
            self.put_issued(visitor, recovery.phone, channel, recovery)

    @rule(visitor=visitors, off=st.sampled_from([0, 1, 7]))
    def confirm(self, visitor: str, off: int) -> None:
        now, recovery = self.clock.now, self.model.shown(visitor, self.clock.now)
        digits = wrong(recovery.code.digits, off) if recovery else "0427"
        came = self.attempt(self.service.confirm_code(visitor, digits))
        if recovery is None or recovery.step in (RecoveryStep.DONE, RecoveryStep.REFUSED):
            assert isinstance(came, NoRecoveryInProgress)
        elif recovery.step is not RecoveryStep.CODE:
            assert isinstance(came, RecoveryView)
        elif now >= recovery.code.expires_at:
            assert isinstance(came, CodeExpired)
        elif recovery.code.dead():
            assert isinstance(came, CodeUsedUp)
        elif off:
            recovery.code.misses += 1
            assert isinstance(came, CodeMismatch)
            assert came.attempts_left == 3 - recovery.code.misses
        else:
            assert isinstance(came, RecoveryView)
            recovery.code.confirmed = True
            known = recovery.phone == KNOWN
            recovery.proved_at = now
            if self.model.needs_more(recovery, now):
                recovery.step = RecoveryStep.BIRTH_DATE
                return
            recovery.step = RecoveryStep.NEW_PASSWORD if known else RecoveryStep.NO_ACCOUNT
            if known:
                self.model.phone_proved_at = now

    @rule(visitor=visitors, right=st.booleans())
    def confirm_birth_date(self, visitor: str, right: bool) -> None:
        now, recovery = self.clock.now, self.model.shown(visitor, self.clock.now)
        came = self.attempt(self.service.confirm_birth_date(visitor, BORN if right else "01.01.2001"))
        if recovery is None or recovery.step in (RecoveryStep.CODE, RecoveryStep.DONE, RecoveryStep.NO_ACCOUNT):
            assert isinstance(came, NoRecoveryInProgress)
        elif recovery.step is not RecoveryStep.BIRTH_DATE:
            assert isinstance(came, RecoveryView)
        elif right and recovery.phone == KNOWN:
            assert isinstance(came, RecoveryView)
            recovery.step, recovery.proved_at, self.model.phone_proved_at = RecoveryStep.NEW_PASSWORD, now, now
        else:
            recovery.wrong_dates += 1
            assert isinstance(came, BirthDateMismatch)
            assert came.attempts_left == 3 - recovery.wrong_dates
            if recovery.wrong_dates == 3:
                recovery.step = RecoveryStep.REFUSED

    @rule(visitor=visitors, number=st.integers(min_value=1, max_value=3))
    def set_password(self, visitor: str, number: int) -> None:
        recovery = self.model.shown(visitor, self.clock.now)
        came = self.attempt(self.service.set_password(visitor, f"NewPassword{number}"))
        if recovery is None or recovery.step not in (RecoveryStep.NEW_PASSWORD, RecoveryStep.DONE):
            assert isinstance(came, NoRecoveryInProgress)
            return
        if recovery.step is RecoveryStep.DONE and self.model.password != f"plain:NewPassword{number}":
            assert isinstance(came, PasswordAlreadySet)
            return
        assert isinstance(came, RecoveryView)
        if recovery.step is RecoveryStep.NEW_PASSWORD:
            recovery.step, recovery.finished_at = RecoveryStep.DONE, self.clock.now
            self.model.password = f"plain:NewPassword{number}"

    @rule(visitor=visitors)
    def leave(self, visitor: str) -> None:
        self.loop.run_until_complete(self.service.leave(visitor))
        recovery = self.model.recoveries.pop(visitor, None)
        if recovery is not None and recovery.step is RecoveryStep.CODE:
            self.model.left[visitor, recovery.phone] = recovery

    @invariant()
    def each_browser_sees_what_the_model_says(self) -> None:
        if not hasattr(self, "portal"):
            return
        for visitor in (ANNA, BORIS):
            view = self.loop.run_until_complete(self.service.current(visitor))
            recovery = self.model.shown(visitor, self.clock.now)
            expected: Any = None
            if recovery is not None:
                alive = not recovery.code.dead() and self.clock.now < recovery.code.expires_at
                expected = (recovery.step, recovery.code.channel, 3 - recovery.code.misses, alive)
            seen = view and (view.step, view.channel, view.attempts_left, view.code_alive)
            assert seen == expected

    @invariant()
    def the_password_changes_only_with_a_finished_recovery(self) -> None:
        if hasattr(self, "portal") and self.model.password is not None:
            patient = self.loop.run_until_complete(patient_with(self.portal))
            assert patient.password_hash == self.model.password


def test_any_walk_goes_as_the_model_says(template: Path) -> None:
    class Walk(RecoveryWalk):
        pass

    Walk.template = template
    run_state_machine_as_test(
        Walk,
        settings=settings(
            max_examples=700 if LONG_RUN else 40,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_the_settings_are_what_the_model_assumes(portal: Portal) -> None:
    policy = portal.config.code_policy

    assert tuple(pause.total_seconds() for pause in policy.resend_pauses) == pytest.approx(PAUSES)
    assert {channel: life / timedelta(minutes=1) for channel, life in policy.life.items()} == LIFE
    assert policy.guesses == 3
    assert tuple((limit.count, limit.per / timedelta(hours=1)) for limit in policy.per_phone) == PER_PHONE
