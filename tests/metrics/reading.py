"""Reads what `/metrics` answers."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families


def number(text: bytes, series: str, **labels: str) -> float:
    """The value of one series; 0 for one that is not there, as before its first number."""
    found = [
        sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
        if sample.name == series and sample.labels == labels
    ]
    assert len(found) <= 1, f"{series} is there {len(found)} times"
    return found[0] if found else 0.0
