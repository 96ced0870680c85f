"""Who may see a card today: one's own and by consent always, a child's until the fifteenth birthday, nothing else."""

from __future__ import annotations

from datetime import date

import pytest

from medonline.domain.card_access import Basis, is_child, is_shown

BORN = date(2011, 3, 2)
EVE, BIRTHDAY = date(2026, 3, 1), date(2026, 3, 2)


def test_a_child_is_one_until_the_fifteenth_birthday() -> None:
    assert is_child(BORN, EVE)
    assert not is_child(BORN, BIRTHDAY)


def test_born_on_the_29th_of_february_one_is_15_on_the_first_of_march() -> None:
    assert is_child(date(2012, 2, 29), date(2027, 2, 28))
    assert not is_child(date(2012, 2, 29), date(2027, 3, 1))


def test_a_representatives_right_ends_on_that_day() -> None:
    assert is_shown(Basis.REPRESENTATIVE, BORN, EVE)
    assert not is_shown(Basis.REPRESENTATIVE, BORN, BIRTHDAY)
    assert not is_shown(Basis.REPRESENTATIVE, None, EVE)


@pytest.mark.parametrize("basis", [Basis.OWN, Basis.CONSENT])
@pytest.mark.parametrize("born", [BORN, None])
def test_ones_own_card_and_one_by_consent_are_shown_at_any_age(basis: Basis, born: date | None) -> None:
    assert is_shown(basis, born, BIRTHDAY)


@pytest.mark.parametrize("basis", [Basis.NONE, "something new"])
def test_without_a_right_nothing_is_shown(basis: str) -> None:
    assert not is_shown(basis, BORN, EVE)
