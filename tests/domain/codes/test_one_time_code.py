"""One-time codes: derived, never stored; bound to flow, purpose and phone; read out of what people type."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medonline.domain.codes.channels import ChannelName
from medonline.domain.codes.one_time_code import (
    MAX_TYPED,
    CodePolicy,
    code_digest,
    derive_code,
    digits_for,
    digits_typed,
)
from medonline.domain.errors import CodeEmpty, CodeIncomplete
from medonline.domain.phone import PhoneNumber

KEY = b"k" * 32
PHONE = PhoneNumber("+79000001001")
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
POLICY = CodePolicy(
    life={ChannelName.FLASH_CALL: timedelta(minutes=5), ChannelName.TELEGRAM: timedelta(minutes=10)},
    guesses=3,
    resend_pauses=(timedelta(seconds=60), timedelta(seconds=120), timedelta(seconds=300)),
)
words = st.text(st.characters(exclude_categories=["Nd"]), max_size=30)
codes = st.text("0123456789", min_size=4, max_size=6)


def digest(**changes: object) -> str:
    bound = {"flow_id": "flow", "purpose": "password_recovery", "phone": PHONE, "code": "0427"}
    return code_digest(KEY, **(bound | changes))


@given(st.uuids(), st.sampled_from([4, 6]))
def test_the_same_intent_always_has_the_same_code(code_id: object, length: int) -> None:
    code = derive_code(KEY, str(code_id), length)

    assert code == derive_code(KEY, str(code_id), length)
    assert len(code) == length
    assert code.isascii()
    assert code.isdigit()


def test_another_key_gives_other_codes() -> None:
    ids = [f"{number:032x}" for number in range(50)]

    assert [derive_code(KEY, i, 6) for i in ids] != [derive_code(b"x" * 32, i, 6) for i in ids]


def test_codes_are_spread_evenly_with_leading_zeros_too() -> None:
    drawn = [derive_code(KEY, f"{number:032x}", 4) for number in range(20_000)]

    for place in range(4):
        counts = Counter(code[place] for code in drawn)
        # 2000 expected, standard deviation 42: six of them either way.
        assert all(1750 < counts[digit] < 2250 for digit in "0123456789")
    assert len(set(drawn)) > 8_000  # of 10 000; 8647 expected


def test_a_digest_is_64_hex_characters_and_hides_the_code() -> None:
    made = digest()

    assert len(made) == 64
    assert set(made) <= set("0123456789abcdef")


@pytest.mark.parametrize(
    "change",
    [{"flow_id": "other"}, {"purpose": "login"}, {"phone": PhoneNumber("+79000001002")}, {"code": "0428"}],
    ids=lambda change: next(iter(change)),
)
def test_a_code_of_one_flow_purpose_or_phone_is_none_of_another(change: dict[str, object]) -> None:
    assert digest(**change) != digest()


@given(words, codes, words)
def test_words_and_spaces_around_the_digits_are_forgiven(before: str, code: str, after: str) -> None:
    assert digits_typed(f"{before}{code}{after}") == code


@given(codes, st.sampled_from([" ", "-", "\u00a0", " - "]))
def test_digits_apart_are_put_together(code: str, gap: str) -> None:
    assert digits_typed(gap.join(code)) == code


@pytest.mark.parametrize("typed", ["０４２７", "٠٤٢٧", "код: 04-27.", "0427\x00"])
def test_digits_of_other_scripts_count(typed: str) -> None:
    assert digits_typed(typed) == "0427"


@given(words)
def test_text_without_digits_is_an_empty_code(typed: str) -> None:
    with pytest.raises(CodeEmpty):
        digits_typed(typed)


def test_only_the_beginning_of_a_long_text_is_read() -> None:
    assert digits_typed("x" * (MAX_TYPED - 1) + "12") == "1"
    with pytest.raises(CodeEmpty):
        digits_typed("x" * MAX_TYPED + "1234")


@given(st.sampled_from(["", "+7", "7", "8"]), st.text("0123456789", min_size=10, max_size=10))
def test_of_a_whole_calling_number_the_last_four_digits_are_the_code(prefix: str, national: str) -> None:
    assert digits_for(ChannelName.FLASH_CALL, digits_typed(prefix + national)) == national[-4:]


@given(st.sampled_from(ChannelName), st.text("0123456789", min_size=1, max_size=MAX_TYPED))
def test_digits_are_judged_only_when_their_count_can_be_a_code(channel: ChannelName, digits: str) -> None:
    whole_number = channel is ChannelName.FLASH_CALL and len(digits) in (10, 11)
    if len(digits) == channel.code_length or whole_number:
        assert digits_for(channel, digits) == digits[-channel.code_length :]
    else:
        with pytest.raises(CodeIncomplete) as refusal:
            digits_for(channel, digits)
        assert refusal.value.expected == channel.code_length


@pytest.mark.parametrize(("issued", "pause_s"), [(1, 60), (2, 120), (3, 300), (4, 300), (1000, 300)])
def test_pauses_grow_and_the_last_one_repeats(issued: int, pause_s: int) -> None:
    assert POLICY.resend_at(issued, NOW) == NOW + timedelta(seconds=pause_s)


@given(
    st.lists(st.timedeltas(min_value=timedelta(seconds=1), max_value=timedelta(days=1)), min_size=1, max_size=5),
    st.integers(min_value=1, max_value=50),
)
def test_a_pause_is_always_one_of_the_settings(pauses: list[timedelta], issued: int) -> None:
    policy = CodePolicy(life=POLICY.life, guesses=3, resend_pauses=tuple(pauses))

    assert policy.resend_at(issued, NOW) - NOW == pauses[min(issued, len(pauses)) - 1]


@pytest.mark.parametrize(("channel", "minutes"), [(ChannelName.FLASH_CALL, 5), (ChannelName.TELEGRAM, 10)])
def test_a_code_lives_as_long_as_its_way_says(channel: ChannelName, minutes: int) -> None:
    assert POLICY.expires_at(channel, NOW) == NOW + timedelta(minutes=minutes)
