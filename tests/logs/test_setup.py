"""The log: one event per line, with its request; phones, tokens, payloads and terminal tricks stay out."""

from __future__ import annotations

import json
import logging
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.contextvars import bound_contextvars

from medonline.logs.setup import cut, set_up

TOKEN = "Zk3vY0Q9n2T7x1b5R8c4W6e0U2i4O6p8A1s3D5f7G9h"
log = logging.getLogger("medonline.tests")


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]):
    """Set the log up in a form and read what was written."""

    def read(form: str = "text", level: str = "info") -> None:
        set_up(level, form)

    def written() -> list[str]:
        return capsys.readouterr().err.splitlines()

    read.written = written  # type: ignore[attr-defined]
    return read


def test_a_line_says_when_how_bad_who_and_what(lines) -> None:
    lines()
    log.warning("The registry gives no good answer: %s", "HTTP 503")

    (line,) = lines.written()
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z WARNING medonline\.tests The registry gives no good answer: HTTP 503",
        line,
    )


def test_a_line_of_json_has_the_request_it_belongs_to(lines) -> None:
    lines("json")
    with bound_contextvars(request="0a1b2c3d"):
        log.info("done")
    log.info("later")

    inside, outside = map(json.loads, lines.written())
    assert (inside["event"], inside["request"], inside["level"]) == ("done", "0a1b2c3d", "info")
    assert "request" not in outside


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize(
    "value", ["a\nb", "a\r\nFORGED line", "\x1b[31mred\x1b[0m", "a\u2028b", "a\u202eb", "\x00", "a\x85b", "\x9b1m"]
)
def test_no_value_makes_a_line_of_its_own_or_moves_the_cursor(lines, form: str, value: str) -> None:
    lines(form)
    log.warning("An address was refused: %s", value)

    (line,) = lines.written()
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202e]", line)


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize(
    "phone", ["+79001234567", "89001234567", "+7 (900) 123-45-67", "8 900 123 45 67", "79001234567", "8-900-123-45-67"]
)
def test_of_a_phone_two_digits_stay(lines, form: str, phone: str) -> None:
    lines(form)
    log.info("sent to %s by telegram", phone)

    (line,) = lines.written()
    assert "[phone ..67]" in line
    assert "123" not in line.partition("sent to ")[2]  # the time before it may have any digits


def test_numbers_that_are_no_phones_stay(lines) -> None:
    lines()
    log.info("pid 12345678901 at 1700000000.5 took 79 ms, code 8901")

    assert "pid 12345678901 at 1700000000.5 took 79 ms, code 8901" in lines.written()[0]


def test_tokens_and_their_hashes_are_cut(lines) -> None:
    lines()
    log.info("cookie medonline_session=%s key %s", TOKEN, "ab" * 32)

    (line,) = lines.written()
    assert TOKEN not in line
    assert "ab" * 20 not in line


@pytest.mark.parametrize("form", ["text", "json"])
def test_an_error_is_one_line_with_its_places_and_without_its_values(lines, form: str) -> None:
    lines(form)
    try:
        try:
            int("canary-of-a-patient")
        except ValueError as error:
            raise RuntimeError("canary-too") from error
    except RuntimeError:
        log.exception("The job failed")

    (line,) = lines.written()
    assert "RuntimeError < ValueError" in line
    assert "logs/test_setup.py:" in line
    assert "canary" not in line


@pytest.mark.parametrize("library", ["socketio.server", "engineio", "reflex_base.x", "httpx"])
def test_what_libraries_quote_is_withheld(lines, library: str) -> None:
    lines()
    logging.getLogger(library).error("payload %s", "canary")
    logging.getLogger(library).info("payload canary")

    (line,) = lines.written()
    assert "text withheld" in line
    assert "canary" not in line


@given(st.text(max_size=300))
def test_cutting_is_done_once_and_for_all(text: str) -> None:
    once = cut(text)

    assert cut(once) == once
    assert once.isprintable() or not re.search(r"[\x00-\x1f\x7f-\x9f]", once)
