"""An address of e-mail, or a refusal."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from medonline.domain.errors import InvalidEmail
from medonline.services.account_settings.email_address import parse_email


@given(st.emails(domains=st.sampled_from(["example.ru", "почта.рф", "a.b.example.org"])))
def test_an_address_reads_the_same_when_read_again(address: str) -> None:
    try:
        once = parse_email(address)
    except InvalidEmail:
        return
    assert parse_email(f"  {once} ") == once


@given(st.text(max_size=300))
def test_any_text_is_an_address_or_is_refused_as_one(typed: str) -> None:
    try:
        address = parse_email(typed)
    except InvalidEmail:
        return
    assert address == "" or address.count("@") >= 1
    assert not any(character in address for character in "\r\n\x00 ")
