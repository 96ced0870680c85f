"""An SMS with a code: the sentence, and the last line that a browser reads on this host alone."""

from __future__ import annotations

import pytest

from medonline.domain.codes.sms_text import segments, sms_text

SENTENCE = "Код {code}. Никому не сообщайте."


def test_the_last_line_binds_the_code_to_the_host() -> None:
    assert sms_text(SENTENCE, "042719", "lk.example.ru") == "Код 042719. Никому не сообщайте.\n\n@lk.example.ru #042719"


@pytest.mark.parametrize(("signs", "count"), [(0, 1), (70, 1), (71, 2), (134, 2), (135, 3)])
def test_cyrillic_is_billed_by_seventy_and_then_by_sixty_seven(signs: int, count: int) -> None:
    assert segments("я" * signs) == count


def test_the_usual_text_is_one_sms_of_a_usual_host() -> None:
    assert segments(sms_text(SENTENCE, "042719", "lk.example.ru")) == 1


def test_a_sign_of_two_units_counts_as_two() -> None:
    assert segments("😀" * 36) == 2
