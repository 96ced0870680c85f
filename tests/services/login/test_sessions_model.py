"""The walk of the recovery's model with sign-ins: a session lives exactly as long as the model says (I1, I3, I4)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from medonline.bootstrap import Portal
from medonline.domain.client import Client
from medonline.domain.codes.channels import ChannelName
from medonline.domain.errors import InvalidCredentials, SignedInTooOften, TooManySignIns
from medonline.domain.security_journal import JournalEvent
from medonline.services.crypto.tokens import token_hash
from medonline.services.login.password_login import SEEN_EVERY
from medonline.services.login.tickets import TICKET_LIFE
from medonline.storage.tables.login import AccountSession
from medonline.storage.tables.security_journal import JournalEntry
from tests.services.databases import Databases, databases
from tests.services.password_recovery.model import PARTS, SEED, RecoveryWalk, Then, steps_wanted, visitors, walk
from tests.services.world import ANNA, BORIS, PlainHasher, told_of

__all__ = ["databases"]

SIGN_INS, WITHIN = 5, timedelta(minutes=15)
SESSIONS = ((30, timedelta(hours=1)), (100, timedelta(days=1)))  # of one account
IDLE, ABSOLUTE = timedelta(minutes=30), timedelta(hours=12)
which_one = st.integers(min_value=0, max_value=9)


class Verifier(PlainHasher):
    def is_outdated(self, _encoded: str) -> bool:
        return False


@dataclass
class Ticket:
    token: str
    visitor: Client
    name: str  # of the browser, then
    issued_at: datetime
    resets: int  # how many passwords were set before it
    used: bool = False


@dataclass
class Session:
    key: str
    visitor: Client
    opened_at: datetime
    seen_at: datetime
    resets: int
    ended: bool = False


class SessionsWalk(RecoveryWalk):
    """Two browsers that also sign in, look around, sign out."""

    @initialize()
    def open(self) -> None:
        self.tickets: list[Ticket] = []
        self.sessions: list[Session] = []
        self.tries: dict[
            str, list[datetime]
        ] = {}  # passwords tried for a number since the last right one, or since the process began
        self.told: list[str] = []  # what the sockets were told, since the process began
        self.told_before: set[str] = set()
        super().open()
        self.model.password = "plain:NewPassword1"
        self.run(self.put_patient(password_hash=self.model.password))
        for visitor in (ANNA, BORIS):
            self.sign_in(visitor, 1)
            self.use(self.tickets[-1], visitor)

    def start(self) -> None:
        super().start()
        self.login = replace(self.portal.login, verifier=Verifier())
        self.told_before = self.closed
        self.told = told_of(self.portal, "session")
        self.tries = {}

    @property
    def closed(self) -> set[str]:
        """The sessions whose sockets were told of the end."""
        return self.told_before | {*self.told}

    @rule(visitor=visitors, number=st.integers(min_value=1, max_value=3), stolen=st.booleans())
    def sign_in_and_enter(self, visitor: Client, number: int, stolen: bool) -> None:
        """The ticket may be tried in the other browser first."""
        self.sign_in(visitor, number)
        if stolen:
            self.use(self.tickets[-1], BORIS if visitor == ANNA else ANNA)
        self.use(self.tickets[-1], visitor)

    @rule(visitor=visitors, number=st.integers(min_value=1, max_value=3))
    def sign_in(self, visitor: Client, number: int) -> None:
        now, password, phone = self.clock.now, f"NewPassword{number}", self.model.phone
        tries = self.tries.setdefault(phone, [])
        came = self.attempt(self.login.log_in(self.client(visitor), phone, password))
        if len([tried for tried in tries if now - tried <= WITHIN]) >= SIGN_INS:
            assert isinstance(came, TooManySignIns)
            return
        tries.append(now)
        if self.model.password != f"plain:{password}":
            assert isinstance(came, InvalidCredentials)
            return
        tries.clear()
        if self.signed_in_too_often():
            assert isinstance(came, SignedInTooOften)
            return
        assert isinstance(came, str)
        self.tickets.append(Ticket(came, visitor, self.names[visitor], now, len(self.model.resets)))

    def signed_in_too_often(self) -> bool:
        """Counted again after each recovery; a sign-in that found no room cost nothing but its ticket."""
        resets = len(self.model.resets)
        ages = [self.clock.now - session.opened_at for session in self.sessions if session.resets == resets]
        return any(sum(age < per for age in ages) >= count for count, per in SESSIONS)

    @precondition(lambda self: getattr(self, "tickets", None))
    @rule(visitor=visitors, which=which_one)
    def use_any_ticket(self, visitor: Client, which: int) -> None:
        self.use(self.tickets[which % len(self.tickets)], visitor)

    @rule(visitor=visitors, other=visitors)
    def sign_in_while_somebody_recovers(self, visitor: Client, other: str) -> None:
        """A new password comes between the sign-in and its session."""
        self.wait_for_a_code(self.model.phone, ChannelName.TELEGRAM)
        there = len(self.tickets)
        self.sign_in(visitor, int(str(self.model.password)[-1]))
        if len(self.tickets) == there:
            return
        self.come(other, self.model.phone, ChannelName.TELEGRAM, patient=False, then=Then.RECOVER)
        self.use(self.tickets[-1], self.tickets[-1].visitor)

    def use(self, ticket: Ticket, visitor: Client) -> None:
        now = self.clock.now
        opened = self.run(self.login.open_session(self.client(visitor), ticket.token))
        takes = not ticket.used and self.names[visitor] == ticket.name and now - ticket.issued_at < TICKET_LIFE
        ticket.used = ticket.used or takes
        good = takes and ticket.resets == len(self.model.resets)
        assert (opened is not None) == (good and not self.signed_in_too_often())
        if opened is not None:
            self.sessions.append(Session(token_hash(opened.token), visitor, now, now, ticket.resets))
            self.another_person_sits_down(visitor)

    def is_alive(self, session: Session) -> bool:
        now = self.clock.now
        in_time = now - session.seen_at < IDLE and now - session.opened_at < ABSOLUTE
        return not session.ended and session.resets == len(self.model.resets) and in_time

    @precondition(lambda self: getattr(self, "sessions", None))
    @rule(which=which_one)
    def look_around(self, which: int) -> None:
        session = self.sessions[which % len(self.sessions)]
        alive = self.is_alive(session)
        assert (self.run(self.login.who(session.key)) is not None) == alive
        if alive and self.clock.now - session.seen_at > SEEN_EVERY:
            session.seen_at = self.clock.now

    @precondition(lambda self: getattr(self, "sessions", None))
    @rule(which=which_one)
    def sign_out(self, which: int) -> None:
        session = self.sessions[which % len(self.sessions)]
        self.run(self.login.close_session(session.key))
        session.ended = True
        assert session.key in self.closed
        self.another_person_sits_down(session.visitor)

    def was_reset(self) -> None:
        """The sockets of every session that was open then are closed at once."""
        open_then = {session.key for session in self.sessions if not session.ended}
        assert open_then <= self.closed | self.ended_earlier()

    def ended_earlier(self) -> set[str]:
        return {session.key for session in self.sessions if session.resets < len(self.model.resets) - 1}

    def check_record(self) -> None:
        super().check_record()
        self.sessions_live_as_the_model_says()
        self.every_sign_in_is_in_the_journal()

    def sessions_live_as_the_model_says(self) -> None:
        """No session is lost by a restart, none outlives a new password, and there are no others."""
        kept = {row.token_hash: row for row in self.run(self.all_of(AccountSession))}
        assert set(kept) == {session.key for session in self.sessions}
        for session in self.sessions:
            row, over = kept[session.key], session.ended or session.resets < len(self.model.resets)
            assert (row.ended_at is not None) == over
            assert row.patient_id == self.account
            assert (self.run(self.login.who(session.key)) is not None) == self.is_alive(session)

    def every_sign_in_is_in_the_journal(self) -> None:
        rows = self.run(self.all_of(JournalEntry))
        assert sum(row.event == JournalEvent.SIGNED_IN for row in rows) == len(self.sessions)


@pytest.mark.parametrize("part", range(PARTS))
def test_sessions_live_as_the_model_says(databases: Databases, part: int, capsys: pytest.CaptureFixture[str]) -> None:
    steps = walk(SessionsWalk, databases, part)

    assert steps >= steps_wanted()
    with capsys.disabled():
        print(f"\n{steps} steps of recoveries and sessions, none against the model (MODEL_SEED={SEED}, part {part})")


def test_the_settings_are_what_the_model_of_sessions_assumes(portal: Portal) -> None:
    config = portal.config

    assert (config.session_idle, config.session_absolute) == (IDLE, ABSOLUTE)
    assert [(limit.count, limit.per) for limit in config.wrong_passwords_per_account] == [(SIGN_INS, WITHIN)]
    assert tuple((limit.count, limit.per) for limit in config.sessions_per_account) == SESSIONS
    assert ANNA != BORIS
