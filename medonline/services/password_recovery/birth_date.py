"""Step-up in a recovery: whether the right code from a call is enough, and the birth date asked for when it is not.

Asked after the code proved the phone, and of everyone alike: an unknown phone, or an account without a birth date, sees the
same screen, costs the same writes and is refused with the same words (docs/decisions/0013).
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

# The new owner of a number receives each of its codes: three dates at each, ten codes a week, would find any birth date in time.
RECOVERIES_WITH_WRONG_DATES = 2
_ANSWERED = (RecoveryStep.NEW_PASSWORD, RecoveryStep.REFUSED, RecoveryStep.STOPPED)


@dataclass(frozen=True, slots=True)
class BirthDateStep:
    """The screen between the code and the new password.

    within: how long a recovery in which a wrong date was typed counts against the next ones of its number.
    """

    database: Database
    clock: Clock
    reader: RecoveryReader
    zone: ZoneInfo
    journal: SecurityJournal
    within: timedelta

    async def confirm(self, client: Client, typed: str) -> RecoveryView:
        """The birth date on record opens step 3; the third wrong one ends the recovery.

        Raises:
            InvalidBirthDate: no date; costs no attempt.
            BirthDateMismatch: a wrong one.
            NoRecoveryInProgress: the recovery is not at the birth date.
        """
        now = self.clock()
        born = parse_birth_date(typed, now.astimezone(self.zone).date())
        answer = await self._answer(client, born, now)
        # Raised only here, after the commit: a miss that is rolled back would be a free guess.
        if isinstance(answer, BirthDateMismatch):
            raise answer
        return answer

    def refuse_if_used_up(
        self, session: Session, recovery: PasswordRecovery, code: OneTimeCodeRow, now: datetime
    ) -> bool:
        """End a recovery at its birth date when wrong ones were typed in enough others of its number; whether it ended. Known
        and unknown numbers alike. Only who receives the codes gets here, so no one else can use the dates up: what was typed after
        a call from the number, which can be forged, counts for such recoveries alone. `code`: the proof that led here."""
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
            return self.reader.view(session, recovery, now)  # submitted twice: the first result holds
        if after(RecoveryStep(recovery.step), RecoveryMove.CONFIRM_BIRTH_DATE) is None:
            raise NoRecoveryInProgress
        announce(session, topic_of(recovery.phone))
        return self._judge(session, recovery, born, now) or self.reader.view(session, recovery, now)

    def _judge(
        self, session: Session, recovery: PasswordRecovery, born: date, now: datetime
    ) -> BirthDateMismatch | None:
        patient = patients.by_phone_held(session, recovery.phone)  # before the recovery: `storage.engine`
        here, code = (RecoveryStep.BIRTH_DATE,), self.reader.code_of(session, recovery)
        if self.refuse_if_used_up(session, recovery, code, now):
            return None
        if patient is not None and patient.birth_date == born:
            if self.reader.stop(session, recovery, patient, now, recovery.sitting_key):
                return None
            facts = {"patient_id": patient.id, "proved_at": now}
            if password_recoveries.move(session, recovery.id, here, RecoveryStep.NEW_PASSWORD, **facts):
                # A call with a forged number must not make the next code look recent enough.
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
        """On PostgreSQL a second press read the recovery before the first one, for whose row it waited, moved it on."""
        moved = password_recoveries.as_it_is_now(session, recovery)
        if moved is None or moved.step not in _ANSWERED:
            raise NoRecoveryInProgress
