"""The audit finds known vulnerabilities in the tools' output, and each one needs a decision that is still valid."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tools import audit
from tools.audit import Answer, Decision, Finding

TODAY = date(2026, 11, 28)
GHSA, CVE, PYSEC = "GHSA-xvch-5gv4-984h", "CVE-2021-44906", "PYSEC-2026-7"
FINDING = Finding("minimist", frozenset({GHSA, CVE}), "Prototype pollution", "critical")
KEPT = Decision(GHSA, "minimist", "not affected", "Never parses what a visitor sends.", date(2027, 2, 28))

PIP_AUDIT = {
    "dependencies": [
        {"name": "anyio", "version": "4.0.0", "vulns": []},
        {
            "name": "jinja2",
            "version": "2.4.1",
            "vulns": [
                {
                    "id": PYSEC,
                    "fix_versions": ["2.7.3", "3.0.0"],
                    "aliases": ["CVE-2014-1402", "GHSA-8r7q-cvjq-x353"],
                    "description": "The default configuration of bytecode caches does not create temporary files safely.",
                },
                {"id": "PYSEC-2026-8", "fix_versions": [], "aliases": [], "description": ""},
            ],
        },
    ],
    "fixes": [],
}
NPM_AUDIT: dict[str, Any] = {
    "auditReportVersion": 2,
    "vulnerabilities": {
        "minimist": {
            "name": "minimist",
            "severity": "critical",
            "isDirect": False,
            "via": [
                {
                    "source": 1097677,
                    "name": "minimist",
                    "dependency": "minimist",
                    "title": "Prototype Pollution in minimist",
                    "url": f"https://github.com/advisories/{GHSA}",
                    "severity": "critical",
                    "cwe": ["CWE-1321"],
                    "cvss": {"score": 9.8, "vectorString": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"},
                    "range": "<0.2.4",
                }
            ],
            "effects": ["mkdirp"],
            "range": "<=0.2.3",
            "nodes": ["node_modules/minimist"],
            "fixAvailable": {"name": "mkdirp", "version": "0.5.6", "isSemVerMajor": True},
        },
        "mkdirp": {
            "name": "mkdirp",
            "severity": "critical",
            "isDirect": True,
            "via": ["minimist"],
            "effects": [],
            "range": "0.4.1 - 0.5.1",
            "nodes": ["node_modules/mkdirp"],
            "fixAvailable": {"name": "mkdirp", "version": "0.5.6", "isSemVerMajor": True},
        },
    },
    "metadata": {"dependencies": {"prod": 3, "dev": 0, "optional": 0, "peer": 0, "peerOptional": 0, "total": 2}},
}
NPM_REFUSED = {
    "message": "405 Method Not Allowed - POST https://registry.example/-/npm/v1/security/advisories/bulk",
    "method": "POST",
    "statusCode": 405,
    "error": {"summary": "", "detail": ""},
}
NPM_OFFLINE = {
    "message": "request to https://registry.example/-/npm/v1/security/advisories/bulk failed, reason: connect ECONNREFUSED",
    "error": {"summary": "", "detail": ""},
}


# --- what the tools print --------------------------------------------------------------------------------------------


def read_pip_audit(output: object, errors: str = "") -> Answer:
    return audit.read_pip_audit("the lock", [(json.dumps(output) if output else "", errors)])


def read_npm_audit(output: object, errors: str = "") -> Answer:
    return audit.read_npm_audit("the lock", json.dumps(output) if output else "", errors)


def test_an_advisory_of_pip_audit_is_a_finding_with_all_its_ids() -> None:
    answer = read_pip_audit(PIP_AUDIT)

    assert (answer.looked_at, answer.silent) == (2, "")
    assert [finding.ids for finding in answer.findings] == [
        {PYSEC, "CVE-2014-1402", "GHSA-8r7q-cvjq-x353"},
        {"PYSEC-2026-8"},
    ]
    assert [finding.remedy for finding in answer.findings] == [
        "has 2.4.1, fixed in: 2.7.3, 3.0.0",
        "has 2.4.1, fixed in: no version yet",
    ]


def test_packages_that_pip_audit_skips_are_not_audited() -> None:
    reason = "Dependency not found and could not be audited"
    names = ["aa", "bb", "cc", "dd", "ee", "ff"]
    some = {"dependencies": [*PIP_AUDIT["dependencies"], {"name": "reflex", "skip_reason": reason}]}
    every = {"dependencies": [{"name": name, "skip_reason": reason} for name in names]}

    assert read_pip_audit(some).silent == "the service knows nothing of reflex"
    assert read_pip_audit(some).looked_at == 2
    assert read_pip_audit(every).silent == "the service knows nothing of 6 packages (aa, bb, cc …)"
    assert read_pip_audit(every).looked_at == 0


def test_pip_audit_without_a_network_says_why_and_names_no_address() -> None:
    trace = "Traceback (most recent call last):\nrequests.exceptions.ConnectionError: HTTPSConnectionPool(host='index.example'):\n"

    assert read_pip_audit(None, trace).silent == "requests.exceptions.ConnectionError"
    assert read_pip_audit(None).silent == "the tool said nothing"


def test_one_list_without_an_answer_leaves_all_unaudited() -> None:
    answer = audit.read_pip_audit("the lock", [(json.dumps(PIP_AUDIT), ""), ("", "no answer within 45 s\n")])

    assert answer == Answer("the lock", silent="no answer within 45 s")


def test_an_advisory_of_npm_is_one_finding_however_many_packages_depend_on_it() -> None:
    answer = read_npm_audit(NPM_AUDIT)

    assert answer.findings == (
        Finding(
            "minimist",
            frozenset({GHSA}),
            "Prototype Pollution in minimist",
            "critical, in <0.2.4, fixed by mkdirp 0.5.6",
        ),
    )
    assert (answer.looked_at, answer.silent) == (2, "")


@pytest.mark.parametrize(
    ("output", "errors", "silent"),
    [
        (NPM_REFUSED, "npm error audit endpoint returned an error", "405 Method Not Allowed"),
        (NPM_OFFLINE, "", "request failed, reason: connect ECONNREFUSED"),
        (None, "npm error code ENOLOCK\nnpm error This command requires an existing lockfile.\n", "existing lockfile"),
        (None, "no answer within 45 s", "no answer within 45 s"),
    ],
)
def test_npm_without_an_answer_says_why_and_names_no_address(output: object, errors: str, silent: str) -> None:
    answer = read_npm_audit(output, errors)

    assert silent in answer.silent
    assert "example" not in answer.silent
    assert (answer.findings, answer.looked_at) == ((), 0)


def test_a_tool_that_hangs_is_given_up() -> None:
    output, errors = audit.run([sys.executable, "-c", "import time; time.sleep(60)"], audit.ROOT, patience=0.2)

    assert (output, errors) == ("", "no answer within 0.2 s")


# --- what is asked about ---------------------------------------------------------------------------------------------


def test_packages_for_other_systems_are_asked_about_too() -> None:
    lock = """aiosqlite==0.22.1 \\
    --hash=sha256:aa
