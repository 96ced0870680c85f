"""The link «это не я»: made from the notice and a key, found by its hash, and in the part of the address that is not sent."""

from __future__ import annotations

from urllib.parse import urlsplit

from medonline.services.crypto.field_encryption import Sealer
from medonline.services.crypto.tokens import token_hash
from medonline.services.notices.dispute_links import TOKEN_LENGTH, DisputeLinks

PAGE = "https://medonline.example/not-me"
KEY, NEWER_KEY = b"a" * 32, b"b" * 32
LINKS = DisputeLinks(PAGE, Sealer(KEY, "dispute"))


def token_of(link: str) -> str:
    return urlsplit(link).fragment


def test_the_token_of_a_link_is_the_one_whose_hash_is_kept() -> None:
    kept = LINKS.hash_for("notice-1")
    token = token_of(LINKS.link("notice-1", kept))

    assert len(token) == TOKEN_LENGTH
    assert token_hash(token) == kept


def test_a_browser_sends_nothing_of_the_token() -> None:
    link = LINKS.link("notice-1", LINKS.hash_for("notice-1"))

    assert link == f"{PAGE}#{token_of(link)}"
    assert urlsplit(link)._replace(fragment="").geturl() == PAGE


def test_after_a_restart_it_is_the_same_link() -> None:
    again = DisputeLinks(PAGE, Sealer(KEY, "dispute"))

    assert (
        again.link("notice-1", LINKS.hash_for("notice-1")) == LINKS.link("notice-1", again.hash_for("notice-1")) != ""
    )


def test_each_notice_has_a_token_of_its_own_and_no_hash_but_its_own_makes_a_link() -> None:
    hashes = {number: LINKS.hash_for(number) for number in ("notice-1", "notice-2", "notice-10")}

    assert len(set(hashes.values())) == 3
    assert LINKS.link("notice-1", hashes["notice-2"]) == ""
    assert LINKS.link("notice-1", "") == ""


def test_a_token_is_of_no_other_key_and_of_no_other_use_of_the_key() -> None:
    others = [DisputeLinks(PAGE, Sealer(NEWER_KEY, "dispute")), DisputeLinks(PAGE, Sealer(KEY, "snils"))]

    assert LINKS.hash_for("notice-1") not in {other.hash_for("notice-1") for other in others}


def test_a_notice_that_waits_while_the_key_changes_keeps_its_link_as_long_as_the_older_key_is_there() -> None:
    kept = LINKS.hash_for("notice-1")
    rotated = DisputeLinks(PAGE, Sealer(NEWER_KEY, "dispute", others=(KEY,)))
    gone = DisputeLinks(PAGE, Sealer(NEWER_KEY, "dispute"))

    assert rotated.link("notice-1", kept) == LINKS.link("notice-1", kept)
    assert rotated.hash_for("notice-1") == gone.hash_for("notice-1") != kept
    assert gone.link("notice-1", kept) == ""
