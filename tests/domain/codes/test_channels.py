"""The ways of getting a code are registered once, and the rules follow from what is true of each."""

from __future__ import annotations

import pytest

from medonline.domain.codes.channels import CALLED, CHANNELS, GUIDE_CHANNELS, STRONG_LENGTH, ChannelName


def test_each_name_has_its_facts() -> None:
    assert {*CHANNELS} == {*ChannelName}


def test_the_guide_has_two_ways_the_call_first() -> None:
    assert GUIDE_CHANNELS == (ChannelName.FLASH_CALL, ChannelName.TELEGRAM)


@pytest.mark.parametrize("channel", ChannelName)
def test_only_a_short_code_is_guessed_at(channel: ChannelName) -> None:
    assert channel.facts.guessable == (0 < channel.code_length < STRONG_LENGTH) == (channel is ChannelName.FLASH_CALL)


@pytest.mark.parametrize("channel", ChannelName)
def test_nothing_is_typed_where_the_patient_calls_and_that_is_weak(channel: ChannelName) -> None:
    assert channel.facts.patient_calls == (channel.code_length == 0) == (channel in CALLED)
    assert channel.facts.weak == (channel.code_length < STRONG_LENGTH)


@pytest.mark.parametrize("channel", ChannelName)
def test_a_code_that_is_the_end_of_a_number_fits_into_one(channel: ChannelName) -> None:
    assert not channel.facts.by_calling_number or channel.code_length < 10
