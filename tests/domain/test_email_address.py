"""An address of e-mail, or a refusal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medonline.domain.email_address import EmailAddress
from medonline.domain.errors import InvalidEmail
from tests.domain.characters import any_texts

ADDRESS = "maria.p-1@example.ru"


@given(st.emails(domains=st.sampled_from(["example.ru", "почта.рф", "a.b.example.org"])))
def test_an_address_reads_the_same_when_read_again(address: str) -> None:
    try:
        once = EmailAddress.parse(address)
    except InvalidEmail:
        return
    assert EmailAddress.parse(f"  {once.text} ") == once


@pytest.mark.parametrize(
    "typed",
    [
        ADDRESS,
        f"\u202a{ADDRESS}\u202c",
        "mar\u00adia.p-1@exam\u200bple.ru",
        "maria.p\u20111@example.ru",
        "ｍａｒｉａ．ｐ－１＠ｅｘａｍｐｌｅ．ｒｕ",
        f"mailto:{ADDRESS}",
        f"Мария Петрова <{ADDRESS}>",
        f"{ADDRESS}.",
        f"\u3000{ADDRESS}\ufe0f\n",
    ],
)
def test_an_address_is_read_however_it_was_copied(typed: str) -> None:
    assert EmailAddress.parse(typed).text == ADDRESS


@given(any_texts)
def test_any_text_is_an_address_or_is_refused_as_one(typed: str) -> None:
    try:
        address = EmailAddress.parse(typed)
    except InvalidEmail:
        return
    assert address.text.count("@") >= 1
    assert not any(character in address.text for character in "\r\n\x00 ")
    assert EmailAddress.parse(address.text) == address


@pytest.mark.parametrize(
    "typed", ["=?utf-8?q?a=0d=0aBcc=3ab=40c.ru?=@example.ru", "=?utf-8?b?DQpCY2M6?=@example.ru", "a=?=@example.ru"]
)
def test_an_address_that_hides_other_text_is_refused(typed: str) -> None:
    with pytest.raises(InvalidEmail):
        EmailAddress.parse(typed)


@pytest.mark.parametrize(
    ("address", "on_the_wire"),
    [("Иван@почта.рф", "Иван@xn--80a1acny.xn--p1ai"), ("Maria@Example.ru", "Maria@example.ru"), (ADDRESS, ADDRESS)],
)
def test_its_host_is_written_in_latin_letters_for_servers(address: str, on_the_wire: str) -> None:
    assert EmailAddress(address).on_the_wire() == on_the_wire


@pytest.mark.parametrize("odd", ["", "@", "a@intranet", "a b@c.ru", "a@b.ru\r\nBcc: c@d.ru", "a@b,c@d.ru"])
def test_what_is_no_address_is_not_written_at_all(odd: str) -> None:
    with pytest.raises(InvalidEmail):
        EmailAddress(odd).on_the_wire()


def test_two_hosts_are_two_addresses() -> None:
    assert EmailAddress("a@faß.de").key != EmailAddress("a@fass.de").key


def test_an_address_on_record_elsewhere_is_taken_as_it_is_or_not_at_all() -> None:
    assert EmailAddress.received(" maria@intranet\u200b ") == EmailAddress("maria@intranet")
    for unusable in (None, 7, "", "maria", "@", "a b@example.ru", "a@b.ru\x00", "a" * 250 + "@b.ru"):
        assert EmailAddress.received(unusable) is None


def test_capital_letters_make_no_other_address() -> None:
    assert EmailAddress("Maria@Example.ru").key == EmailAddress("maria@example.ru").key
