"""What leaves for a collector."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Iterator

import pytest
from opentelemetry.trace import Link, SpanContext, StatusCode, TraceFlags

from medonline.logs.setup import set_up
from medonline.traces import spans
from medonline.traces.export import ATTRIBUTES, start
from tests.traces.collector import collecting

CANARY = "+79161234567"


@pytest.fixture(autouse=True)
def followed_no_more() -> Iterator[None]:
    yield
    spans.follow(None)


def no_trust() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def test_only_words_of_the_code_leave_whatever_a_library_puts_into_a_span() -> None:
    with collecting() as collector:
        provider, stop = start(collector.url, no_trust(), "1.2.3", 100)
        elsewhere = SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(1))
        tracer = provider.get_tracer("another library")
        links = [Link(elsewhere, {"phone": CANARY})]
        with tracer.start_as_current_span("a name", attributes={"phone": CANARY}, links=links) as one:
            one.set_attribute("reflex.event.name", "a.handler")
            one.set_attribute("session.id", CANARY)
            one.add_event("typed", {"phone": CANARY})
            one.record_exception(ValueError(CANARY))
            one.set_status(StatusCode.ERROR, CANARY)
        stop()

    (seen,) = collector.spans
    assert (seen.name, seen.attributes) == ("a name", {"reflex.event.name": "a.handler"})
    assert CANARY.encode() not in b"".join(collector.bodies)


def test_an_error_is_told_by_its_type_alone() -> None:
    with collecting() as collector:
        _, stop = start(collector.url, no_trust(), "1.2.3", 100)
        with pytest.raises(ValueError, match=CANARY[1:]), spans.span("write a thing", medonline__transaction="a thing"):
            raise ValueError(CANARY)
        stop()

    (seen,) = collector.spans
    assert seen.attributes == {"medonline.transaction": "a thing", "error.type": "ValueError"}
    assert CANARY.encode() not in b"".join(collector.bodies)


def test_parts_of_parts_are_one_trace_and_the_log_names_it(capsys: pytest.CaptureFixture[str]) -> None:
    set_up("info", "text")
    with collecting() as collector:
        _, stop = start(collector.url, no_trust(), "1.2.3", 100)
        with spans.span("GET /recovery", begins=True), spans.span("POST ucaller"):
            logging.getLogger("medonline.x").info("within")
            trace = spans.current_id()
        logging.getLogger("medonline.x").info("outside")
        stop()

    inner, outer = collector.named("POST ucaller")[0], collector.named("GET /recovery")[0]
    assert inner.trace == outer.trace == trace
    assert (inner.parent, outer.parent) == (outer.id, "")
    within, outside = capsys.readouterr().err.splitlines()
    assert within.endswith(f" within trace={trace}")
    assert "trace=" not in outside


def test_of_traces_so_many_percent_are_kept_whole() -> None:
    with collecting() as collector:
        _, stop = start(collector.url, no_trust(), "1.2.3", 50)
        for _ in range(200):
            with spans.span("GET /", begins=True), spans.span("read a thing"):
                pass
        stop()

    outer, inner = collector.named("GET /"), collector.named("read a thing")
    assert 0 < len(outer) < 200
    assert {one.trace for one in outer} == {one.trace for one in inner}


def test_without_a_collector_nothing_is_made() -> None:
    with spans.span("GET /", begins=True) as one:
        one.set_attribute("http.route", "/")

    assert not one.is_recording()
    assert (spans.is_followed(), spans.current_id()) == (False, "")


def test_the_list_of_what_may_leave_has_no_name_for_a_persons_value() -> None:
    assert not [
        name for name in ATTRIBUTES if any(word in name for word in ("user", "session", "client", "url", "header"))
    ]
