"""Step-up in a recovery: decides whether the right code from a call is enough, and asks for the birth date if not.

The birth date is asked for after the code proved the phone, and in the same way from everyone. An unknown phone and an account without a
birth date see the same screen, cost the same writes and get the same refusal (docs/decisions/0013).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from medonline.domain.birth_date import parse_birth_date
from medonline.domain.client import Client
from medonline.domain.codes.channels import CALLED, ChannelName
from medonline.domain.errors import BirthDateMismatch, NoRecoveryInProgress
from medonline.domain.password_recovery import RecoveryMove, RecoveryStep, after
from medonline.domain.security_journal import JournalEvent
from medonline.services.clock import Clock
from medonline.services.codes.issuing import topic_of
from medonline.services.password_recovery.reader import BIRTH_DATE_TRIES, RecoveryReader, RecoveryView
from medonline.services.security_journal import entries
from medonline.services.security_journal.writer import SecurityJournal
from medonline.storage.engine import Database, announce, writes
from medonline.storage.queries import password_recovery as password_recoveries
from medonline.storage.queries import patients
from medonline.storage.tables.codes import OneTimeCodeRow
from medonline.storage.tables.password_recovery import PasswordRecovery

# The new owner of a number receives each of its codes. With three dates for each code and ten codes a week they would find any birth date
# in time.
RECOVERIES_WITH_WRONG_DATES = 2
_ANSWERED = (RecoveryStep.NEW_PASSWORD, RecoveryStep.REFUSED, RecoveryStep.STOPPED)


@dataclass(frozen=True, slots=True)
class BirthDateStep:
    """The screen between the code and the new password.

    within: for how long a recovery with a wrong birth date counts against later recoveries of its number.
    """

    database: Database
    clock: Clock
    reader: RecoveryReader
    zone: ZoneInfo
    journal: SecurityJournal
    within: timedelta

    async def confirm(self, client: Client, typed: str) -> RecoveryView:
        """Compare the birth date with the one on record. The right one opens step 3. The third wrong one ends the recovery.

        Raises:
            InvalidBirthDate: this is no date. It costs no attempt.
            BirthDateMismatch: the date is wrong.
            NoRecoveryInProgress: the recovery is not at the birth date.
        """
        now = self.clock()
        born = parse_birth_date(typed, now.astimezone(self.zone).date())
        answer = await self._answer(client, born, now)
        # The refusal is raised only here, after the commit: a miss that is rolled back would be a free guess.
        if isinstance(answer, BirthDateMismatch):
            raise answer
        return answer

    def refuse_if_used_up(
        self, session: Session, recovery: PasswordRecovery, code: OneTimeCodeRow, now: datetime
    ) -> bool:
        """End a recovery at its birth date when wrong dates were typed in enough other recoveries of its number. Returns whether it ended.

        Known and unknown numbers are treated alike. Only the person who receives the codes gets here, so nobody else can use up the dates.
        A call from the number can be forged, so dates typed after a call count only against recoveries that were proved by a call. `code`
        is the proof that led here.
        """
        but_ways = () if ChannelName(code.channel).facts.patient_calls else CALLED
        since = now - self.within
        spoilt = password_recoveries.with_wrong_dates(session, recovery.phone, since, recovery.id, but_ways)
        if spoilt < RECOVERIES_WITH_WRONG_DATES:
            return False
        return password_recoveries.move(session, recovery.id, (RecoveryStep.BIRTH_DATE,), RecoveryStep.REFUSED)

    @writes
    def _answer(self, session: Session, client: Client, born: date, now: datetime) -> RecoveryView | BirthDateMismatch:
        recovery = self.reader.newest(session, client, now)
        if recovery.step in _ANSWERED:
            return self.reader.view(session, recovery, now)  # submitted twice: the first result is valid
        if after(RecoveryStep(recovery.step), RecoveryMove.CONFIRM_BIRTH_DATE) is None:
            raise NoRecoveryInProgress
        announce(session, topic_of(recovery.phone))
        return self._judge(session, recovery, born, now) or self.reader.view(session, recovery, now)

    def _judge(
        self, session: Session, recovery: PasswordRecovery, born: date, now: datetime
    ) -> BirthDateMismatch | None:
        # The patient is locked before the recovery: `storage.engine`.
        patient = patients.by_phone_held(session, recovery.phone)
        here, code = (RecoveryStep.BIRTH_DATE,), self.reader.code_of(session, recovery)
        if self.refuse_if_used_up(session, recovery, code, now):
            return None
        if patient is not None and patient.birth_date == born:
            if self.reader.stop(session, recovery, patient, now, recovery.sitting_key):
                return None
            facts = {"patient_id": patient.id, "proved_at": now}
            if password_recoveries.move(session, recovery.id, here, RecoveryStep.NEW_PASSWORD, **facts):
                # A call with a forged number must not make the account's proof look recent.
                if not ChannelName(code.channel).facts.patient_calls:
                    patients.record_phone_proof(session, patient.id, now)
                return None
            return self._answered_meanwhile(session, recovery)
        misses = password_recoveries.add_birth_date_miss(session, recovery.id, here[0], BIRTH_DATE_TRIES)
        if misses is None:
            return self._answered_meanwhile(session, recovery)
        self.journal.note(session, entries.of_code(JournalEvent.BIRTH_DATE_REFUSED, code))
        if misses >= BIRTH_DATE_TRIES:
            password_recoveries.move(session, recovery.id, here, RecoveryStep.REFUSED)
        return BirthDateMismatch(BIRTH_DATE_TRIES - misses)

    @staticmethod
    def _answered_meanwhile(session: Session, recovery: PasswordRecovery) -> None:
        """Accept a second press that came to the same result.

        On PostgreSQL it read the recovery, and then waited for the row while the first press moved the recovery on.
        """
        moved = password_recoveries.as_it_is_now(session, recovery)
        if moved is None or moved.step not in _ANSWERED:
            raise NoRecoveryInProgress
