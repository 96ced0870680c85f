"""Whether a key can be random: a long one that repeats itself is as easily guessed as a short one."""

from __future__ import annotations

from itertools import pairwise

MIN_KEY_BYTES = 32
# Of random keys of 32 hexadecimal digits less than one in ten million falls below any of these.
MIN_CHARACTERS = 8
MIN_PAIRS = 18
MIN_STEPS = 8


def has_low_variety(key: bytes) -> bool:
    """Whether a key is made of few characters, of a pattern that comes again, or of characters in their order.

    It finds keys that a hand made, such as forty equal letters. It cannot find a password or a sentence.
    """
    pairs = set(pairwise(key))
    steps = {second - first for first, second in pairs}
    return (
        len(set(key)) < MIN_CHARACTERS
        or len(pairs) < MIN_PAIRS
        or len(steps) < MIN_STEPS
        or _period(key) < min(MIN_KEY_BYTES, len(key) // 2 + 1)
    )


def _period(key: bytes) -> int:
    """After how many characters the key begins again; its length when it never does."""
    return next((length for length in range(1, len(key)) if key[length:] == key[:-length]), len(key))