uvicorn[standard]==0.51 ; sys_platform == 'win32' \\
    --hash=sha256:bb
deprecated==1.3.1 ; python_full_version < '3.12'
Deprecated==3.0.1 ; python_full_version >= '3.12'
aiosqlite==0.22.1
"""

    assert audit.lists_of(lock) == [
        {"aiosqlite": "0.22.1", "uvicorn": "0.51", "deprecated": "1.3.1"},
        {"deprecated": "3.0.1"},
    ]


# --- decisions -------------------------------------------------------------------------------------------------------


def judge(*decisions: Decision, answer: Answer | None = None, release: bool = False) -> audit.Verdict:
    return audit.judge([answer or Answer("the lock", (FINDING,), 9)], decisions, TODAY, release=release)


def test_an_undecided_finding_is_a_fault() -> None:
    verdict = judge()

    assert len(verdict.faults) == 1
    assert verdict.faults[0].startswith(f"UNDECIDED: {CVE}, {GHSA} in minimist: Prototype pollution (critical).")
    assert verdict.notes == ["Audited: the lock: 9 packages, findings: 1."]


@pytest.mark.parametrize("named", [GHSA, CVE])
def test_a_decision_holds_by_any_id_of_its_finding(named: str) -> None:
    assert judge(Decision(named, "Minimist", "no fix yet", "None is out.", TODAY)).faults == []


@pytest.mark.parametrize(
    "other",
    [
        Decision("GHSA-0000-0000-0000", "minimist", "not affected", "Another one.", date(2027, 2, 28)),
        Decision(GHSA, "mkdirp", "not affected", "Another package.", date(2027, 2, 28)),
    ],
)
def test_a_decision_about_something_else_does_not_help(other: Decision) -> None:
    verdict = judge(other)

    assert [fault.split(":")[0] for fault in verdict.faults] == ["UNDECIDED"]


def test_a_decision_past_its_day_is_a_fault() -> None:
    expired = Decision(GHSA, "minimist", "no fix yet", "None is out.", date(2026, 11, 27))

    assert judge(expired).faults == [
        f"EXPIRED: the decision about {GHSA} in minimist held until 2026-11-27: look at it again."
    ]
    assert judge(expired, answer=Answer("the lock", silent="offline")).faults == judge(expired).faults


def test_a_decision_for_longer_than_a_year_is_a_fault() -> None:
    assert judge(Decision(GHSA, "minimist", "no fix yet", "None is out.", date(2028, 1, 1))).faults == [
        f"TOO FAR: the decision about {GHSA} in minimist must be looked at again within a year."
    ]


def test_a_decision_whose_finding_is_gone_is_only_a_note() -> None:
    verdict = judge(KEPT, answer=Answer("the lock", looked_at=9))

    assert verdict.faults == []
    assert (
        verdict.notes[1]
        == f"The finding {GHSA} in minimist is gone: take its decision out of docs/audit_decisions.toml."
    )


def test_what_did_not_answer_is_named_and_fails_nothing() -> None:
    verdict = judge(KEPT, answer=Answer("the lock", silent="405 Method Not Allowed"))

    assert verdict.faults == []
    assert verdict.notes == ["NOT AUDITED: the lock: 405 Method Not Allowed."]


def test_before_a_release_what_did_not_answer_fails() -> None:
    verdict = judge(KEPT, answer=Answer("the lock", silent="405 Method Not Allowed"), release=True)

    assert verdict.faults == ["NOT AUDITED: the lock: 405 Method Not Allowed."]
    assert verdict.notes == []


@pytest.mark.parametrize(("argv", "code"), [([], 0), (["--release"], 1)])
def test_the_exit_code_without_an_answer_is_that_of_its_purpose(
    monkeypatch: pytest.MonkeyPatch, argv: list[str], code: int
) -> None:
    monkeypatch.setattr(audit, "ask_pip_audit", lambda: Answer("the Python locks", silent="no answer within 45 s"))
    monkeypatch.setattr(audit, "ask_npm", lambda name: Answer(name, silent="no answer within 45 s"))

    assert audit.main(argv) == code


def _commands_of(target: str) -> list[str]:
    """What make would run. It runs as an independent make, even if the tests themselves run under make."""
    outer = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "GNUMAKEFLAGS")
    return subprocess.run(
        ["make", "-n", "-o", ".venv/dev.stamp", target],
        cwd=audit.ROOT,
        env={name: value for name, value in os.environ.items() if name not in outer},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()


def test_the_two_targets_differ_in_the_audit_alone() -> None:
    usual = _commands_of("check")

    assert usual[-1] == "python tools/audit.py"
    assert _commands_of("release-check") == [*usual[:-1], "python tools/audit.py --release"]


def test_a_written_decision_is_read() -> None:
    assert audit.read_decisions(WRITTEN) == [KEPT]


WRITTEN = f"""
[[decision]]
id = "{GHSA}"
package = "minimist"
decision = "not affected"
reason = "Never parses what a visitor sends."
until = 2027-02-28
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("until = 2027-02-28", ""),
        ("2027-02-28", '"2027-02-28"'),
        ("2027-02-28", "2027-02-28T00:00:00Z"),
        ("reason =", "because ="),
        ("not affected", "trust me"),
        ("Never parses what a visitor sends.", " "),
    ],
)
def test_a_decision_that_is_not_whole_is_refused(old: str, new: str) -> None:
    with pytest.raises(ValueError, match=rf"decision 1 \({GHSA}\) needs"):
        audit.read_decisions(WRITTEN.replace(old, new))


