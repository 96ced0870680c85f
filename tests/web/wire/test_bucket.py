"""What a peer may send at once, and how it comes back."""

from __future__ import annotations

from medonline.web.wire.bucket import Bucket


def test_it_is_full_at_first_and_fills_up_again_but_no_further() -> None:
    bucket = Bucket(at_once=10, per_second=2, now=100.0)
    assert bucket.take(10, 100.0)
    assert not bucket.take(1, 100.0)
    assert bucket.take(1, 101.0)
    assert bucket.take(10, 1000.0)
    assert not bucket.take(1, 1000.0)


def test_what_was_not_left_is_owed() -> None:
    bucket = Bucket(at_once=10, per_second=1, now=0.0)
    assert not bucket.take(30, 0.0)
    assert not bucket.take(1, 19.0)
    assert bucket.take(1, 22.0)
