"""Marks of browsers that signed in before: bound to account and password, for half a year, under older keys too."""

from __future__ import annotations

from datetime import timedelta

from medonline.services.crypto.field_encryption import Sealer
from medonline.services.login.known_browsers import LIFE, MAX_MARKS_LENGTH, MOST_MARKS, KnownBrowsers
from tests.services.world import KNOWN, OTHER_KNOWN, START

KEY, NEXT_KEY = b"k" * 32, b"n" * 32
BROWSERS = KnownBrowsers(Sealer(KEY, "known browser"))


def test_a_mark_is_good_for_its_account_and_password_alone() -> None:
    mark = BROWSERS.mark(KNOWN, 3, START)

    assert BROWSERS.name_in(mark, KNOWN, 3, START) == mark.partition(".")[0]
    assert BROWSERS.name_in(mark, OTHER_KNOWN, 3, START) == ""
    assert BROWSERS.name_in(mark, KNOWN, 4, START) == ""


def test_a_mark_lives_for_half_a_year() -> None:
    mark = BROWSERS.mark(KNOWN, 0, START)

    assert BROWSERS.name_in(mark, KNOWN, 0, START + LIFE - timedelta(seconds=1))
    assert BROWSERS.name_in(mark, KNOWN, 0, START + LIFE) == ""


def test_a_mark_that_was_changed_is_none() -> None:
    name, at, seal = BROWSERS.mark(KNOWN, 0, START).split(".")
    forged = [
        f"{'0' * 32}.{at}.{seal}",
        f"{name}.{int(at) + 1:010}.{seal}",
        f"{name}.{at}.{'0' * 64}",
        f"{name}.{at}",
        "~~~",
        "\x00",
    ]

    assert [BROWSERS.name_in(one, KNOWN, 0, START) for one in forged] == [""] * len(forged)


def test_a_change_of_keys_takes_no_mark_away() -> None:
    mark = BROWSERS.mark(KNOWN, 0, START)

    assert KnownBrowsers(Sealer(NEXT_KEY, "known browser", (KEY,))).name_in(mark, KNOWN, 0, START)
    assert KnownBrowsers(Sealer(NEXT_KEY, "known browser")).name_in(mark, KNOWN, 0, START) == ""


def test_a_family_keeps_its_last_marks() -> None:
    accounts = [f"account {number}" for number in range(MOST_MARKS + 2)]
    marks = ""
    for account in accounts:
        marks = BROWSERS.with_mark(marks, account, 0, START)

    good = [bool(BROWSERS.name_in(marks, account, 0, START)) for account in accounts]
    assert good == [False] * 2 + [True] * MOST_MARKS
    assert len(marks) < MAX_MARKS_LENGTH


def test_who_signs_in_often_pushes_nobody_out() -> None:
    marks = BROWSERS.with_mark("", "the husband", 0, START)
    for _ in range(MOST_MARKS + 1):
        marks = BROWSERS.with_mark(marks, "the wife", 0, START)

    assert BROWSERS.name_in(marks, "the husband", 0, START)
    assert BROWSERS.name_in(marks, "the wife", 0, START)
    assert marks.count("~") == 1


def test_what_is_no_mark_is_not_carried_on() -> None:
    marks = BROWSERS.with_mark("; Path=/evil\r\nSet-Cookie: a=b", KNOWN, 0, START)

    assert BROWSERS.name_in(marks, KNOWN, 0, START) == marks.partition(".")[0]
    assert len(marks) == len(BROWSERS.mark(KNOWN, 0, START))
