"""What an operator watches by is there: every metric that alerts, dashboard and guide name, and a page for every alarm."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from medonline.metrics.families import Count, Duration, Family
from medonline.metrics.names import FAMILIES
from medonline.services.limits.alarms import Alarm

ROOT = Path(__file__).resolve().parents[2]
RULES = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text(encoding="utf-8"))
DASHBOARD = json.loads((ROOT / "deploy/grafana/medonline.json").read_text(encoding="utf-8"))
RUNBOOK = (ROOT / "docs/runbook.md").read_text(encoding="utf-8")
OPERATIONS = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
SERIES = re.compile(r"medonline_[a-z0-9_]+")
SELECTOR = re.compile(r"(medonline_[a-z0-9_]+)\{([^}]*)\}")


def series_of(family: Family) -> set[str]:
    """The names under which Prometheus keeps it."""
    if isinstance(family, Count):
        return {f"{family.name}_total"}
    if isinstance(family, Duration):
        return {f"{family.name}_{part}" for part in ("bucket", "count", "sum")}
    return {family.name}


KNOWN = {series: family for family in FAMILIES.values() for series in series_of(family)}


def alerts() -> list[dict[str, Any]]:
    return [rule for group in RULES["groups"] for rule in group["rules"]]


def queries_of(part: Any) -> Iterator[str]:
    """Every expression of a dashboard, however deep it lies."""
    if isinstance(part, dict):
        if isinstance(part.get("expr"), str):
            yield part["expr"]
        for value in part.values():
            yield from queries_of(value)
    elif isinstance(part, list):
        for value in part:
            yield from queries_of(value)


def faults_in(query: str) -> list[str]:
    """Names and labels of a query that no family has."""
    unknown = [name for name in SERIES.findall(query) if name not in KNOWN]
    labels = [
        f"{name}: {label}"
        for name, selector in SELECTOR.findall(query)
        if name in KNOWN
        for label in re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", selector)
        if label not in KNOWN[name].labels
    ]
    return unknown + labels


def test_an_unknown_name_and_an_unknown_label_are_found() -> None:
    assert faults_in('rate(medonline_codes_sent_total{channel="telegram"}[5m])') == []
    assert faults_in("medonline_codes_sent") == ["medonline_codes_sent"]
    assert faults_in('medonline_codes_sent_total{phone="x"}') == ["medonline_codes_sent_total: phone"]


def test_alerts_name_only_what_is_measured() -> None:
    assert {rule["alert"]: faults for rule in alerts() if (faults := faults_in(rule["expr"]))} == {}
    assert all(rule["annotations"]["summary"] and rule["labels"]["severity"] in ("page", "ticket") for rule in alerts())


def test_the_dashboard_names_only_what_is_measured_and_all_of_it() -> None:
    queries = list(queries_of(DASHBOARD))

    assert {query: faults for query in queries if (faults := faults_in(query))} == {}
    shown = {KNOWN[name].name for query in queries for name in SERIES.findall(query)}
    assert shown == set(FAMILIES)


def test_every_alarm_and_every_alert_has_its_page() -> None:
    pages = re.findall(r"^## (\S+)$", RUNBOOK, flags=re.MULTILINE)

    assert len(pages) == len(set(pages))
    assert set(pages) == {*Alarm, *(rule["alert"] for rule in alerts())}
    for page in re.split(r"^## ", RUNBOOK, flags=re.MULTILINE)[1:]:
        name, _, text = page.partition("\n")
        assert name == "alarm" or all(part in text for part in ("**Patients see**", "**Look at**", "**Do**")), name


def test_pages_of_the_runbook_lead_to_one_another() -> None:
    pages = set(re.findall(r"^## (\S+)$", RUNBOOK, flags=re.MULTILINE))

    assert set(re.findall(r"\]\(#([^)]+)\)", RUNBOOK)) <= pages
    assert {KNOWN[name].name for name in SERIES.findall(RUNBOOK) if name in KNOWN} | set(FAMILIES) == set(FAMILIES)
    assert [name for name in SERIES.findall(RUNBOOK) if name not in KNOWN and name not in FAMILIES] == []


def test_the_operations_guide_lists_every_metric_with_its_labels() -> None:
    rows = dict(re.findall(r"^\| `(medonline_[a-z_]+)` \| ([^|]*) \|", OPERATIONS, flags=re.MULTILINE))

    assert rows == {family.name: ", ".join(family.labels) or "—" for family in FAMILIES.values()}
