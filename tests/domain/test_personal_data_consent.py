"""The text of the consent: what was agreed to under a version never changes, and names who asks and what for."""

from __future__ import annotations

from medonline.domain.personal_data_consent import VERSION, text_hash
from medonline.wording.personal_data_consent import consent_text

# Append the hash of a new text under its version; a line that is here is what patients have agreed to.
AGREED_TO = {"2026-11": "1ec7faffcbafebaf9ad1cce5d95cc1e509d2cb682d54e0f0293cf8f1b2afa150"}
TEXT = consent_text("Городская поликлиника № 1")


def test_a_change_of_the_text_is_a_change_of_the_version() -> None:
    assert text_hash(TEXT) == AGREED_TO[VERSION]


def test_it_names_the_operator_the_data_the_purpose_the_actions_and_the_term() -> None:
    whole = "\n".join(TEXT)

    assert "Оператор: Городская поликлиника № 1." in whole
    for part in ("Какие данные: ", "Для чего: ", "Что с данными делают: ", "Сколько действует: ", "отозвать"):
        assert part in whole


def test_another_operator_or_another_division_into_paragraphs_is_another_text() -> None:
    assert len({text_hash(TEXT), text_hash(consent_text("Больница")), text_hash(("".join(TEXT),))}) == 3
