"""Why a way of getting a code is not there: one sentence, however the operator wrote its end."""

from __future__ import annotations

import pytest

from medonline.wording.channels import switched_off


@pytest.mark.parametrize(
    ("reason", "end"),
    [
        ("Звонки не доходят", "звонки не доходят."),
        ("звонки не доходят…", "звонки не доходят."),
        ("МТС не пропускает звонки!", "МТС не пропускает звонки."),
        ("", "коды этим способом сейчас часто не доходят."),
        (" . ", "коды этим способом сейчас часто не доходят."),
    ],
)
def test_the_reason_ends_the_sentence(reason: str, end: str) -> None:
    assert switched_off("flash_call", reason) == f"«Проверочный звонок» временно отключён: {end}"
