"""The walk of `test_recovery_model` with sign-ins: a session lives exactly as long as the model says (I3)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule, run_state_machine_as_test

from medonline.domain.errors import InvalidCredentials, TooManySignIns
from medonline.services.login import SEEN_EVERY
from medonline.services.secret_tokens import token_hash
from tests.conftest import LONG_RUN
from tests.services.test_recovery_model import RecoveryWalk, visitors
from tests.services.world import KNOWN, PlainHasher

MISSES = 5
IDLE, ABSOLUTE = timedelta(minutes=30), timedelta(hours=12)


class Verifier(PlainHasher):
    def is_outdated(self, _encoded: str) -> bool:
        return False


@dataclass
class Session:
    key: str
    opened_at: datetime
    seen_at: datetime
    resets: int  # how many passwords were set before it
    ended: bool = False


class SessionsWalk(RecoveryWalk):
    """Two browsers that also sign in, look around, sign out."""

    @initialize()
    def open(self) -> None:
        super().open()
        self.login = replace(self.portal.login, verifier=Verifier())
        self.sessions: list[Session] = []
        self.misses = 0  # since the last right password
        self.resets: set[tuple[str, datetime]] = set()

    @invariant()
    def count_the_resets(self) -> None:
        if hasattr(self, "resets"):
            self.resets |= {
                (visitor, recovery.finished_at)
                for visitor, recovery in self.model.recoveries.items()
                if recovery.finished_at
            }

    @rule(visitor=visitors, number=st.integers(min_value=1, max_value=3))
    def sign_in(self, visitor: str, number: int) -> None:
        password = f"NewPassword{number}"
        ticket = self.attempt(self.login.log_in(visitor, KNOWN, password))  # type: ignore[arg-type]
        if self.misses >= MISSES:  # the store counts by the clock on the wall, which stands still here
            assert isinstance(ticket, TooManySignIns)
            return
        if self.model.password != f"plain:{password}":
            assert isinstance(ticket, InvalidCredentials)
            self.misses += 1
            return
        self.misses = 0
        opened = self.loop.run_until_complete(self.login.open_session(visitor, str(ticket)))
        assert opened is not None
        assert self.loop.run_until_complete(self.login.open_session(visitor, str(ticket))) is None  # good once
        self.sessions.append(Session(token_hash(opened.token), self.clock.now, self.clock.now, len(self.resets)))

    @rule(which=st.integers(min_value=0, max_value=9))
    def look_around(self, which: int) -> None:
        if not self.sessions:
            return
        session = self.sessions[which % len(self.sessions)]
        who = self.loop.run_until_complete(self.login.who(session.key))
        now = self.clock.now
        alive = (
            not session.ended
            and session.resets == len(self.resets)
            and now - session.seen_at < IDLE
            and now - session.opened_at < ABSOLUTE
        )
        assert (who is not None) == alive
        if alive and now - session.seen_at > SEEN_EVERY:
            session.seen_at = now

    @rule(which=st.integers(min_value=0, max_value=9))
    def sign_out(self, which: int) -> None:
        if self.sessions:
            session = self.sessions[which % len(self.sessions)]
            self.loop.run_until_complete(self.login.close_session(session.key))
            session.ended = True


def test_sessions_live_as_the_model_says(template: Path) -> None:
    class Walk(SessionsWalk):
        pass

    Walk.template = template
    examples = 700 if LONG_RUN else 25
    run_state_machine_as_test(
        Walk,
        settings=settings(
            max_examples=examples, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