def test_the_decisions_of_the_project_are_whole() -> None:
    audit.read_decisions(audit.DECISIONS.read_text(encoding="utf-8"))


# --- the real tools against services of this machine -----------------------------------------------------------------


class Advisories(BaseHTTPRequestHandler):
    """One flaw in minimist for npm, one in jinja2 for pip-audit (in OSV's format)."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        if self.path == "/osv":
            flawed = json.loads(body)["package"]["name"] == "jinja2"
            self._answer({"vulns": [OSV]} if flawed else {})
        else:
            advisory = NPM_AUDIT["vulnerabilities"]["minimist"]["via"][0]
            self._answer(
                {"minimist": [{**advisory, "id": advisory["source"], "vulnerable_versions": advisory["range"]}]}
            )

    def do_GET(self) -> None:
        versions = {version: {"name": "minimist", "version": version} for version in ("0.2.1", "0.2.4")}
        self._answer({"name": "minimist", "versions": versions, "dist-tags": {"latest": "0.2.4"}})

    def _answer(self, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing: the tests read the tools' output."""


OSV = {
    "id": PYSEC,
    "schema_version": "1.7.0",
    "summary": "Unsafe temporary files",
    "aliases": ["CVE-2014-1402"],
    "affected": [
        {
            "package": {"name": "jinja2", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.7.3"}]}],
        }
    ],
}


@pytest.fixture
def service() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Advisories) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_the_real_pip_audit_is_understood(service: str) -> None:
    pins = {"anyio": "4.0.0", "jinja2": "2.4.1"}
    answer = audit.read_pip_audit("the lock", [audit.pip_audit(pins, "-s", "osv", "--osv-url", f"{service}/osv")])

    assert answer == Answer(
        "the lock",
        (
            Finding(
                "jinja2", frozenset({PYSEC, "CVE-2014-1402"}), "Unsafe temporary files", "has 2.4.1, fixed in: 2.7.3"
            ),
        ),
        2,
    )


