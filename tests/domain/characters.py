"""Texts for property tests of readers: ordinary ones, ones full of what no screen shows, and ones of look-alikes."""

from __future__ import annotations

from hypothesis import strategies as st

INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u180b\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2069\u206f"
    "\u3164\ufe00\ufe0d\ufe0f\ufeff\uffa0\U000e0001\U000e0100"
)
SPACES = " \t\n\u00a0\u1680\u2000\u2007\u2009\u200a\u2028\u202f\u205f\u3000\u2800"
DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d\u2043"
APOSTROPHES = "'`\u00b4\u2018\u2019\u201b\u02bc\u02bb\u02b9\u2032\uff07\uff40\ua78c"
FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")

any_texts = st.one_of(
    st.text(max_size=300),
    st.text(f"0123456789０９٣²+-() .,;#*xдобgИа@<>\x00\ud800{INVISIBLE}{SPACES}{DASHES}{APOSTROPHES}", max_size=80),
)
marks = st.text(INVISIBLE, max_size=3)


@st.composite
def disguised(draw: st.DrawFn, text: str) -> str:
    """The text with invisible characters anywhere and digits perhaps of full width."""
    shown = text.translate(FULL_WIDTH) if draw(st.booleans()) else text
    return draw(marks) + "".join(char + draw(marks) for char in shown)
