"""Makes password hashes cost nothing in this process by default. Tests of hashing itself use the product's parameters.

A server that a test starts is a separate process and hashes like the product. Only the servers of the browser tests do not, because those
tests look at the screen.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from medonline.services.passwords import hashing

PRODUCT = {name: getattr(hashing, name) for name in ("OPS", "MEMORY_BYTES", "_CURRENT_PREFIX")}
# The smallest parameters that libsodium accepts: microseconds per password instead of a tenth of a second of one core.
CHEAPEST = {"OPS": 1, "MEMORY_BYTES": 8192, "_CURRENT_PREFIX": "$argon2id$v=19$m=8,t=1,p=1$"}


@contextmanager
def cheapest_argon2() -> Iterator[None]:
    """Argon2id with the least work. Meanwhile a hash with the product's parameters counts as outdated."""
    with patch.multiple(hashing, **CHEAPEST):
        yield


@contextmanager
def argon2_of_the_product() -> Iterator[None]:
    """The parameters that real patients' passwords have."""
    with patch.multiple(hashing, **PRODUCT):
        yield