@pytest.fixture
def npm_lock(tmp_path: Path) -> Path:
    if not shutil.which("npm"):
        pytest.skip("npm is not on the path")
    root = {"name": "flawed", "version": "1.0.0", "dependencies": {"minimist": "0.2.1"}}
    minimist = {"version": "0.2.1", "integrity": "sha512-AAAA"}
    lock = {"name": "flawed", "lockfileVersion": 3, "packages": {"": root, "node_modules/minimist": minimist}}
    (tmp_path / "package.json").write_text(json.dumps(root))
    (tmp_path / "package-lock.json").write_text(json.dumps(lock))
    return tmp_path


def test_the_real_npm_is_understood(service: str, npm_lock: Path) -> None:
    answer = audit.read_npm_audit(
        "the lock", *audit.npm_audit(npm_lock, f"--registry={service}", f"--cache={npm_lock}")
    )

    assert [(finding.package, finding.ids) for finding in answer.findings] == [("minimist", {GHSA})]
    assert (answer.looked_at, answer.silent) == (1, "")


def test_the_real_npm_that_nobody_answers_is_understood(npm_lock: Path) -> None:
    answer = audit.read_npm_audit(
        "the lock", *audit.npm_audit(npm_lock, "--registry=http://127.0.0.1:9", f"--cache={npm_lock}")
    )

    assert (answer.findings, answer.looked_at) == ((), 0)
    assert "ECONNREFUSED" in answer.silent
