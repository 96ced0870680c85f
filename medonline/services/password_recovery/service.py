"""Recovery of a forgotten password by phone: begin, resend, confirm_code, take_call, confirm_birth_date, set_password, leave.

The record is the `password_recovery` row of this browser. Every method reads its step, and makes and commits one allowed move, or raises
and leaves the row as it was. A code goes to any valid number. Whether an account exists is looked up only after the right code was typed.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from medonline.domain.client import Client
from medonline.domain.codes.channels import ChannelName
from medonline.domain.codes.one_time_code import digits_typed
from medonline.domain.errors import CallNotSeen, CodeRefused, CodeUsedUp, NoRecoveryInProgress
from medonline.domain.password_recovery import RecoveryMove, RecoveryStep, after, source_of
from medonline.domain.phone import PhoneNumber
from medonline.services.clock import Clock
from medonline.services.codes.delivery import DeliveryState
from medonline.services.codes.flow import CodeFlow
from medonline.services.codes.issuing import topic_of
from medonline.services.codes.step_up import StepUp
from medonline.services.limits.code_limits import CodeGuess, CodePlace
from medonline.services.password_recovery.birth_date import BirthDateStep
from medonline.services.password_recovery.new_password import NewPasswordStep
from medonline.services.password_recovery.reader import RecoveryReader, RecoveryView
from medonline.storage.engine import Database, announce, reads, writes
from medonline.storage.queries import codes, patients
from medonline.storage.queries import password_recovery as password_recoveries
from medonline.storage.tables.codes import OneTimeCodeRow
from medonline.storage.tables.password_recovery import PasswordRecovery

_PROVED = tuple(step for step in source_of(RecoveryMove.ABANDON) if step is not RecoveryStep.CODE)
AFTER_CODE = (RecoveryStep.BIRTH_DATE, RecoveryStep.NEW_PASSWORD, RecoveryStep.NO_ACCOUNT, RecoveryStep.STOPPED)


@dataclass(frozen=True, slots=True)
class PasswordRecoveryService:
    """The use case, with one public method for each action of the patient.

    A recovery belongs to the client's browser (`visitor_key`), never to a patient. The proof of a phone is valid only in the sitting in
    which it was given (`sitting_key`).
    """

    database: Database
    clock: Clock
    codes: CodeFlow
    reader: RecoveryReader
    step_up: StepUp
    birth_date: BirthDateStep
    new_password: NewPasswordStep

    @reads
    def opened(self, session: Session, client: Client) -> tuple[tuple[ChannelName, ...], RecoveryView | None]:
        """What the page needs when it opens: `open_channels` and `current`, read in one transaction."""
        return self.codes.open_channels(session, self.clock()), self._current(session, client)

    @reads
    def current(self, session: Session, client: Client) -> RecoveryView | None:
        """The step of this browser's recovery. None when it has none, or none that can go on."""
        return self._current(session, client)

    def _current(self, session: Session, client: Client) -> RecoveryView | None:
        now = self.clock()
        found = password_recoveries.newest_with_code(session, client.visitor_key)
        if found is None or not self.reader.is_shown(found[0], now, client.sitting_key):
            return None
        recovery, code = found
        return self.reader.view(session, recovery, now, code)

    async def begin(self, client: Client, typed_phone: str, channel: ChannelName) -> RecoveryView:
        """Step 1 → 2: record the intent to send a code. The same phone and way again return the recovery that exists.

        Raises:
            InvalidPhone: this is no Russian mobile number.
            ChannelUnavailable: the way is switched off.
            RateLimited: a code to this phone was asked for a moment ago.
            CallAwaited: another browser waits for a call from this number.
            LimitReached: one of its leaves.
        """
        phone = PhoneNumber.parse(typed_phone)
        self.codes.issuer.require_channel(channel)
        now = self.clock()
        async with self.codes.place(phone, channel, client.address, now) as place:
            return await self._begin(client.visitor_key, place, channel, now)

    @writes
    def _begin(
        self, session: Session, visitor_key: str, place: CodePlace, channel: ChannelName, now: datetime
    ) -> RecoveryView:
        phone = place.phone
        codes.hold_phone(session, phone.e164)  # a double click waits here, and then finds the recovery
        # After «Назад» from step 2 and the same number again, the code that was already sent still counts.
        recovery = password_recoveries.newest_or_left(session, visitor_key, phone.e164, RecoveryStep.CODE)
        if recovery is not None and self.reader.is_same_begin(session, recovery, phone, channel, now):
            password_recoveries.set_left(session, recovery.id, None)
            return self.reader.view(session, recovery, now)
        before = recovery
        recovery = PasswordRecovery(visitor_key=visitor_key, phone=phone.e164, step=RecoveryStep.CODE, created_at=now)
        session.add(recovery)
        issued = self.codes.begin(session, self.codes.request(recovery.id, place, channel), now)
        if before is not None:  # after the code, as in `_resend` (lock order: `storage.engine`)
            self._give_up(session, before, now)
        return self.reader.view(session, recovery, now, issued.code, issued)

    async def resend(self, client: Client, channel: ChannelName) -> RecoveryView:
        """Send another code by the same way or another one. In place of the birth date only a messenger is allowed.

        Raises:
            NoRecoveryInProgress: the recovery is not at the code.
            ChannelUnavailable, RateLimited, LimitReached: as for `begin`.
        """
        now = self.clock()
        recovery = await self.database.read(self.reader.newest, client, now)
        async with self.codes.place(PhoneNumber(recovery.phone), channel, client.address, now) as place:
            return await self._resend(client, place, channel, now)

    @writes
    def _resend(
        self,
        session: Session,
        client: Client,
        place: CodePlace,
        channel: ChannelName,
        now: datetime,
    ) -> RecoveryView:
        recovery = self.reader.at_step(session, client, RecoveryMove.RESEND, now)
        if recovery.phone != place.phone.e164:
            raise NoRecoveryInProgress  # another window has begun with another number meanwhile
        if recovery.step == RecoveryStep.BIRTH_DATE and channel.facts.weak:
            raise NoRecoveryInProgress  # a call was not enough, and another one would not be either
        resent = self.codes.resend(session, self.codes.request(recovery.id, place, channel), now)
        unproved = {"proved_at": None, "sitting_key": ""}
        if resent.issued and not self._move(session, recovery, RecoveryMove.RESEND, **unproved):
            raise NoRecoveryInProgress  # another window has moved on meanwhile
        return self.reader.view(session, recovery, now, resent.code, resent.issued)

    async def confirm_code(self, client: Client, typed: str) -> RecoveryView:
        """Step 2 → 3. Where a call is not enough, the birth date comes next, or a refusal after too many wrong dates. Without an account:
        «no account».

        Raises:
            CodeEmpty, CodeIncomplete, CodeStillSending: nothing was compared, and no attempt is lost.
            CodeMismatch, CodeExpired, CodeUsedUp: the code is not accepted.
            TooManyWrongCodes: in this network. Nothing was compared.
            NoRecoveryInProgress: the recovery is not at the code.
        """
        digits = digits_typed(typed)
        now = self.clock()
        async with self.codes.guess(
            lambda session: self.reader.newest_with_code(session, client, self.clock())[1], now
        ) as guess:
            answer = await self._judge(
                client, lambda session, code: self.codes.judge(session, code, digits, self.clock(), guess), guess
            )
        return self._answered(answer)

    async def take_call(self, client: Client) -> RecoveryView:
        """Step 2 → the birth date, after the patient has called. It always follows, whatever else is known of the number.

        Raises:
            CallNotSeen: the vendor has reported no call. It is asked again.
            CallOver, CodeUsedUp: this call is not awaited any more.
            NoRecoveryInProgress: the recovery is not at the code.
        """
        now = self.clock()
        async with self.codes.guess(
            lambda session: self.reader.newest_with_code(session, client, self.clock())[1], now
        ) as guess:
            answer = await self._judge(
                client, lambda session, code: self.codes.take_call(session, code, self.clock(), guess), guess
            )
        if isinstance(answer, CallNotSeen):
            await self._await_call(client)
        return self._answered(answer)

    async def follow(self, client: Client) -> RecoveryView | None:
        """Like `current`, for a screen that stays open.

        It takes up a call that has come, and has the vendor asked about one that is awaited.
        """
        view = await self.current(client)
        if view is None or not (view.step is RecoveryStep.CODE and view.awaits_call and client.sitting_key):
            return view
        if view.delivery is not DeliveryState.DELIVERED:
            await self._await_call(client)
            return view
        with suppress(CodeRefused, NoRecoveryInProgress):  # another tab was faster
            return await self.take_call(client)
        return await self.current(client)

    @writes
    def _await_call(self, session: Session, client: Client) -> None:
        now = self.clock()
        recovery = password_recoveries.newest_of(session, client.visitor_key)
        if recovery is not None and recovery.step == RecoveryStep.CODE:
            self.codes.await_call(session, recovery.id, now)

    @staticmethod
    def _answered(answer: RecoveryView | CodeRefused) -> RecoveryView:
        # The refusal is raised only here, after the commit: a miss that is rolled back would be a free guess.
        if isinstance(answer, CodeRefused):
            raise answer
        if answer.step is RecoveryStep.ABANDONED:
            raise NoRecoveryInProgress  # somebody has signed in or out in this browser meanwhile
        return answer

    @writes
    def _judge(
        self,
        session: Session,
        client: Client,
        judging: Callable[[Session, OneTimeCodeRow | None], OneTimeCodeRow | CodeRefused],
        guess: CodeGuess,
    ) -> RecoveryView | CodeRefused:
        now = self.clock()
        recovery, code = self.reader.newest_with_code(session, client, now)
        if recovery.step in AFTER_CODE:
            return self.reader.view(session, recovery, now, code)  # submitted twice: the first result is valid
        if after(RecoveryStep(recovery.step), RecoveryMove.CONFIRM_CODE) is None:
            raise NoRecoveryInProgress
        judged = judging(session, code)
        if isinstance(judged, CodeUsedUp):
            # On PostgreSQL a second press read the recovery, and then waited for its row while the first press moved it on.
            moved = password_recoveries.as_it_is_now(session, recovery)
            return self.reader.view(session, moved, now) if moved is not None and moved.step in AFTER_CODE else judged
        if isinstance(judged, CodeRefused):
            return judged
        if not self._move_on(session, recovery, judged, now, client.sitting_key, guess):
            # The recovery moved elsewhere meanwhile, and the screen shows that step.
            moved = password_recoveries.as_it_is_now(session, recovery)
            if moved is None:
                raise NoRecoveryInProgress
            return self.reader.view(session, moved, now, judged)
        return self.reader.view(session, recovery, now, judged)

    async def confirm_birth_date(self, client: Client, typed: str) -> RecoveryView:
        """The birth date → step 3. Raises the same errors as `BirthDateStep.confirm`."""
        return await self.birth_date.confirm(client, typed)

    @reads
    def open_channels(self, session: Session) -> tuple[ChannelName, ...]:
        """The ways of getting a code that are switched on and have money left today."""
        return self.codes.open_channels(session, self.clock())

    async def set_password(self, client: Client, typed: str) -> RecoveryView:
        """Step 3 → done: commit the new password and end every session of the patient.

        Raises:
            InvalidPassword: the password breaks the policy.
            PasswordAlreadySet: another window finished this recovery with another password.
            Busy: too many passwords wait to be hashed.
            NoRecoveryInProgress: the phone is not proved, or the proof is too old.
        """
        return await self.new_password.set(client, typed)

    @writes
    def leave(self, session: Session, client: Client) -> None:
        """Give up the recovery, or put away its result after the patient has seen it. A second call changes nothing."""
        now = self.clock()
        recovery = password_recoveries.newest_of(session, client.visitor_key)
        if recovery is None:
            return
        announce(session, topic_of(recovery.phone))
        if recovery.step == RecoveryStep.CODE:
            password_recoveries.set_left(session, recovery.id, now)  # the patient may still come back: see `begin`
        else:
            self._give_up(session, recovery, now)

    async def leave_proved(self, visitor_key: str) -> None:
        """The patient opened another page of the portal: the proof of a phone is not valid any more, in any sitting.

        A recovery that waits for its code goes on, and the screen of a new password stays, too.
        """
        recovery = await self.database.read(password_recoveries.newest_of, visitor_key)
        if (
            recovery is not None and recovery.step in _PROVED
        ):  # anybody may open a page: where there is nothing, it costs no lock
            await self._leave_proved(recovery.id)

    @writes
    def _leave_proved(self, session: Session, recovery_id: str) -> None:
        if password_recoveries.move(session, recovery_id, _PROVED, RecoveryStep.ABANDONED):
            password_recoveries.set_left(session, recovery_id, self.clock())

    def _move_on(
        self,
        session: Session,
        recovery: PasswordRecovery,
        code: OneTimeCodeRow,
        now: datetime,
        sitting_key: str,
        guess: CodeGuess,
    ) -> bool:
        """Make the move that the accepted code allows. Returns whether the recovery was still at the code."""
        # The patient is held before the recovery moves, as where the password is set (lock order: `storage.engine`).
        patient = patients.by_phone_held(session, recovery.phone)
        proved = {"proved_at": now, "sitting_key": sitting_key}
        signs = self.step_up.signs(session, code, patient, now, suspicious_network=guess.suspicious)
        if self.step_up.policy.is_needed(signs, now):
            # Do not note anything of the account yet: a proof noted here would make the account's proof look recent at the next call.
            moved = self._move(session, recovery, RecoveryMove.ASK_BIRTH_DATE, **proved)
            self.birth_date.refuse_if_used_up(session, recovery, code, now)
            return moved
        if patient and self.reader.stop(session, recovery, patient, now, sitting_key):
            return True
        move = RecoveryMove.CONFIRM_CODE if patient else RecoveryMove.FIND_NO_ACCOUNT
        patient_id = patient.id if patient else None
        moved = self._move(session, recovery, move, patient_id=patient_id, **proved)
        if patient:
            patients.record_phone_proof(session, patient.id, now)
        return moved

    @staticmethod
    def _move(session: Session, recovery: PasswordRecovery, move: RecoveryMove, **facts: object) -> bool:
        announce(session, topic_of(recovery.phone))
        sources = source_of(move)
        target = after(sources[0], move)
        return target is not None and password_recoveries.move(session, recovery.id, sources, target, **facts)

    def _give_up(self, session: Session, recovery: PasswordRecovery, now: datetime) -> None:
        self.codes.end_calls(session, recovery.id, now)  # another recovery of this browser may wait for a call
        self._move(session, recovery, RecoveryMove.ABANDON)
        password_recoveries.set_left(session, recovery.id, now)
