"""The code of a mail: of its notice and a key, and of no other."""

from __future__ import annotations

from medonline.services.crypto.field_encryption import Sealer
from medonline.services.notices.email_codes import EmailCodes

OLD, NEW = b"o" * 32, b"n" * 32


def test_a_code_is_six_digits_of_its_own_notice() -> None:
    codes = EmailCodes(Sealer(NEW, "email code"))
    many = {codes.of(f"notice-{number}") for number in range(300)}

    assert all(len(code) == 6 and code.isdecimal() for code in many)
    assert len(many) > 290
    assert codes.is_of("notice-1", codes.of("notice-1"))
    assert not codes.is_of("notice-2", codes.of("notice-1"))


def test_a_code_that_was_sent_under_the_key_before_still_fits() -> None:
    sent = EmailCodes(Sealer(OLD, "email code")).of("notice-1")

    assert EmailCodes(Sealer(NEW, "email code", (OLD,))).is_of("notice-1", sent)
    assert not EmailCodes(Sealer(NEW, "email code")).is_of("notice-1", sent)
