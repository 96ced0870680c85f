"""The journey benchmark plays whole journeys, checks what must be refused, and ends with the line that other tools read."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LAST_LINE = re.compile(
    r"medonline: [\d.]+ journeys/s at 2, [\d.]+ CPU ms/journey, [\d.]+ hashes/journey, p50 [\d.]+ ms, RSS [\d.]+ -> [\d.]+ MiB"
)


def test_two_patients_at_once(tmp_path: Path) -> None:
    file = tmp_path / "journey.json"
    size = ("--journeys", "2", "--concurrency", "2", "--warm-up", "1")
    command = [sys.executable, "-m", "benchmarks.journey", *size, "--json", str(file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert LAST_LINE.fullmatch(done.stdout.splitlines()[-1]), done.stdout
    numbers = json.loads(file.read_text())
    assert (numbers["done"], numbers["failed"], numbers["problems"]) == (2, 0, [])
    assert numbers["statements"] > 0
    assert numbers["commits"] > 0
