"""The table of moves: what a walk through it can and cannot do, and its drawing in docs/."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from hypothesis.strategies import sampled_from

from medonline.domain.password_recovery import MOVES, RecoveryMove, RecoveryStep, after, source_of

DOCS = Path(__file__).resolve().parents[2] / "docs" / "password_recovery.md"
FINAL = (RecoveryStep.DONE, RecoveryStep.ABANDONED)
PROOFS = (RecoveryMove.CONFIRM_CODE, RecoveryMove.CONFIRM_BIRTH_DATE, RecoveryMove.FIND_NO_ACCOUNT)


class Walk(RuleBasedStateMachine):
    """Any moves in any order: a forbidden one changes nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.step = RecoveryStep.CODE
        self.proved = False
        self.taken: list[RecoveryMove] = []

    @rule(move=sampled_from(RecoveryMove))
    def try_move(self, move: RecoveryMove) -> None:
        target = after(self.step, move)
        assert (target is not None) == (self.step in source_of(move))
        if target is not None:
            self.proved = self.proved or move in PROOFS
            self.taken.append(move)
            self.step = target

    @precondition(lambda self: self.step in FINAL)
    @rule(move=sampled_from(RecoveryMove))
    def nothing_follows_an_end(self, move: RecoveryMove) -> None:
        assert after(self.step, move) is None

    @invariant()
    def a_new_password_needs_the_proof_first(self) -> None:
        if self.step in (RecoveryStep.NEW_PASSWORD, RecoveryStep.DONE):
            assert self.proved
        if self.step is RecoveryStep.DONE:
            assert self.taken[-2] in (RecoveryMove.CONFIRM_CODE, RecoveryMove.CONFIRM_BIRTH_DATE)
            assert self.taken[-1] is RecoveryMove.SET_PASSWORD

    @invariant()
    def a_birth_date_is_confirmed_only_right_after_it_was_asked_for(self) -> None:
        for before, move in pairwise(self.taken):
            if move is RecoveryMove.CONFIRM_BIRTH_DATE:
                assert before is RecoveryMove.ASK_BIRTH_DATE
        assert self.taken[:1] != [RecoveryMove.CONFIRM_BIRTH_DATE]

    @invariant()
    def a_code_is_proved_once(self) -> None:
        assert sum(move in PROOFS for move in self.taken) <= 1

    @invariant()
    def a_refused_recovery_never_gets_a_password(self) -> None:
        if RecoveryMove.REFUSE in self.taken:
            assert RecoveryMove.SET_PASSWORD not in self.taken

    @invariant()
    def no_account_never_gets_a_password(self) -> None:
        if RecoveryMove.FIND_NO_ACCOUNT in self.taken:
            assert RecoveryMove.SET_PASSWORD not in self.taken


TestWalk = Walk.TestCase
TestWalk.settings = settings(max_examples=100, stateful_step_count=12)


def test_each_move_leads_to_one_step_wherever_it_starts() -> None:
    # The record makes a move with one UPDATE over all its sources, so there can be one target only.
    for move in RecoveryMove:
        assert len({target for (_, allowed), target in MOVES.items() if allowed is move}) == 1


def test_each_step_can_be_reached() -> None:
    reached = {RecoveryStep.CODE}
    for _ in RecoveryStep:
        reached |= {target for (step, _), target in MOVES.items() if step in reached}

    assert reached == set(RecoveryStep)


def test_a_recovery_can_be_abandoned_until_it_is_done() -> None:
    assert set(source_of(RecoveryMove.ABANDON)) == set(RecoveryStep) - set(FINAL)


def as_mermaid() -> str:
    """The table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", "    [*] --> code: begin"]
    lines += [f"    {step} --> {to}: {move}" for (step, move), to in MOVES.items()]
    ends = [s for s in RecoveryStep if not any(step is s for step, _ in MOVES)]
    return "\n".join(lines + [f"    {step} --> [*]" for step in ends]) + "\n"


def test_the_drawing_in_the_docs_is_the_table() -> None:
    drawings = re.findall(r"```mermaid\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)

    assert drawings == [as_mermaid()]


def test_the_drawing_has_an_arrow_for_every_move_and_an_end_for_every_final_step() -> None:
    drawing = as_mermaid()

    for (step, move), target in MOVES.items():
        assert f"    {step} --> {target}: {move}\n" in drawing
    assert drawing.count("--> [*]") == len(FINAL)
    assert drawing.count("[*] -->") == 1
