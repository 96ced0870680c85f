"""Any walk of two browsers over two phones, compared step by step with a model in plain Python.

The account may get the other of the two numbers, and its proof may grow as old as a reissued number's. A browser gets another name
(the visitor cookie), is closed and opened again, and another person may sit down at it.

Between two steps the process may be killed and started again (I6). Every walk ends with what must hold in the record:
I1 the password in force is the last one that was confirmed; I2 what was judged and accepted of each code; I4 how many codes
and how much money; I5 a whole journal with a row for each reset; I6 each browser is at the step that the model says.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import itertools
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlmodel import col, select, update

from medonline.bootstrap import Portal, build_portal
from medonline.domain.client import Client
from medonline.domain.codes.channels import ChannelName
from medonline.domain.errors import (
    BirthDateMismatch,
    ChannelOverBudget,
    CodeExpired,
    CodeIncomplete,
    CodeMismatch,
    CodeReplaced,
    CodeUsedUp,
    LimitReached,
    MedonlineError,
    NoRecoveryInProgress,
    PasswordAlreadySet,
    RateLimited,
    TooManyCodes,
)
from medonline.domain.password_recovery import RecoveryStep
from medonline.domain.security_journal import JournalEvent
from medonline.services.limits.budgets import billing_day, next_midnight
from medonline.services.login.visitors import carry
from medonline.services.password_recovery.reader import RecoveryView
from medonline.storage.tables.codes import OneTimeCodeRow
from medonline.storage.tables.limits import ChannelSpending
from medonline.storage.tables.patients import Patient
from medonline.storage.tables.security_journal import JournalEntry
from tests.conftest import LONG_RUN
from tests.services.databases import Databases
from tests.services.world import (
    ANNA,
    BORIS,
    KNOWN,
    START,
    UNKNOWN,
    MovableClock,
    PlainHasher,
    config_in,
    last_code,
    limits_by,
    other_way,
    patient_with,
    recoveries_of,
    rows_of,
    wrong,
)

PAUSES = (60, 120, 300)
SILENCE = timedelta(seconds=15)
BORN = "21.05.1958"  # of the known patient
PER_PHONE = ((3, 1), (5, 24), (10, 168))
LIFE = {ChannelName.FLASH_CALL: 5, ChannelName.TELEGRAM: 10}
# In kopecks. Of each way fewer codes a day than the limits of two phones allow.
PRICE = {ChannelName.FLASH_CALL: 50, ChannelName.TELEGRAM: 100}
CAP = {ChannelName.FLASH_CALL: 225, ChannelName.TELEGRAM: 300}
MONEY = {"price_flash_call": "0.50", "daily_cap_flash_call": "2.25", "price_telegram": 1, "daily_cap_telegram": 3}
PROOF_AGE, REISSUED = timedelta(days=90), timedelta(days=900)
STEPS_OF_A_WALK = 50
# The walks of a test are so many tests: each has a seed of its own, so that what fails can be walked again.
PARTS = 4
WALKS_OF_A_PART = 3
LONG_ENOUGH = 20_000 // PARTS
# The same walks each time in the suite, others each time in `make model`.
SEED = os.environ.get("MODEL_SEED") or (secrets.token_hex(4) if LONG_RUN else "suite")
visitors = st.sampled_from([ANNA, BORIS])
phones = st.sampled_from([KNOWN, KNOWN, UNKNOWN])
ways = st.sampled_from((ChannelName.FLASH_CALL, ChannelName.TELEGRAM))
DAY = 86_400
spans = st.sampled_from([1, 5, 29, 60, 60, 120, 120, 300, 300, 600, 600, 3600, DAY, 29 * DAY, 31 * DAY, 91 * DAY])
ANY_STEP = ("leave", "resend", "confirm", "confirm_birth_date", "set_password")
T = TypeVar("T")


@dataclass(eq=False)
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
    sitting: str = ""  # in which the phone was proved
    older: list[str] = field(default_factory=list)  # the codes that newer ones of this recovery replaced
    older_told: int = 0

    def ends_at(self) -> datetime:
        if self.step in (RecoveryStep.NEW_PASSWORD, RecoveryStep.BIRTH_DATE):
            assert self.proved_at
            return self.proved_at + timedelta(minutes=10)
        if self.step is RecoveryStep.DONE:
            assert self.finished_at
            return self.finished_at + timedelta(minutes=10)
        return self.created_at + timedelta(hours=1)


@dataclass
class Model:
    password: str | None
    phone: str = KNOWN  # the account's
    recoveries: dict[Client, Recovery] = field(default_factory=dict)  # by browser
    left: dict[tuple[Client, str], Recovery] = field(default_factory=dict)  # at the code, by browser and phone
    codes: dict[str, list[Code]] = field(default_factory=dict)  # by phone
    spent: dict[tuple[ChannelName, date], int] = field(default_factory=dict)
    resets: list[datetime] = field(default_factory=list)
    phone_proved_at: datetime = START  # or made: the demo patients never proved theirs
    sittings: dict[Client, str] = field(default_factory=dict)  # by browser
    with_wrong_dates: list[Recovery] = field(default_factory=list)  # once each

    def dates_used_up(self, recovery: Recovery, now: datetime) -> bool:
        """Wrong birth dates were typed in two other recoveries of this number within 30 days."""
        others = [one for one in self.with_wrong_dates if one is not recovery and one.phone == recovery.phone]
        return sum(now - one.code.issued_at < timedelta(days=30) for one in others) >= 2

    def needs_more(self, recovery: Recovery, now: datetime) -> bool:
        """A call is not enough after three misses within 30 days; no code is when the last proof is over 90 days old."""
        if recovery.phone == self.phone and now - self.phone_proved_at > PROOF_AGE:
            return True
        counted = [code for code in self.codes[recovery.phone] if code is recovery.code or not code.confirmed]
        misses = sum(code.misses for code in counted if now - code.issued_at < timedelta(days=30))
        return misses >= 3 and recovery.code.channel is ChannelName.FLASH_CALL

    def shown(self, visitor: Client, now: datetime) -> Recovery | None:
        recovery = self.recoveries.get(visitor)
        if recovery is None or recovery.step is RecoveryStep.ABANDONED:
            return None
        if recovery.proved_at is not None and recovery.sitting != self.sittings[visitor]:
            return None
        return recovery if now < recovery.ends_at() else None

    def put_password(self, mine: Recovery, password: str, now: datetime) -> None:
        """What another browser proved before does not outlive it."""
        self.password = password
        self.resets.append(now)
        for other in self.recoveries.values():
            if (other.phone, other.step) == (mine.phone, RecoveryStep.NEW_PASSWORD):
                other.step = RecoveryStep.ABANDONED
        mine.step, mine.finished_at = RecoveryStep.DONE, now

    def number_changes(self, phone: str, now: datetime) -> None:
        """What was proved with the old number opens nothing any more."""
        for recovery in self.recoveries.values():
            if (recovery.phone, recovery.step) == (self.phone, RecoveryStep.NEW_PASSWORD):
                recovery.step = RecoveryStep.ABANDONED
        self.phone, self.phone_proved_at = phone, now

    def forget(self, visitor: Client) -> None:
        """Another person sits down at this browser."""
        self.recoveries.pop(visitor, None)
        self.left = {key: left for key, left in self.left.items() if key[0] != visitor}

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

    def silent(self, phone: str, channel: ChannelName, now: datetime) -> bool:
        """No code of a walk is sent: one is without news until it is typed in. The other way is open then, once."""
        *before, last = self.codes[phone]
        waits = not last.confirmed and last.channel != channel and now >= last.issued_at + SILENCE
        return waits and (not before or before[-1].channel != channel or before[-1].confirmed)

    def ends(self) -> list[datetime]:
        """When something is over that holds now."""
        recoveries = [*self.recoveries.values(), *self.left.values()]
        ends = [recovery.ends_at() for recovery in recoveries] + [recovery.code.expires_at for recovery in recoveries]
        of_phones = [end for phone in self.codes for end in (self.resend_at(phone), self.full_until(phone)) if end]
        silences = [codes[-1].issued_at + SILENCE for codes in self.codes.values() if codes]
        return ends + of_phones + silences

    def affordable(self, channel: ChannelName, now: datetime) -> bool:
        return self.spent.get((channel, billing_day(now)), 0) + PRICE[channel] <= CAP[channel]

    def refusal(self, phone: str, channel: ChannelName, now: datetime) -> RateLimited | LimitReached | None:
        """Why no code is sent to this phone by this way now."""
        if self.full(phone, now):
            return TooManyCodes(now, self.full_until(phone) or now)
        if self.paused(phone, now) and not self.silent(phone, channel, now):
            return RateLimited((self.resend_at(phone) or now) - now)
        if not self.affordable(channel, now):
            return ChannelOverBudget(channel, now, next_midnight(now))
        return None

    def issue(self, phone: str, code: Code) -> None:
        for old in self.codes.setdefault(phone, []):
            old.replaced = old.replaced or not old.confirmed
        self.codes[phone].append(code)
        paid = (code.channel, billing_day(code.issued_at))
        self.spent[paid] = self.spent.get(paid, 0) + PRICE[code.channel]


class Then(StrEnum):
    NOTHING = "nothing"
    GUESS_TWICE = "guess twice"  # one guess short of a dead code, code after code
    GUESS = "guess"
    RECOVER = "recover"
    BE_ASKED_FOR_MORE = "be asked for more"  # a dead code, the right one of the next call, and no answer


def in_hand(*steps: RecoveryStep) -> Callable[[RecoveryWalk], bool]:
    """Whether a browser has a recovery that stood at one of these steps."""

    def has(walk: RecoveryWalk) -> bool:
        return hasattr(walk, "model") and any(one.step in steps for one in walk.model.recoveries.values())

    return has


class RecoveryWalk(RuleBasedStateMachine):
    """The service on one side, the model on the other."""

    databases: ClassVar[Databases]
    steps: ClassVar[int]

    @initialize()
    def open(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="recovery-walk-"))
        self.loop = asyncio.new_event_loop()
        self.database = self.run(self.databases.make(self.folder))
        self.clock = MovableClock()
        self.clock.move(days=1)
        self.patches = ExitStack()
        self.patches.enter_context(limits_by(self.clock))
        self.config = config_in(self.folder, identity_provider="none", **MONEY, **self.database)
        self.looked_at = 0
        self.start()
        patient = self.run(patient_with(self.portal))
        self.account = patient.id
        self.model = Model(patient.password_hash)
        self.names = {visitor: visitor.visitor_key for visitor in (ANNA, BORIS)}  # the names in force, by browser
        self.former: list[str] = []
        self.numbers = itertools.count()
        for visitor in self.names:
            self.close_browser(visitor)

    def start(self) -> None:
        """A process over the record."""
        self.portal: Portal = build_portal(self.config, self.clock)
        recovery = self.portal.recovery
        self.service = replace(recovery, new_password=replace(recovery.new_password, hasher=PlainHasher()))

    def teardown(self) -> None:
        if not hasattr(self, "portal"):
            return
        type(self).steps += max(self.looked_at - 1, 0)
        try:
            if sys.exc_info()[0] is None:  # otherwise the step that failed says more
                self.kill()
                self.check_record()
                self.each_browser_sees_what_the_model_says()
        finally:
            self.run(self.portal.close())
            self.run(self.databases.drop(self.database))
            self.loop.close()
            self.patches.close()
            shutil.rmtree(self.folder)

    def run(self, work: Awaitable[T]) -> T:
        async def act() -> T:
            return await work

        return self.loop.run_until_complete(act())

    def attempt(self, action: Awaitable[T]) -> T | MedonlineError:
        async def act() -> T | MedonlineError:
            try:
                return await action
            except MedonlineError as error:
                return error

        return self.loop.run_until_complete(act())

    def put_issued(self, visitor: Client, phone: str, channel: ChannelName, recovery: Recovery | None) -> None:
        code = Code(self.run(last_code(self.portal, phone)), channel, self.clock.now)
        self.model.issue(phone, code)
        if recovery is None:
            self.model.recoveries[visitor] = Recovery(phone, self.clock.now, code)
        else:
            recovery.older += [] if recovery.code.confirmed else [recovery.code.digits]
            recovery.code, recovery.step, recovery.proved_at, recovery.sitting = code, RecoveryStep.CODE, None, ""

    def check_issue(self, came: object, refusal: MedonlineError | None) -> bool:
        """Whether a code was issued, as the model says."""
        if refusal is None:
            assert isinstance(came, RecoveryView)
            return True
        assert type(came) is type(refusal)
        assert vars(came) == vars(refusal)
        return False

    # --- what may happen ---------------------------------------------------------------------------------------------

    @rule(seconds=spans, killed=st.booleans())
    def time_passes(self, seconds: int, killed: bool) -> None:
        self.clock.move(seconds=seconds)
        if killed:
            self.kill()

    @precondition(lambda self: hasattr(self, "model") and self.model.codes)
    @rule(which=st.integers(min_value=0, max_value=9), then=st.sampled_from([*ANY_STEP, ""]))
    def time_passes_until_something_ends(self, which: int, then: str) -> None:
        """To the very moment at which a code, a pause, a limit or a recovery ends; and what is done in that moment."""
        ahead = sorted(end for end in self.model.ends() if end > self.clock.now)
        if ahead:
            self.clock.now = ahead[which % len(ahead)]
        for visitor in (ANNA, BORIS) if then else ():
            self.anything_at_any_step(visitor, then)

    def kill(self) -> None:
        """What was not in the record is gone."""
        self.run(self.portal.close())
        self.start()

    @rule(visitor=visitors, phone=phones, channel=ways, patient=st.booleans(), then=st.sampled_from(list(Then)))
    def come(self, visitor: Client, phone: str, channel: ChannelName, patient: bool, then: Then) -> None:
        """Begin, and do at once what most people or most attackers do then."""
        if patient:
            self.wait_for_a_code(phone, channel)
        self.begin(visitor, phone, channel)
        if visitor not in self.model.recoveries:
            return
        if then is Then.GUESS_TWICE:
            self.mistake(visitor, 2)
        if then in (Then.GUESS, Then.BE_ASKED_FOR_MORE):
            self.mistake(visitor, 4)
        if then is Then.BE_ASKED_FOR_MORE:
            self.wait_for_a_code(phone, ChannelName.FLASH_CALL)
            self.resend(visitor, ChannelName.FLASH_CALL)
            self.confirm(visitor, 0)
            self.set_password(visitor, 1)
        if then is Then.RECOVER:
            for _ in range(3):
                self.go_on(visitor, 1 + len(self.model.resets) % 3)

    def begin(self, visitor: Client, phone: str, channel: ChannelName) -> None:
        now = self.clock.now
        before = self.model.recoveries.get(visitor) or self.model.left.get((visitor, phone))
        came = self.attempt(self.service.begin(self.client(visitor), phone, channel))
        same = (
            before is not None
            and (before.step, before.phone, before.code.channel) == (RecoveryStep.CODE, phone, channel)
            and not before.code.dead()
            # Both: a code that was asked for late outlives the hour that its step has.
            and now < min(before.code.expires_at, before.ends_at())
        )
        if same:
            assert isinstance(came, RecoveryView)
            assert before
            self.model.recoveries[visitor] = before
            self.model.left.pop((visitor, phone), None)
        elif self.check_issue(came, self.model.refusal(phone, channel, now)):
            self.put_issued(visitor, phone, channel, None)

    def wait_for_a_code(self, phone: str, channel: ChannelName) -> None:
        """To the first moment at which nothing is in the way."""
        while (refusal := self.model.refusal(phone, channel, self.clock.now)) is not None:
            wait = refusal.resets_in if isinstance(refusal, RateLimited) else refusal.until - self.clock.now
            self.clock.now += wait

    @precondition(in_hand(RecoveryStep.CODE, RecoveryStep.BIRTH_DATE))
    @rule(visitor=visitors, channel=ways, patient=st.booleans())
    def ask_again(self, visitor: Client, channel: ChannelName, patient: bool) -> None:
        visitor = self.somebody(visitor)
        if patient:
            self.wait_for_a_code(self.model.recoveries[visitor].phone, channel)
        self.resend(visitor, channel)

    @precondition(in_hand(RecoveryStep.CODE, RecoveryStep.BIRTH_DATE, RecoveryStep.NEW_PASSWORD))
    @rule(visitor=visitors, number=st.integers(min_value=1, max_value=3))
    def go_on(self, visitor: Client, number: int) -> None:
        """What the screen asks for."""
        visitor = self.somebody(visitor)
        step = self.model.recoveries[visitor].step
        if step is RecoveryStep.BIRTH_DATE:
            self.confirm_birth_date(visitor, right=True)
        elif step is RecoveryStep.NEW_PASSWORD:
            self.set_password(visitor, number)
        elif step is RecoveryStep.CODE:
            self.confirm(visitor, 0)

    @precondition(in_hand(RecoveryStep.CODE, RecoveryStep.BIRTH_DATE))
    @rule(visitor=visitors, times=st.sampled_from([1, 2, 4]))
    def mistake(self, visitor: Client, times: int) -> None:
        visitor = self.somebody(visitor)
        for off in range(1, times + 1):
            step = self.model.recoveries[visitor].step
            if step is RecoveryStep.CODE:
                self.confirm(visitor, off)
            elif step is RecoveryStep.BIRTH_DATE:
                self.confirm_birth_date(visitor, right=False)

    def somebody(self, visitor: Client) -> Client:
        """This browser if it has a recovery, else the other."""
        return visitor if visitor in self.model.recoveries else next(iter(self.model.recoveries))

    @precondition(in_hand(*RecoveryStep))
    @rule(visitor=visitors, which=st.integers(min_value=0, max_value=19))
    def type_any_code_there_was(self, visitor: Client, which: int) -> None:
        """Of another browser, of the other phone, of an earlier message: only one's own last code opens anything."""
        every = [code for codes in self.model.codes.values() for code in codes]
        self.type(self.somebody(visitor), every[which % len(every)].digits)

    @rule(visitor=visitors, what=st.sampled_from(ANY_STEP))
    def anything_at_any_step(self, visitor: Client, what: str) -> None:
        """Handlers may be called in any order."""
        if what == "leave":
            self.leave(visitor)
        elif what == "resend":
            self.resend(visitor, ChannelName.TELEGRAM)
        elif what == "confirm":
            self.confirm(visitor, 0)
        elif what == "confirm_birth_date":
            self.confirm_birth_date(visitor, right=True)
        else:
            self.set_password(visitor, 1)

    # --- whose number, whose browser --------------------------------------------------------------------------------

    @rule()
    def the_account_gets_the_other_number(self) -> None:
        """At the desk. Who has the old one proves it, and has no account."""
        phone = UNKNOWN if self.model.phone == KNOWN else KNOWN
        self.run(self.portal.desk.personal_data.set_phone(self.account, phone))
        self.model.number_changes(phone, self.clock.now)

    @rule(proved=st.booleans())
    def the_number_is_given_to_somebody_else(self, proved: bool) -> None:
        """Its proof is as old as a reissued number's, or there never was one."""
        then = self.clock.now - REISSUED
        self.run(self.put_patient(created_at=then, phone_proved_at=then if proved else None))
        self.model.phone_proved_at = then

    @rule(visitor=visitors)
    def leave_for_gosuslugi(self, visitor: Client) -> None:
        """The browser has another name, the recovery goes along."""
        name = self.another_name(visitor)
        self.run(self.carried(name, self.names[visitor]))
        recovery = self.model.recoveries.get(visitor)
        if recovery is not None and recovery.step is RecoveryStep.ABANDONED:
            del self.model.recoveries[visitor]

    @rule(visitor=visitors)
    def another_person_sits_down(self, visitor: Client) -> None:
        """After a sign-in or a sign-out."""
        self.run(self.portal.visitors.leave(self.names[visitor]))
        self.another_name(visitor)
        self.close_browser(visitor)
        self.model.forget(visitor)

    @rule(visitor=visitors)
    def close_browser(self, visitor: Client) -> None:
        """And open it again: what ends with the browser is another one."""
        self.model.sittings[visitor] = f"{next(self.numbers):064d}"

    @rule(visitor=visitors)
    def open_the_start_page(self, visitor: Client) -> None:
        self.run(self.service.leave_proved(self.names[visitor]))
        recovery = self.model.recoveries.get(visitor)
        over = (RecoveryStep.CODE, RecoveryStep.DONE, RecoveryStep.ABANDONED)
        if recovery is not None and recovery.step not in over:
            del self.model.recoveries[visitor]

    def another_name(self, visitor: Client) -> str:
        """The browser's name from now on; the one that it had."""
        former, self.names[visitor] = self.names[visitor], f"{next(self.numbers):064x}"
        self.former.append(former)
        return former

    async def carried(self, name: str, next_name: str) -> None:
        with self.portal.database.writing() as session:
            carry(session, name, next_name)

    async def put_patient(self, **facts: object) -> None:
        with self.portal.database.writing() as session:
            session.exec(update(Patient).where(col(Patient.id) == self.account).values(**facts))

    def client(self, visitor: Client) -> Client:
        return replace(visitor, visitor_key=self.names[visitor], sitting_key=self.model.sittings[visitor])

    # --- what comes of it --------------------------------------------------------------------------------------------

    def leave(self, visitor: Client) -> None:
        self.run(self.service.leave(self.client(visitor)))
        recovery = self.model.recoveries.pop(visitor, None)
        if recovery is not None and recovery.step is RecoveryStep.CODE:
            self.model.left[visitor, recovery.phone] = recovery

    def resend(self, visitor: Client, channel: ChannelName) -> None:
        now, recovery = self.clock.now, self.model.shown(visitor, self.clock.now)
        came = self.attempt(self.service.resend(self.client(visitor), channel))
        here = (
            (RecoveryStep.CODE,) if channel is ChannelName.FLASH_CALL else (RecoveryStep.CODE, RecoveryStep.BIRTH_DATE)
        )
        if recovery is None or recovery.step not in here:
            assert isinstance(came, NoRecoveryInProgress)
            return
        last = recovery.code
        if last.channel is channel and now - last.issued_at < timedelta(seconds=5) and not last.misses:
            assert isinstance(came, RecoveryView)
        elif self.check_issue(came, self.model.refusal(recovery.phone, channel, now)):
            self.put_issued(visitor, recovery.phone, channel, recovery)

    def confirm(self, visitor: Client, off: int) -> None:
        recovery = self.model.shown(visitor, self.clock.now)
        self.type(visitor, wrong(recovery.code.digits, off) if recovery else "0427")

    def type(self, visitor: Client, digits: str) -> None:
        now, recovery = self.clock.now, self.model.shown(visitor, self.clock.now)
        came = self.attempt(self.service.confirm_code(self.client(visitor), digits))
        if recovery is None or recovery.step in (RecoveryStep.DONE, RecoveryStep.REFUSED):
            assert isinstance(came, NoRecoveryInProgress)
        elif recovery.step is not RecoveryStep.CODE:
            assert isinstance(came, RecoveryView)
        elif len(digits) != len(recovery.code.digits):
            assert isinstance(came, CodeIncomplete)
        elif now >= recovery.code.expires_at:
            assert isinstance(came, CodeExpired)
        elif recovery.code.dead():
            assert isinstance(came, CodeUsedUp)
        elif digits != recovery.code.digits and digits in recovery.older and recovery.older_told < 3:
            recovery.older_told += 1
            assert isinstance(came, CodeReplaced)
        elif digits != recovery.code.digits:
            recovery.code.misses += 1
            assert isinstance(came, CodeMismatch)
            assert came.attempts_left == 3 - recovery.code.misses
        else:
            assert isinstance(came, RecoveryView)
            self.put_proved(recovery, self.model.sittings[visitor])

    def put_proved(self, recovery: Recovery, sitting: str) -> None:
        recovery.code.confirmed = True
        known = recovery.phone == self.model.phone
        recovery.proved_at, recovery.sitting = self.clock.now, sitting
        if self.model.needs_more(recovery, self.clock.now):
            used_up = self.model.dates_used_up(recovery, self.clock.now)
            recovery.step = RecoveryStep.REFUSED if used_up else RecoveryStep.BIRTH_DATE
            return
        recovery.step = RecoveryStep.NEW_PASSWORD if known else RecoveryStep.NO_ACCOUNT
        if known:
            self.model.phone_proved_at = self.clock.now

    def confirm_birth_date(self, visitor: Client, right: bool) -> None:
        now, recovery = self.clock.now, self.model.shown(visitor, self.clock.now)
        typed = BORN if right else "01.01.2001"
        came = self.attempt(self.service.confirm_birth_date(self.client(visitor), typed))
        if recovery is None or recovery.step in (RecoveryStep.CODE, RecoveryStep.DONE, RecoveryStep.NO_ACCOUNT):
            assert isinstance(came, NoRecoveryInProgress)
        elif recovery.step is not RecoveryStep.BIRTH_DATE:
            assert isinstance(came, RecoveryView)
        elif self.model.dates_used_up(recovery, now):
            assert isinstance(came, RecoveryView)
            recovery.step = RecoveryStep.REFUSED
        elif right and recovery.phone == self.model.phone:
            assert isinstance(came, RecoveryView)
            recovery.step, recovery.proved_at, self.model.phone_proved_at = RecoveryStep.NEW_PASSWORD, now, now
        else:
            recovery.wrong_dates += 1
            if recovery.wrong_dates == 1:
                self.model.with_wrong_dates.append(recovery)
            assert isinstance(came, BirthDateMismatch)
            assert came.attempts_left == 3 - recovery.wrong_dates
            if recovery.wrong_dates == 3:
                recovery.step = RecoveryStep.REFUSED

    def set_password(self, visitor: Client, number: int) -> None:
        recovery = self.model.shown(visitor, self.clock.now)
        typed = f"NewPassword{number}"
        came = self.attempt(self.service.set_password(self.client(visitor), typed))
        if recovery is None or recovery.step not in (RecoveryStep.NEW_PASSWORD, RecoveryStep.DONE):
            assert isinstance(came, NoRecoveryInProgress)
            return
        if recovery.step is RecoveryStep.DONE and self.model.password != f"plain:NewPassword{number}":
            assert isinstance(came, PasswordAlreadySet)
            return
        assert isinstance(came, RecoveryView)
        if recovery.step is RecoveryStep.NEW_PASSWORD:
            self.model.put_password(recovery, f"plain:NewPassword{number}", self.clock.now)
            self.was_reset()

    def was_reset(self) -> None:
        """For walks that know of sessions."""

    @invariant()
    def count(self) -> None:
        if hasattr(self, "portal"):
            self.looked_at += 1

    @invariant()
    def each_browser_sees_what_the_model_says(self) -> None:
        if not hasattr(self, "model"):
            return
        now = self.clock.now
        for visitor in (ANNA, BORIS):
            view = self.run(self.service.current(self.client(visitor)))
            recovery = self.model.shown(visitor, now)
            assert (view and self.seen(view)) == (recovery and self.expected(recovery, now))

    @staticmethod
    def seen(view: RecoveryView) -> tuple[Any, ...]:
        code = (view.channel, view.issued_at, view.expires_at, view.attempts_left, view.code_alive)
        return view.step, code, view.birth_date_tries_left, view.resend_at, view.fallback_now, view.open_channels

    def expected(self, recovery: Recovery, now: datetime) -> tuple[Any, ...]:
        code, model, phone = recovery.code, self.model, recovery.phone
        alive = not code.dead() and now < code.expires_at
        ends = [end for end in (model.resend_at(phone), model.full_until(phone)) if end]
        shown = (
            recovery.step,
            (code.channel, code.issued_at, code.expires_at, 3 - code.misses, alive),
            3 - recovery.wrong_dates,
        )
        if recovery.step not in (RecoveryStep.CODE, RecoveryStep.BIRTH_DATE):
            return (*shown, code.issued_at, False, ())  # no other code is offered, and none is said to be open
        return (
            *shown,
            max(ends),
            model.refusal(phone, other_way(code.channel), now) is None,
            tuple(channel for channel in self.portal.config.code_channels if model.affordable(channel, now)),
        )

    @invariant()
    def the_password_changes_only_with_a_finished_recovery(self) -> None:
        if hasattr(self, "model"):
            assert self.run(self.patient()).password_hash == self.model.password

    # --- the end of a walk -------------------------------------------------------------------------------------------

    def check_record(self) -> None:
        """What no walk may break, asked of the tables themselves."""
        self.no_reset_is_lost()
        self.codes_were_judged_as_the_model_says()
        self.nobody_got_on_without_a_code()
        self.no_limit_was_exceeded()
        self.the_journal_is_whole()
        self.a_former_name_shows_nothing()

    def no_reset_is_lost(self) -> None:
        patient = self.run(self.patient())
        assert (patient.password_hash, patient.phone) == (self.model.password, self.model.phone)
        if self.model.resets:
            assert patient.password_changed_at == self.model.resets[-1]

    def codes_were_judged_as_the_model_says(self) -> None:
        rows = self.run(rows_of(self.portal))
        for phone in (KNOWN, UNKNOWN):
            ours = [row for row in rows if row.phone == phone]
            kept = [
                (row.issued_at, row.misses, row.confirmed_at is not None, row.replaced_at is not None) for row in ours
            ]
            codes = self.model.codes.get(phone, [])
            assert [row.digest for row in ours] == [
                self.digest(row, code.digits) for row, code in zip(ours, codes, strict=True)
            ]
            assert kept == [(code.issued_at, code.misses, code.confirmed, code.replaced) for code in codes]
            assert sum(row.confirmed_at is None and row.replaced_at is None for row in ours) <= 1
        for row in rows:
            assert 0 <= row.misses <= 3
            assert row.confirmed_at is None or (row.issued_at <= row.confirmed_at < row.expires_at and row.misses < 3)

    def digest(self, row: OneTimeCodeRow, digits: str) -> str:
        """Bound to all that the code is for, whatever the product thinks."""
        text = f"{row.flow_id}|password_recovery|{row.phone}|{digits}"
        return hmac.new(self.config.key, text.encode(), hashlib.sha256).hexdigest()

    def nobody_got_on_without_a_code(self) -> None:
        accepted = {row.flow_id for row in self.run(rows_of(self.portal)) if row.confirmed_at is not None}
        for recovery in self.run(recoveries_of(self.portal)):
            if recovery.patient_id is not None or recovery.proved_at is not None or recovery.finished_at is not None:
                assert recovery.id in accepted

    def no_limit_was_exceeded(self) -> None:
        rows = self.run(rows_of(self.portal))
        for phone in (KNOWN, UNKNOWN):
            times = [row.issued_at for row in rows if row.phone == phone]
            for count, hours in PER_PHONE:
                spans = zip(times, times[count:], strict=False)
                assert all(last - first >= timedelta(hours=hours) for first, last in spans)
        spent = self.run(self.all_of(ChannelSpending))
        assert {(ChannelName(row.channel), row.day): row.kopecks for row in spent if row.kopecks} == self.model.spent
        assert all(row.kopecks <= CAP[ChannelName(row.channel)] for row in spent)
        assert sum(row.price for row in rows) == sum(row.kopecks for row in spent)

    def the_journal_is_whole(self) -> None:
        assert self.run(self.portal.journal_keeper.examine()).fault == ""
        rows = self.run(self.all_of(JournalEntry))
        assert sum(row.event == JournalEvent.PASSWORD_RECOVERED for row in rows) == len(self.model.resets)

    def a_former_name_shows_nothing(self) -> None:
        for name in self.former:
            for sitting in self.model.sittings.values():
                assert self.run(self.service.current(Client(visitor_key=name, sitting_key=sitting))) is None

    async def patient(self) -> Patient:
        with self.portal.database.reading() as session:
            patient = session.get(Patient, self.account)
        assert patient is not None
        return patient

    async def all_of(self, table: type[T]) -> list[T]:
        with self.portal.database.reading() as session:
            return list(session.exec(select(table)).all())


def steps_wanted() -> int:
    """Of one part. Most walks go all of their steps; one that can do nothing more is short."""
    return LONG_ENOUGH if LONG_RUN else STEPS_OF_A_WALK


def walk(kind: type[RecoveryWalk], databases: Databases, part: int) -> int:
    """Walk one part of the walks, for long at least `LONG_ENOUGH` steps; how many there were."""

    class Walk(kind):  # type: ignore[misc, valid-type]
        pass

    Walk.databases, Walk.steps = databases, 0
    for lap in itertools.count():
        run_state_machine_as_test(
            seed(f"{SEED} {part} {lap}")(Walk),
            settings=settings(
                max_examples=WALKS_OF_A_PART,
                stateful_step_count=STEPS_OF_A_WALK,
                deadline=None,
                database=None,  # no memory beside the seed
                print_blob=True,
                suppress_health_check=list(HealthCheck),
            ),
        )
        if not LONG_RUN or Walk.steps >= LONG_ENOUGH:
            break
    return Walk.steps
