"""Personal data at rest: what is sealed opens with its own key for its own use only, and an index finds equal values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medonline.services.crypto.field_encryption import SealBroken, Sealer, key_id

KEY, OTHER_KEY = b"a" * 32, b"b" * 32
SNILS, POLICY = Sealer(KEY, "snils"), Sealer(KEY, "oms_policy")


@given(st.text())
def test_a_sealed_text_opens_to_the_same_text(text: str) -> None:
    assert SNILS.open(SNILS.seal(text)) == text


@given(st.text(min_size=4))
def test_a_sealed_text_shows_nothing_of_the_text(text: str) -> None:
    sealed = SNILS.seal(text)

    assert sealed.startswith(f"s2.{key_id(KEY)}.")
    assert sealed.isascii()
    assert text not in sealed.rpartition(".")[2]


def test_an_empty_text_stays_empty() -> None:
    assert (SNILS.seal(""), SNILS.open("")) == ("", "")


def test_the_same_text_is_never_sealed_the_same_way_twice() -> None:
    assert len({SNILS.seal("11223344595") for _ in range(100)}) == 100


def test_another_process_with_the_same_key_opens_it() -> None:
    assert Sealer(KEY, "snils").open(SNILS.seal("11223344595")) == "11223344595"


@pytest.mark.parametrize("other", [Sealer(OTHER_KEY, "snils"), POLICY, Sealer(KEY, "Snils"), Sealer(KEY, "")])
def test_another_key_or_use_opens_nothing(other: Sealer) -> None:
    with pytest.raises(SealBroken):
        other.open(SNILS.seal("11223344595"))


def test_a_seal_that_was_changed_anywhere_is_broken() -> None:
    sealed = SNILS.seal("11223344595")
    for place in range(3, len(sealed)):
        if sealed[place] == "=":
            continue
        changed = "A" if sealed[place] != "A" else "B"
        with pytest.raises(SealBroken):
            SNILS.open(sealed[:place] + changed + sealed[place + 1 :])


def test_a_seal_that_was_cut_or_is_of_another_format_is_broken() -> None:
    sealed = SNILS.seal("11223344595")
    for damaged in (
        sealed[:10],
        "s1.",
        "s1",
        "s2.",
        "s2..",
        f"s2.{key_id(KEY)}.",
        sealed.replace("s2.", "s3."),
        sealed.replace("s2.", "s1."),
        sealed.replace(key_id(KEY), key_id(OTHER_KEY)),
        sealed.removeprefix("s2."),
        "я",
        "s1.я",
        ".",
    ):
        with pytest.raises(SealBroken):
            SNILS.open(damaged)


@given(st.text(min_size=1))
def test_any_other_text_is_a_broken_seal(text: str) -> None:
    with pytest.raises(SealBroken):
        SNILS.open(text)


@given(st.text(), st.text())
def test_an_index_is_equal_for_equal_texts_only(one: str, other: str) -> None:
    assert (SNILS.index(one) == SNILS.index(other)) is (one == other)


def test_an_index_says_nothing_without_its_key_and_use() -> None:
    indexes = {sealer.index("11223344595") for sealer in (SNILS, POLICY, Sealer(OTHER_KEY, "snils"))}

    assert len(indexes) == 3
    assert all(len(index) == 64 and "11223344595" not in index for index in indexes)


# --- keys one after the other -----------------------------------------------------------------------------------

ROTATED = Sealer(OTHER_KEY, "snils", others=(KEY,))


def test_an_older_key_opens_what_it_sealed_and_seals_nothing() -> None:
    old = SNILS.seal("11223344595")

    assert ROTATED.open(old) == "11223344595"
    assert not ROTATED.is_current(old)
    new = ROTATED.seal("11223344595")
    assert ROTATED.is_current(new)
    with pytest.raises(SealBroken):
        SNILS.open(new)


def test_what_was_indexed_under_an_older_key_is_found() -> None:
    assert ROTATED.indexes("11223344595") == [
        Sealer(OTHER_KEY, "snils").index("11223344595"),
        SNILS.index("11223344595"),
    ]


@pytest.mark.parametrize("sealer", [SNILS, ROTATED])
def test_texts_sealed_before_keys_had_ids_open_still(sealer: Sealer) -> None:
    body = SNILS.seal("11223344595").rpartition(".")[2]

    assert sealer.open(f"s1.{body}") == "11223344595"
    assert not sealer.is_current(f"s1.{body}")


def test_a_key_id_says_which_key_and_nothing_about_it() -> None:
    assert key_id(KEY) != key_id(OTHER_KEY)
    assert len(key_id(KEY)) == 8
    assert KEY.hex()[:8] not in key_id(KEY)
