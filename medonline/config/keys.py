"""Whether a key can be random. A long key that repeats itself is as easy to guess as a short one."""

from __future__ import annotations

from itertools import pairwise

MIN_KEY_BYTES = 32
# Fewer than one in ten million random keys of 32 hexadecimal digits fall below any of these.
MIN_CHARACTERS = 8
MIN_PAIRS = 18
MIN_STEPS = 8


def has_low_variety(key: bytes) -> bool:
    """Whether a key has few different characters, a repeated pattern, or characters in alphabetical order.

    It finds keys that a person typed carelessly, such as forty equal letters. It cannot find a password or a sentence.
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
    """After how many characters the key repeats. Its length if it never does."""
    return next((length for length in range(1, len(key)) if key[length:] == key[:-length]), len(key))
