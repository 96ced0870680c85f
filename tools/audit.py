"""Checks the locked packages for known vulnerabilities, with pip-audit and `npm audit`. Each finding needs a written decision.

A finding fails the check until the package is upgraded or docs/audit_decisions.toml says why it may stay, and until when. A service that
does not answer fails nothing: the check prints «NOT AUDITED», because it must also run without a network. Before a release it does fail:
`make release-check` calls this with `--release`.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DECISIONS = ROOT / "docs" / "audit_decisions.toml"
PYTHON_LOCKS = ("requirements.lock", "requirements-dev.lock")
NPM_LOCKS = ("reflex.lock", "browser", "tests/providers/oidc_provider")
# Seconds for a whole answer. Without a network the failure comes sooner.
PATIENCE_S = 45
CONNECT_S = 10
KINDS = ("not affected", "no fix yet", "fix held back")
LONGEST = timedelta(days=366)
PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)")
ADDRESS = re.compile(r"\s*(?:- )?(?:(?:GET|POST|to) )?https?://\S+")


@dataclass(frozen=True)
class Finding:
    """One advisory that affects one package of a lock."""

    package: str
    ids: frozenset[str]  # one advisory has several: GHSA-…, CVE-…, PYSEC-…
    title: str
    remedy: str

    def __str__(self) -> str:
        return f"{', '.join(sorted(self.ids))} in {self.package}: {self.title} ({self.remedy})"


@dataclass(frozen=True)
class Decision:
    """Why a finding may stay, and the last day on which this decision is valid without another look."""

    id: str
    package: str
    decision: str
    reason: str
    until: date

    def about(self, finding: Finding) -> bool:
        """Whether this decision is about that finding. Names of Python packages are compared as PEP 503 says."""
        return self.id in finding.ids and _normal(self.package) == _normal(finding.package)


@dataclass(frozen=True)
class Answer:
    """A service's answer about the packages of some locks. `silent`: the reason why it gave no answer, or only a part of it."""

    of: str
    findings: tuple[Finding, ...] = ()
    looked_at: int = 0
    silent: str = ""


@dataclass
class Verdict:
    """The printed result. Faults fail the check."""

    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def lists_of(locks: str) -> list[dict[str, str]]:
    """Every package of the locks with its version, including those for other systems and other Pythons.

    A package that has different versions for different Pythons makes a second list, because pip-audit refuses a list with both.
    """
    lists: list[dict[str, str]] = [{}]
    pins = {(_normal(found[1]), found[2]): None for found in filter(None, map(PIN.match, locks.splitlines()))}
    for name, version in pins:
        place = next((pinned for pinned in lists if name not in pinned), None)
        if place is None:
            lists.append(place := {})
        place[name] = version
    return lists


def read_pip_audit(of: str, runs: Iterable[tuple[str, str]]) -> Answer:
    """The answer in the JSON of one or several runs of pip-audit.

    pip-audit calls a package that the service does not know «skipped», and still exits without an error.
    """
    packages = []
    for output, errors in runs:
        answer = _json(output)
        if answer is None or "dependencies" not in answer:
            return Answer(of, silent=_last_line(errors))
        packages += answer["dependencies"]
    skipped = [package["name"] for package in packages if "skip_reason" in package]
    findings = [
        Finding(
            package["name"],
            frozenset({advisory["id"], *advisory.get("aliases", [])}),
            _title(advisory.get("description", "")),
            f"has {package['version']}, fixed in: {', '.join(advisory['fix_versions']) or 'no version yet'}",
        )
        for package in packages
        for advisory in package.get("vulns", [])
    ]
    silent = f"the service knows nothing of {_some(skipped)}" if skipped else ""
    return Answer(of, tuple(findings), len(packages) - len(skipped), silent)


def read_npm_audit(of: str, output: str, errors: str) -> Answer:
    """The answer in npm's JSON, report version 2. A package that only depends on a flawed one is no separate finding."""
    answer = _json(output)
    if answer is None or "vulnerabilities" not in answer:
        return Answer(of, silent=_without_address(str((answer or {}).get("message", ""))) or _last_line(errors))
    findings = {}
    for package in answer["vulnerabilities"].values():
        for advisory in package["via"]:
            if isinstance(advisory, dict):
                number = (
                    advisory["url"].rstrip("/").rsplit("/", 1)[-1] if advisory.get("url") else str(advisory["source"])
                )
                findings[number, advisory["name"]] = Finding(
                    advisory["name"],
                    frozenset({number}),
                    _title(advisory["title"]),
                    f"{advisory['severity']}, in {advisory['range']}, {_remedy(package['fixAvailable'])}",
                )
    return Answer(of, tuple(findings.values()), answer["metadata"]["dependencies"]["total"])


def read_decisions(text: str) -> list[Decision]:
    """Read the decisions from the file.

    Raises:
        ValueError: a decision is incomplete. The sentence says which one and what it needs.
    """
    fields = {"id": str, "package": str, "decision": str, "reason": str, "until": date}
    decisions = []
    for number, table in enumerate(tomllib.loads(text).get("decision", []), start=1):
        name = f"decision {number} ({table.get('id', 'without an id')})"
        if table.keys() != fields.keys() or any(type(table[key]) is not kind for key, kind in fields.items()):
            msg = f"{name} needs exactly: id, package, decision, reason as texts and until as a date"
            raise ValueError(msg)
        if table["decision"] not in KINDS or not table["reason"].strip():
            msg = f"{name} needs a reason, and as decision one of: {', '.join(KINDS)}"
            raise ValueError(msg)
        decisions.append(Decision(**table))
    return decisions


