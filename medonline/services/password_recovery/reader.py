"""Reads a recovery: whether it can go on, at which step it is, and what a screen shows of it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from sqlmodel import Session

from medonline.domain.client import Client
from medonline.domain.codes.channels import ChannelName
from medonline.domain.errors import NoRecoveryInProgress
from medonline.domain.password_recovery import RecoveryMove, RecoveryStep, after, source_of
from medonline.domain.phone import PhoneNumber
from medonline.services.codes.flow import CodeFlow, CodeView
from medonline.services.codes.issuing import Issued
from medonline.storage.queries import codes
from medonline.storage.queries import password_recovery as password_recoveries
from medonline.storage.tables.codes import OneTimeCodeRow
from medonline.storage.tables.password_recovery import PasswordRecovery
from medonline.storage.tables.patients import Patient

PURPOSE = "password_recovery"
BIRTH_DATE_TRIES = 3
# A code step that began this long ago is over. The patient starts with the phone again.
CODE_STEP_LIFE = timedelta(hours=1)
# After a reload, a finished recovery is still shown as finished for this long.
DONE_SHOWN_FOR = timedelta(minutes=10)
# The steps at which a screen offers another code.
_CODE_AWAITED = (RecoveryStep.CODE, RecoveryStep.BIRTH_DATE)


@dataclass(frozen=True, slots=True)
class RecoveryView(CodeView):
    """The step of a recovery, for a screen. Times are UTC.

    stopped_until: recovery by phone is not possible before this moment.
    password_until: the new password must be set before this moment; None where none is asked for.
    identities_unlinked, passkeys_removed: how many accounts at Gosuslugi and how many passkeys the new password has taken off.
    """

    step: RecoveryStep
    birth_date_tries_left: int
    stopped_until: datetime | None
    password_until: datetime | None
    identities_unlinked: int
    passkeys_removed: int

    @classmethod
    def around(
        cls,
        code: CodeView,
        recovery: PasswordRecovery,
        *,
        stopped_until: datetime | None,
        password_until: datetime | None,
    ) -> RecoveryView:
        """The view of the recovery's last code, together with what the recovery adds to it."""
        return cls(
            **{item.name: getattr(code, item.name) for item in fields(code)},
            step=RecoveryStep(recovery.step),
            birth_date_tries_left=max(BIRTH_DATE_TRIES - recovery.birth_date_misses, 0),
            stopped_until=stopped_until,
            password_until=password_until,
            identities_unlinked=recovery.identities_unlinked,
            passkeys_removed=recovery.passkeys_removed,
        )


@dataclass(frozen=True, slots=True)
class RecoveryReader:
    """Answers questions about recoveries inside a session of the caller."""

    codes: CodeFlow
    new_password_window: timedelta

    def is_shown(self, recovery: PasswordRecovery, now: datetime, sitting_key: str = "") -> bool:
        """Whether a screen may still go on with this recovery. After the proof of the phone only its own sitting may go on.

        The next person at a shared computer has the same visitor cookie.
        """
        if recovery.proved_at is not None and recovery.sitting_key != sitting_key:
            return False
        if recovery.step in (RecoveryStep.BIRTH_DATE, RecoveryStep.NEW_PASSWORD):
            return recovery.proved_at is not None and now < recovery.proved_at + self.new_password_window
        if recovery.step == RecoveryStep.DONE:
            return recovery.finished_at is not None and now < recovery.finished_at + DONE_SHOWN_FOR
        return recovery.step != RecoveryStep.ABANDONED and now < recovery.created_at + CODE_STEP_LIFE

    def newest(self, session: Session, client: Client, now: datetime) -> PasswordRecovery:
        """The recovery to go on with. Raises `NoRecoveryInProgress`."""
        recovery = password_recoveries.newest_of(session, client.visitor_key)
        if recovery is None or not self.is_shown(recovery, now, client.sitting_key):
            raise NoRecoveryInProgress
        return recovery

    def newest_with_code(
        self, session: Session, client: Client, now: datetime
    ) -> tuple[PasswordRecovery, OneTimeCodeRow | None]:
        """Like `newest`, together with its last code."""
        found = password_recoveries.newest_with_code(session, client.visitor_key)
        if found is None or not self.is_shown(found[0], now, client.sitting_key):
            raise NoRecoveryInProgress
        return found

    def at_step(self, session: Session, client: Client, move: RecoveryMove, now: datetime) -> PasswordRecovery:
        """The recovery, if its step allows `move`. Raises `NoRecoveryInProgress`."""
        recovery = self.newest(session, client, now)
        if after(RecoveryStep(recovery.step), move) is None:
            raise NoRecoveryInProgress
        return recovery

    def is_same_begin(
        self,
        session: Session,
        recovery: PasswordRecovery,
        phone: PhoneNumber,
        channel: ChannelName,
        now: datetime,
    ) -> bool:
        """Whether a begin asks for what this recovery already is."""
        if recovery.step != RecoveryStep.CODE or recovery.phone != phone.e164 or not self.is_shown(recovery, now):
            return False
        row = codes.newest_of_flow(session, recovery.id)
        return row is not None and row.channel == channel and self.codes.is_alive(row, now)

    def stop(
        self, session: Session, recovery: PasswordRecovery, patient: Patient, now: datetime, sitting_key: str
    ) -> bool:
        """Whether recovery by phone is stopped for this account («это не я»). If so, the recovery ends here and its screen says so.

        It is asked only after the phone was proved. Before that, all numbers must look alike, with an account and without.
        """
        until = patient.recovery_stopped_until
        if until is None or now >= until:
            return False
        facts = {"patient_id": patient.id, "proved_at": now, "sitting_key": sitting_key}
        return password_recoveries.move(
            session, recovery.id, source_of(RecoveryMove.STOP), RecoveryStep.STOPPED, **facts
        )

    @staticmethod
    def code_of(session: Session, recovery: PasswordRecovery) -> OneTimeCodeRow:
        """The last code of the recovery."""
        row = codes.newest_of_flow(session, recovery.id)
        if row is None:
            raise NoRecoveryInProgress
        return row

    def view(
        self,
        session: Session,
        recovery: PasswordRecovery,
        now: datetime,
        code: OneTimeCodeRow | None = None,
        issued: Issued | None = None,
    ) -> RecoveryView:
        """What a screen shows. `code`: the recovery's last code, where the caller knows it. `issued`: the code that was issued just now."""
        row = code or self.code_of(session, recovery)
        history = issued.history if issued else None
        awaited = recovery.step in _CODE_AWAITED
        shown = self.codes.view_of(session, row, now, awaited=awaited, history=history if awaited else None)
        return RecoveryView.around(
            shown,
            recovery,
            stopped_until=self._stopped_until(session, recovery),
            password_until=self._password_until(recovery),
        )

    def _password_until(self, recovery: PasswordRecovery) -> datetime | None:
        if recovery.step != RecoveryStep.NEW_PASSWORD or recovery.proved_at is None:
            return None
        return recovery.proved_at + self.new_password_window

    @staticmethod
    def _stopped_until(session: Session, recovery: PasswordRecovery) -> datetime | None:
        if recovery.step != RecoveryStep.STOPPED or recovery.patient_id is None:
            return None
        patient = session.get(Patient, recovery.patient_id)
        return patient.recovery_stopped_until if patient else None
