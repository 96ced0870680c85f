"""Hashes of passwords in this process: at no cost by default, as in the product where hashing itself is tested.

A server that a test starts is a process of its own and hashes as the product does, but those of the browser tests: what they
look at is on the screen.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from medonline.services.passwords import hashing

PRODUCT = {name: getattr(hashing, name) for name in ("OPS", "MEMORY_BYTES", "_CURRENT_PREFIX")}
# The least that libsodium takes: microseconds instead of a tenth of a second of a core for each password.
CHEAPEST = {"OPS": 1, "MEMORY_BYTES": 8192, "_CURRENT_PREFIX": "$argon2id$v=19$m=8,t=1,p=1$"}


@contextmanager
def cheapest_argon2() -> Iterator[None]:
    """Argon2id with the least work; a hash with the product's parameters is an outdated one meanwhile."""
    with patch.multiple(hashing, **CHEAPEST):
        yield


@contextmanager
def argon2_of_the_product() -> Iterator[None]:
    """The parameters that patients' passwords have."""
    with patch.multiple(hashing, **PRODUCT):
        yield
