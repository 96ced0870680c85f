"""Which ways of linking a stranger inside the account could have taken."""

from __future__ import annotations

from medonline.domain.gosuslugi import LinkedHow


def test_a_password_and_a_code_are_all_that_is_less_than_the_data_of_gosuslugi() -> None:
    assert {how for how in LinkedHow if how.by_proof} == {LinkedHow.PASSWORD, LinkedHow.CODE}


def test_a_link_rests_on_the_record_a_proof_or_makes_the_account() -> None:
    assert {how for how in LinkedHow if not how.by_proof and not how.by_record} == {LinkedHow.REGISTRATION}