def judge(answers: Sequence[Answer], decisions: Sequence[Decision], today: date, *, release: bool = False) -> Verdict:
    """Compare the findings with the decisions, as of one day. For a release, a package that was not audited is a fault."""
    verdict = Verdict()
    findings = [finding for answer in answers for finding in answer.findings]
    for answer in answers:
        if answer.silent:
            not_audited = f"NOT AUDITED: {answer.of}: {answer.silent}."
            (verdict.faults if release else verdict.notes).append(not_audited)
        if answer.looked_at:
            verdict.notes.append(
                f"Audited: {answer.of}: {answer.looked_at} packages, findings: {len(answer.findings)}."
            )
    for finding in findings:
        if not any(decision.about(finding) for decision in decisions):
            verdict.faults.append(
                f"UNDECIDED: {finding}. Upgrade it, or write down in docs/{DECISIONS.name} why it may stay."
            )
    all_answered = not any(answer.silent for answer in answers)
    for decision in decisions:
        named = f"{decision.id} in {decision.package}"
        if all_answered and not any(map(decision.about, findings)):
            verdict.notes.append(f"The finding {named} is gone: take its decision out of docs/{DECISIONS.name}.")
        elif decision.until < today:
            verdict.faults.append(f"EXPIRED: the decision about {named} held until {decision.until}: look at it again.")
        elif decision.until > today + LONGEST:
            verdict.faults.append(f"TOO FAR: the decision about {named} must be looked at again within a year.")
    return verdict


def ask_pip_audit() -> Answer:
    """Ask about the packages of both Python locks."""
    locks = "\n".join((ROOT / name).read_text(encoding="utf-8") for name in PYTHON_LOCKS)
    with ThreadPoolExecutor() as threads:
        return read_pip_audit(" and ".join(PYTHON_LOCKS), threads.map(pip_audit, lists_of(locks)))


def pip_audit(pins: dict[str, str], *options: str) -> tuple[str, str]:
    """Run pip-audit over one list. The list has no markers, because pip-audit would leave out what this Python does not install."""
    options = (
        "--no-deps",
        "--disable-pip",
        "--progress-spinner=off",
        "--format=json",
        f"--timeout={CONNECT_S}",
        *options,
    )
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "requirements.txt"
        plain.write_text("".join(f"{name}=={version}\n" for name, version in pins.items()), encoding="utf-8")
        return run([sys.executable, "-m", "pip_audit", *options, "-r", str(plain)], ROOT)


def ask_npm(name: str) -> Answer:
    """Ask about one npm lock."""
    return read_npm_audit(f"{name}/package-lock.json", *npm_audit(ROOT / name))


def npm_audit(folder: Path, *options: str) -> tuple[str, str]:
    """Run `npm audit` over the lock of one folder. Nothing needs to be installed for it."""
    options = ("--package-lock-only", "--fetch-retries=0", f"--fetch-timeout={CONNECT_S * 1000}", *options)
    return run(["npm", "audit", "--json", *options], folder)


def run(command: Sequence[str], folder: Path, patience: float = PATIENCE_S) -> tuple[str, str]:
    """The standard output and the errors of a tool. Its exit code does not distinguish findings from failures, so it is not used."""
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=patience, check=False)
    except subprocess.TimeoutExpired:
        return "", f"no answer within {patience:g} s"
    return done.stdout, done.stderr


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code: 0 when every finding of the services that answered is decided. With `--release`, all services must also have answered."""
    parser = argparse.ArgumentParser(description="Known vulnerabilities in the locked packages.")
    parser.add_argument("--release", action="store_true", help="fail, too, for what was not audited")
    release = parser.parse_args(argv).release
    if not (find_spec("pip_audit") and shutil.which("npm")):
        print("Audit: pip-audit and npm must be installed: `make check` does it.")
        return 1
    try:
        decisions = read_decisions(DECISIONS.read_text(encoding="utf-8"))
        with ThreadPoolExecutor() as threads:
            npm = threads.map(ask_npm, NPM_LOCKS)
            answers = [ask_pip_audit(), *npm]
    except ValueError as error:
        print(f"Audit: {error}.")
        return 1
    verdict = judge(answers, decisions, datetime.now(UTC).date(), release=release)
    print("\n".join([*verdict.notes, *verdict.faults]))
    return 1 if verdict.faults else 0


def _json(output: str) -> dict[str, Any] | None:
    try:
        answer = json.loads(output)
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None


def _normal(package: str) -> str:
    return package if package.startswith("@") else re.sub(r"[-_.]+", "-", package).lower()


def _title(text: str) -> str:
    line = next(iter(text.strip().splitlines()), "") or "no title"
    return line if len(line) <= 100 else f"{line[:99]}…"


def _remedy(fix: bool | dict[str, Any]) -> str:
    if isinstance(fix, dict):
        return f"fixed by {fix['name']} {fix['version']}"
    return "a fix is there" if fix else "no fix yet"


def _some(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= 5 else f"{len(names)} packages ({', '.join(names[:3])} …)"


def _last_line(errors: str) -> str:
    lines = [line for line in map(str.strip, errors.splitlines()) if line]
    # The rest of an error of `requests`, after its name, is about sockets.
    return _without_address(lines[-1].split(": HTTP")[0])[:200] if lines else "the tool said nothing"


def _without_address(text: str) -> str:
    return ADDRESS.sub("", text).strip().rstrip(".")


if __name__ == "__main__":
    sys.exit(main())
