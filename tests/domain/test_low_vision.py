"""The low-vision version: only what the portal wrote is read back, whatever a cookie or a form says."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medonline.domain.low_vision import CHOICES, LowVision

LOOKS = [LowVision(*words) for words in product(*CHOICES.values())]
WORDS = sorted({word for words in CHOICES.values() for word in words})


def test_every_look_is_read_back_from_its_cookie() -> None:
    assert len(LOOKS) == 3 * 3 * 3 * 2
    assert [LowVision.read(look.text) for look in LOOKS] == LOOKS


@pytest.mark.parametrize(
    "text",
    [
        *("", ".", "...", "....", "150", "150.black.normal", "150.black.normal.on.", ".150.black.normal.on"),
        *("150.black.normal.on.on", "125.black.normal.on", "150.red.normal.on", "black.150.normal.on"),
        *(
            "150.BLACK.normal.on",
            " 150.black.normal.on",
            "150.black.normal.on\n",
            "１５０.black.normal.on",
            "150.black.normal.оn",
        ),
        *(
            '150.black.normal.on" onload="alert(1)',
            "150.black.normal.<script>",
            "150.black.normal.\x00on",
            "150." * 100_000,
        ),
    ],
    ids=lambda text: repr(text)[:40],
)
def test_any_other_cookie_is_no_look(text: str) -> None:
    assert LowVision.read(text) is None


@given(st.one_of(st.text(), st.lists(st.sampled_from([*WORDS, "", "on "])).map(".".join)))
def test_a_cookie_is_a_look_only_when_the_portal_could_have_written_it(text: str) -> None:
    look = LowVision.read(text)

    assert look is None or (look in LOOKS and look.text == text)


@given(
    st.sampled_from(LOOKS),
    st.dictionaries(st.one_of(st.text(), st.sampled_from(list(CHOICES))), st.one_of(st.text(), st.sampled_from(WORDS))),
)
def test_a_form_changes_what_it_names_with_a_known_word_and_nothing_else(look: LowVision, form: dict[str, str]) -> None:
    after = look.choosing(form)

    assert after in LOOKS
    for name, words in CHOICES.items():
        wanted = form.get(name)
        assert getattr(after, name) == (wanted if wanted in words else getattr(look, name))
