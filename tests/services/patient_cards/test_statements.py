"""What «Мои карты» asks of the database. A ceiling is raised with a reason only."""

from __future__ import annotations

from medonline.bootstrap import Portal
from tests.services.statement_counts import statements_of


async def test_opening_the_page_asks_for_session_cards_and_consents_once(portal: Portal, key: str) -> None:
    seen = await statements_of(portal, portal.cards.opened(key))

    assert len(seen) <= 3


async def test_the_answer_of_the_registry_that_changes_a_card(portal: Portal, key: str) -> None:
    await portal.cards.current(key)
    seen = await statements_of(portal, portal.cards.current(key, ask_again=True))

    # Session and patient, the count of questions, the cards before and after; what is written, and the page's own questions.
    assert len(seen) <= 10
    assert sum("FROM account_session" in text for text in seen) == 1


async def test_who_opens_the_page_is_told_with_it(portal: Portal, key: str) -> None:
    await portal.cards.current(key)
    me, view = await portal.cards.opened(key)

    assert me == await portal.sessions.required(key)
    assert view == await portal.cards.kept(key)
    assert view.cards
