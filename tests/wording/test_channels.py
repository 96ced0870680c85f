"""Why a way of getting a code is not there: one sentence, however the operator wrote its end."""

from __future__ import annotations

import pytest

from medonline.config.settings import Config
from medonline.domain.codes.channels import CHANNELS, GUIDE_CHANNELS, ChannelName
from medonline.services.codes.delivery import DeliveryProblem, DeliveryState
from medonline.wording.channels import NO_WAYS, WORDS, advice_in_words, switched_off, ways_in_words

CALL, TELEGRAM = GUIDE_CHANNELS


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


@pytest.mark.parametrize("channel", ChannelName)
def test_each_way_is_registered_with_facts_words_and_settings(channel: ChannelName) -> None:
    facts, words = CHANNELS[channel], WORDS[channel]

    assert facts.patient_calls or 4 <= facts.code_length <= 8
    assert {*words.problems} == {*DeliveryProblem}
    assert {*words.delivery} == {*DeliveryState} - {DeliveryState.FAILED} - (
        set() if facts.tells_reading else {DeliveryState.READ}
    )
    assert {f"code_life_{channel}", f"price_{channel}", f"daily_cap_{channel}"} <= {*Config.model_fields}


def test_the_guide_has_its_two_ways_to_the_letter() -> None:
    assert [WORDS[channel].label for channel in GUIDE_CHANNELS] == ["Проверочный звонок", "Код в Telegram"]


@pytest.mark.parametrize(
    ("channels", "words"),
    [
        ((), NO_WAYS),
        ((CALL,), "проверочный звонок"),
        ((CALL, TELEGRAM), "проверочный звонок или код в Telegram"),
        ((CALL, CALL, TELEGRAM), "проверочный звонок, проверочный звонок или код в Telegram"),
    ],
)
def test_the_ways_end_a_sentence(channels: tuple[ChannelName, ...], words: str) -> None:
    assert ways_in_words(channels) == words


def test_advice_names_only_ways_that_are_open() -> None:
    assert "Telegram" in advice_in_words((CALL, TELEGRAM))
    assert advice_in_words((CALL,)) == ""
