"""What patients are to be told becomes rows here, in the transaction that it tells about. They are sent by `sender`, in the process that
serves: whoever only leaves rows behind, as a command of an operator does, needs no provider.

Notices are limited by account and by money (I4), and never in silence: a change inside an account is refused where its owner
could not be told of it. So no one can use the notices up first and then act unseen (docs/decisions/0016).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from datetime import datetime

from sqlmodel import Session

from medonline.domain.errors import NoticesOverBudget, ToldTooOften
from medonline.domain.limits import Limit
from medonline.services.clock import Clock
from medonline.services.limits.alarms import Alarms
from medonline.services.limits.budgets import Spending
from medonline.services.notices.dispute_links import DisputeLinks
from medonline.services.notices.texts import ROOM, WITHOUT_LINK, About, Said, Text, Told, Words
from medonline.services.security_journal.account_pace import full_until
from medonline.storage.queries import notices, patients
from medonline.storage.tables.notices import Notice

log = logging.getLogger(__name__)

MAX_TEXT = 300


class NoticeQueue:
    """Rows for the process that serves. `writes_texts`, `writes_mail`: by which ways this installation tells anybody anything."""

    def __init__(
        self,
        clock: Clock,
        words: Words,
        links: DisputeLinks | None = None,
        spending: Spending | None = None,
        per_account: tuple[Limit, ...] = (),
        *,
        writes_texts: bool,
        writes_mail: bool,
    ) -> None:
        self._clock = clock
        self._words = words
        self._links = links
        self._spending = spending or Spending({}, Alarms(clock))
        self._per_account = per_account
        self.writes_texts = writes_texts
        self.writes_mail = writes_mail

    def put(self, session: Session, patient_id: str, told: Told) -> None:
        """Add a notice to the caller's open transaction, for each way by which this patient can be told; nothing is added where
        there is none. It has the link «это не я», if it tells of a way into the account.

        Raises:
            ToldTooOften, NoticesOverBudget: the owner could not be told, so the caller's change must not be made.
            ValueError: a text that is empty or too long.
        """
        for row in self._written(session, patient_id, told):
            self._add(session, row)

    def put_and_end_links(self, session: Session, patient_id: str, tells: Iterable[Told]) -> None:
        """As `put`, each of them; and every older link to this patient, whom the caller holds, ends now. But where a new one goes the
        older one ends as elsewhere, when the gateway has accepted the new one (`sender`): until then it is all that the owner has.
        """
        rows = [row for told in tells for row in self._written(session, patient_id, told)]
        # Before the money (lock order: `storage.engine`).
        notices.end_links_elsewhere(session, patient_id, [row for row in rows if row.dispute_hash], self._clock())
        for row in rows:
            self._add(session, row)

    def _written(self, session: Session, patient_id: str, told: Told) -> list[Notice]:
        """The rows of a notice, not added yet; raises as `put`."""
        text = told.text.text if isinstance(told.text, Said) else self._words.text(told.text)
        if not 0 < len(text) <= MAX_TEXT:
            msg = f"a notice has 1 to {MAX_TEXT} characters"
            raise ValueError(msg)
        now = self._clock()
        ways = list(self._ways_of(session, patient_id, told))
        if not ways:
            log.debug("A notice is not kept: there is no way to this patient")
            return []
        self.admit(session, patient_id, told.about)
        rows = [
            Notice(
                patient_id=patient_id,
                phone=told.phone,
                email=email,
                is_copy=number > 0,
                text=text,
                about=told.about,
                created_at=now,
                due_at=now,
            )
            for number, email in enumerate(ways)
        ]
        if not told.without_link and told.about not in WITHOUT_LINK:
            for row in rows:
                self._add_link(row)
        return rows

    def put_code(self, session: Session, patient_id: str, email: str) -> str:
        """Add a mail with the code that proves an address; its id, by which the code is known (`EmailCodes`).

        Raises:
            ToldTooOften: this account has had too many of them.
        """
        if not self.writes_mail:
            msg = "no mail is set up"
            raise RuntimeError(msg)
        now, about = self._clock(), About.EMAIL_PROOF
        self.admit(session, patient_id, about)
        text = self._words.text(Text.EMAIL_PROOF)
        row = Notice(patient_id=patient_id, phone="", email=email, text=text, about=about, created_at=now, due_at=now)
        self._add(session, row)
        return row.id

    def _ways_of(self, session: Session, patient_id: str, told: Told) -> Iterator[str]:
        """Each way to this patient: an address for mail, nothing for a text. The mail comes first: it costs nothing, so it is not
        refused for want of money before the text that is."""
        if self.writes_mail and not told.by_text_alone:
            email = told.only_to or patients.proved_email(session, patient_id)
            if email:
                yield email
        if self.writes_texts and told.phone and not (told.only_to or told.by_mail_alone):
            yield ""

    def _add(self, session: Session, row: Notice) -> None:
        # The money last, as where a notice is sent: two that wait for each other's rows would end in a deadlock.
        if row.email:  # mail costs nothing
            row.paid_at = row.created_at
        elif not self._has_money(session, row, row.created_at):
            return
        self._hand_over(session, row)
        session.add(row)

    def _hand_over(self, session: Session, row: Notice) -> None:
        """A row about to be added is due. Nobody need be told: the loop of each process that sends looks every second."""

    def admit(self, session: Session, patient_id: str, about: About) -> None:
        """Check that this account may get one more notice of this kind. Exact where the caller holds the patient's row.

        Raises:
            ToldTooOften: not now, and nothing may be done that would have to be told.
        """
        together = ROOM[about].counted_with
        if not (self.writes_texts or self.writes_mail) or not together or not self._per_account:
            return
        now = self._clock()
        most = max(limit.count for limit in self._per_account)
        times = notices.times_told(session, patient_id, together, most)
        until = full_until(times, self._per_account, now)
        if until is not None:
            raise ToldTooOften(now, until)

    def _has_money(self, session: Session, row: Notice, now: datetime) -> bool:
        """Reserve the money for it. Without money its kind decides: the change is refused, the notice waits until tomorrow, or it
        is dropped (False)."""
        room = ROOM[About(row.about)]
        try:
            row.kopecks = self._spending.reserve_notice(session, now, room.percent, room.otherwise)
        except NoticesOverBudget as refusal:
            if room.counted_with:
                raise
            row.due_at = refusal.until
            return room.waits
        row.paid_at = now
        return True

    def _add_link(self, row: Notice) -> None:
        if self._links is None:
            return
        row.dispute_hash = self._links.hash_for(row.id)
        if not row.email and len(self._worded(row)) > MAX_TEXT:  # a mail may be longer
            log.error("A notice goes without its link: the portal's address is too long for it")
            row.dispute_hash = None

    def _worded(self, row: Notice) -> str:
        """The text with its link: made here, so that the database never holds the token in it. A link that ended while the
        notice waited is left out."""
        live = row.dispute_hash is not None and row.disputed_at is None
        link = self._links.link(row.id, row.dispute_hash) if self._links and row.dispute_hash and live else ""
        return self._words.with_link(row.text, link) if link else row.text
